"""A trained localiser judged, alone or with its refiner: every picture once, figures, files."""

import pathlib

from trainers.data import stream
from trainers.data.boxes import single
from trainers.judging import scores
from trainers.judging.detection import sheets
from trainers.judging.localisation import errors, guessing, proposing, refining
from trainers.plan.detection import images
from zoo import archive, disks, files
from zoo.detection.proposals import Proposing

WRITTEN = ("evaluation.json", "localisations.png")


class JudgingError(ValueError):
    """What cannot be judged so: what was expected, what to do."""


def evaluate(judging):
    """Judges a run's localiser, or its refiner with that: -> what evaluation.json says.

    Writes WRITTEN.
    """
    refines = archive.load_manifest(judging.run_dir).kind == "refiner"
    kind = "refiner" if refines else "localiser"
    model, manifest = archive.load(judging.run_dir, judging.weights, kind=kind)
    see, by_class = (with_refiner if refines else alone)(judging, model, manifest)
    source = images.source_of(manifest, judging.split, judging.data, judging.data_dir)
    single.classes(source)
    with stream.unreadable_named():
        probabilities = None
        if judging.classifier:
            probabilities = guessing.classified(judging.classifier, source, judging.limit)
        seen = see(source, probabilities)
    if seen is None:
        raise scores.ScoreError(
            f"{manifest.network.name}: its outputs are not finite: its training has diverged, "
            "take an earlier state or a lower learning rate"
        )
    head = {
        "network": manifest.network.name,
        "by_class": by_class,
        "refined": refines,
        "run_dir": str(judging.run_dir),
        "step": manifest.step,
        "weights": judging.weights,
        "data": source.name,
        "split": source.split,
        "pictures": len(seen.guesses.pictures),
        "views": judging.views,
        "classifier": judging.classifier,
    }
    return write(judging.output_dir, head, seen, source, manifest.input)


def alone(judging, model, manifest):
    """How a localiser sees a source, and whether it has boxes by class."""
    if judging.localiser:
        raise JudgingError(
            f"--localiser is for a run of trainers.refine, {judging.run_dir} holds a localiser: "
            "leave it out"
        )
    look = guessing.Look(judging.batch_size, judging.limit, crop(judging, manifest))
    find = guessing.finding(model, manifest.network)

    def see(source, probabilities):
        return guessing.see(find, source, manifest.input, look, probabilities)

    return see, manifest.network.by_class


def with_refiner(judging, model, manifest):
    """The same of a refiner, on what its localiser proposes."""
    if judging.views != "dense":
        raise JudgingError(
            f"--views={judging.views} is for a localiser alone: regions are of whole pictures"
        )
    localiser = judging.localiser or manifest.data.get("localiser", {}).get("run_dir")
    if not isinstance(localiser, str):
        raise JudgingError(f"{judging.run_dir} does not say who proposes: give --localiser")
    given = manifest.recipe
    asked = Proposing(after=given.get("proposals", 200), iou=given.get("proposal_iou", 0.7))
    proposer, described = proposing.load(localiser, asked)
    if described.class_names != manifest.class_names:
        raise JudgingError(f"{localiser} has other classes than {judging.run_dir}")
    refine = refining.compiled(model, manifest.input)
    look = guessing.Look(judging.batch_size, judging.limit)

    def see(source, probabilities):
        return refining.see(proposer, refine, source, look, probabilities)

    return see, proposer.localiser.by_class


def crop(judging, manifest):
    """The side of the central crop, px: that of training's, else of the whole's shorter side."""
    if judging.views == "dense":
        return None
    return manifest.recipe.get("crop_px") or manifest.input.shorter_px


def write(directory, head, seen, source, contract):
    """WRITTEN, into a directory that need not be there: -> what evaluation.json says."""
    directory = pathlib.Path(directory)
    result = {
        **head,
        **errors.judge(seen.truth, seen.guesses),
        "classes": errors.per_class(seen.truth, seen.guesses),
    }
    read = sheets.reader(source, contract)
    with disks.told(directory):
        directory.mkdir(parents=True, exist_ok=True)
        files.write_json(directory / "evaluation.json", result)
        sheets.pairs(
            directory / "localisations.png", seen.truth, seen.found, read, seen.least_shown
        )
    return result


def as_table(result):
    """What a person reads: boxes of the class told, then of guessed ones, and the hardest."""
    rows = {"box, its class told": result["gt_class_error"]}
    if "error" in result:
        rows |= {"top-1: class and box": result["error"], "top-5": result["error_top5"]}
        rows |= {"top-1: class alone": result["class_error"], "top-5 ": result["class_error_top5"]}
    guessed = "no class guessed: give --classifier"
    if "error" in result:
        guessed = f"classes by {result['classifier'] or 'its own scores'}"
    kind = "by class" if result["by_class"] else "one box for all classes"
    kind = f"R-CNN on proposals {kind}" if result["refined"] else kind
    head = (
        f"{result['network']}, {kind}, at step {result['step']:,} on {result['pictures']:,} "
        f"pictures of {result['data']} ({result['split']}), views {result['views']}, weights "
        f"{result['weights']}; {guessed}"
    )
    hardest = sorted(
        (one for one in result["classes"] if one["pictures"]), key=lambda c: -c["gt_class_error"]
    )[:3]
    told = ", ".join(f"{one['name']} {one['gt_class_error']:.1%}" for one in hardest)
    lines = [f"  {name:<24}{value:8.2%}" for name, value in rows.items()]
    return "\n".join([head, "  errors at IoU .5", *lines, f"  {'hardest classes':<24}  {told}"])
