"""A trained localiser judged: every picture once, then figures, files."""

import pathlib

from trainers.data import stream
from trainers.data.boxes import single
from trainers.judging import scores
from trainers.judging.detection import sheets
from trainers.judging.localisation import errors, guessing
from trainers.plan.detection import images
from zoo import archive, disks, files

WRITTEN = ("evaluation.json", "localisations.png")


def evaluate(judging):
    """Judges a run's localiser and writes WRITTEN: -> what evaluation.json says."""
    model, manifest = archive.load(judging.run_dir, judging.weights, kind="localiser")
    source = images.source_of(manifest, judging.split, judging.data, judging.data_dir)
    single.classes(source)
    look = guessing.Look(judging.batch_size, judging.limit, crop(judging, manifest))
    with stream.unreadable_named():
        probabilities = None
        if judging.classifier:
            probabilities = guessing.classified(judging.classifier, source, judging.limit)
        find = guessing.finding(model, manifest.network)
        seen = guessing.see(find, source, manifest.input, look, probabilities)
    if seen is None:
        raise scores.ScoreError(
            f"{manifest.network.name}: its outputs are not finite: its training has diverged, "
            "take an earlier state or a lower learning rate"
        )
    head = {
        "network": manifest.network.name,
        "by_class": manifest.network.by_class,
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
