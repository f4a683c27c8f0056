"""What trained networks say of each validation image: what they are compared by, image by image."""

import dataclasses

import numpy as np

from trainers.studies.jobs import StudyError

ONE_SEED = (
    "Of one seed an interval is over images alone: it tells these very networks apart, and another "
    "seed may order them otherwise."
)
FOLDER = "answers"  # in a run's directory


def of_run(run_dir, views="center", limit=None, weights="model"):
    """A run's Scores of its validation images; kept in its directory, and read again.

    Mirrors are looked at unless the network was trained without.
    """
    from trainers.data import stream
    from trainers.engine import distribute
    from trainers.judging import scores
    from trainers.plan import images
    from zoo import archive

    manifest = archive.load_manifest(run_dir)
    kept = path_of(run_dir, manifest.step, (views, weights, f"{limit or 'all'}"))
    if kept.exists():
        with np.load(kept) as columns:
            return scores.Scores(**columns)
    print(f"-- {run_dir}: {views}", flush=True)
    strategy = distribute.strategy("auto")
    with strategy.scope():
        model, manifest = archive.load(run_dir, weights)
    source = images.source_of(manifest, run_dir=run_dir)
    look = scores.Look(views, (manifest.recipe or {}).get("mirror", True), limit=limit)
    with stream.unreadable_named():
        found = scores.of_network(model, manifest, source, look, strategy)
    keep(kept, found)
    return found


def path_of(run_dir, step, asked):
    return run_dir / FOLDER / f"{'-'.join(asked)}-{step}.npz"


def keep(path, found):
    from zoo import disks, files

    with disks.told(path.parent):
        path.parent.mkdir(exist_ok=True)
        with files.replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file, probabilities=found.probabilities, labels=found.labels, index=found.index
            )


def wrong(found, first=1):
    """Which images are not among the `first` guesses: Scores -> (N,) bool."""
    from trainers.judging import figures

    return figures.rank(found.probabilities, found.labels) >= first


def errors(found):
    """{"error", "error_top5"} of Scores, fractions."""
    return {
        "error": float(np.mean(wrong(found))),
        "error_top5": float(np.mean(wrong(found, first=5))),
    }


def compare(one, other, first=1):
    """Two lists of Scores, a seed each -> paired.Difference of their errors.

    StudyError unless all are of the same images.
    """
    from trainers.judging import paired

    for found in (*one, *other):
        same = np.array_equal(found.index, one[0].index)
        if not same or not np.array_equal(found.labels, one[0].labels):
            raise StudyError("networks are compared on the same images, these saw different ones")
    return paired.difference(*([wrong(each, first) for each in side] for side in (one, other)))


def of_job(job, options):
    """A finished Job's Scores, as the paper looks: ten crops and true averages for ImageNet's."""
    from trainers.studies import jobs

    run_dir = options.runs_dir / job.name
    if job.data == jobs.IMAGENET["data"]:
        return of_run(run_dir, "ten_crop", weights="precise")
    return of_run(run_dir)


def of_jobs(todo, options):
    """{label: [Job]} -> {label: [Scores]}, a seed each; the runs are finished."""
    return {label: [of_job(job, options) for job in each] for label, each in todo.items()}


def as_numbers(pairs):
    """{(label, label): Difference} for JSON."""
    return {
        f"{one} - {other}": {**dataclasses.asdict(gain), "shows": gain.shows}
        for (one, other), gain in pairs.items()
    }


def table(pairs, report):
    """{(label, label): Difference} as Markdown: which has how much more error than which."""
    rows = [
        [
            f"{one} less {other}",
            f"{100 * gain.mean:+.2f}",
            f"{100 * gain.low:+.2f} to {100 * gain.high:+.2f}",
            ", ".join(f"{p:.2g}" for p in gain.p),
        ]
        for (one, other), gain in pairs.items()
    ]
    header = [
        "error of",
        "points",
        "95 % interval over images and seeds",
        "McNemar's p, a seed each",
    ]
    text = report.table(header, rows)
    if any(len(gain.p) == 1 for gain in pairs.values()):
        return f"{text}\n\n{ONE_SEED}"
    return text
