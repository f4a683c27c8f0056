"""python -m trainers.studies.finetune [--init_from=DIR,...]: trained weights against random ones.

Few photographs a class. The same network starts from a net that the study trains on other
photographs, from those of --init_from, or from random weights. Several seeds, which draw the images
too. Needs the sample photographs of scikit-image and matplotlib.
"""

import dataclasses
import pathlib
import statistics

from absl import flags

from trainers.studies import jobs
from zoo import limits, program

_INIT_FROM = flags.DEFINE_list("init_from", [], "runs to start from, besides the study's own")
_PER_CLASS = limits.DEFINE_integer("per_class", 8, "training images of each class")
_STEPS = limits.DEFINE_integer("steps", 150, "optimizer steps of each run")
_SEEDS = limits.DEFINE_numbers("seeds", [0, 1, 2], "one run a seed; it draws the images too")
_RUNS_DIR = flags.DEFINE_string("runs_dir", "runs/finetune", "the runs and their images")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "reports", "where the report goes")

MODEL, IMAGE_PX = "resnet20", 28  # Fashion-MNIST's size, so that a net of it can start too
# Every layer at the paper's rate (Sec. 4.2), normalisations by the batch: as one trains from
# random weights.
ALL_LEARN = {"freeze_bn": "false", "backbone_rate": "1", "learning_rate": "0.1"}
SOURCE_IMAGES, SOURCE_STEPS = 72, 600


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the runs on one drawing of the images live, and the images: for `jobs.finish`."""

    runs_dir: pathlib.Path

    @property
    def data_dir(self):
        return self.runs_dir / "images"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    seeds = list(dict.fromkeys(_SEEDS.value))
    with program.quiet_start():
        from trainers.studies import photographs

    pictures = photographs.installed(photographs.TARGET)
    histories, seconds = {}, {}
    for label, start in starts().items():
        for seed in seeds:
            where = place(seed)
            photographs.write(where.data_dir, pictures, _PER_CLASS.value, seed)
            run_dir = jobs.finish(jobs.Job(MODEL, seed, settings(_STEPS.value, start)), where)
            histories.setdefault(label, []).append(jobs.history(run_dir))
            seconds[f"{label}, seed {seed}"] = jobs.seconds_of(run_dir)
    write(pathlib.Path(_OUTPUT_DIR.value), histories, {"seeds": seeds, "runs": seconds})


def place(seed):
    return Place(pathlib.Path(_RUNS_DIR.value) / f"{_PER_CLASS.value}-a-class-seed{seed}")


def starts():
    """What the runs start from: {label: flags}."""
    found = {"random weights": ALL_LEARN}
    for label, run_dir in sources().items():
        found[f"{label}, recipe"] = {"init_from": str(run_dir)}
        found[f"{label}, all learns"] = {"init_from": str(run_dir), **ALL_LEARN}
    return found


def sources():
    """Trained networks, by the name of what they were trained on; one is trained here."""
    from trainers.studies import photographs
    from zoo import archive

    where = Place(pathlib.Path(_RUNS_DIR.value) / "source")
    pictures = photographs.installed(photographs.SOURCE)
    photographs.write(where.data_dir, pictures, SOURCE_IMAGES, seed=0)
    job = jobs.Job(MODEL, 0, settings(SOURCE_STEPS, ALL_LEARN))
    found = {"other photographs": jobs.finish(job, where)}
    for run_dir in _INIT_FROM.value:
        manifest = archive.load_manifest(run_dir)
        found[manifest.data.get("name", run_dir)] = run_dir
    return found


def settings(steps, start):
    """A run's flags."""
    named = {
        "data": "folder",
        "recipe": "finetune",
        "image_size": IMAGE_PX,
        "steps": steps,
        "round_steps": max(1, steps // 10),
        **start,
    }
    return tuple((name, str(value)) for name, value in named.items())


def write(output_dir, histories, origin):
    """The report, its raw numbers and its pictures."""
    from trainers.judging import plots
    from trainers.studies import figures, photographs, report

    with plots.figure(output_dir / "finetune.png", (6, 4.4)) as drawing:
        figures.curves(drawing.subplots(), histories, f"{_PER_CLASS.value} images a class")
    draw_tiles(output_dir, photographs.TARGET)
    first = histories["random weights"][0][0]["step"]
    rows = [
        [label, *map(report.percent, (errors(runs, 0), errors(runs), errors(runs, name="error")))]
        for label, runs in histories.items()
    ]
    columns = [f"validation error %, {first} steps", f"{_STEPS.value} steps", "training error %"]
    sections = [
        "# Fine-tuning on a few photographs",
        f"{MODEL} on {len(photographs.TARGET)} real photographs, as scikit-learn, matplotlib and "
        f"scikit-image ship them, cut into tiles of {photographs.TILE_PX} pixels that the network "
        f"sees at {IMAGE_PX}. A class is a photograph; no pixel is in two tiles. A seed draws "
        f"{_PER_CLASS.value} tiles of each to train on and {photographs.HELD_OUT} others to "
        "validate on.",
        "![a row of tiles for each photograph](finetune_tiles.png)",
        report.table(["start", *columns], rows),
        "![training and validation error against steps](finetune.png)",
        finding(histories),
        explanation(photographs),
        photographs.CREDIT,
        report.origin(origin["runs"], origin["seeds"]),
    ]
    report.write(output_dir, "finetune", sections, {"histories": histories, "origin": origin})


def explanation(photographs):
    """What each row is."""
    trained = [f"{name} ({about(run_dir)})" for name, run_dir in sources().items()]
    return (
        f"Every run takes {_STEPS.value} steps of batch 32 with a cosine. The starts: "
        f"{', '.join(trained)}; other photographs are {', '.join(photographs.SOURCE)}, "
        f"{SOURCE_IMAGES} tiles of each. *Recipe* is `--recipe=finetune` as it stands: a new "
        "head at a rate of 0.05, the backbone at a tenth of it, batch normalisation frozen. *All "
        "learns* is what random weights get too: one rate of 0.1, normalisation by the batch. "
        "Nothing was selected on these seeds; seed 9 served to try the rows out."
    )


def about(run_dir):
    from zoo import archive

    manifest = archive.load_manifest(run_dir)
    return f"{manifest.step:,} steps, validation error {manifest.metrics['validation_error']:.1%}"


def errors(runs, round_=-1, name="validation_error"):
    """Of one round, the last, one a seed."""
    return [history[round_][name] for history in runs]


def finding(histories):
    """What the runs show at the first round and at the last, worked out and not foreseen."""
    sentences = []
    for when, round_ in (("At first", 0), ("In the end", -1)):
        scratch = errors(histories["random weights"], round_)
        sentence = f"{when} {statistics.mean(scratch):.1%} are wrong from random weights"
        for label, runs in histories.items():
            tuned = errors(runs, round_)
            seeds = "and the seeds overlap"
            if max(tuned) < min(scratch) or max(scratch) < min(tuned):
                seeds = f"{'fewer' if max(tuned) < min(scratch) else 'more'} with every seed"
            if label != "random weights":
                sentence += f"; from {label} {statistics.mean(tuned):.1%}, {seeds}"
        sentences.append(sentence)
    return f"What we measured. {'. '.join(sentences)}."


def draw_tiles(output_dir, names, columns=8):
    """The first validation tiles of each photograph, a row for each."""
    from trainers.judging import plots
    from zoo import preprocess

    images = place(_SEEDS.value[0]).data_dir / "validation"
    with plots.figure(output_dir / "finetune_tiles.png", (5, 0.55 * len(names))) as drawing:
        cells = drawing.subplots(len(names), columns, squeeze=False)
        for row, name in zip(cells, names):
            found = sorted((images / name).glob("*.png"))
            for cell, file in zip(row, found):
                cell.imshow(preprocess.decode(file.read_bytes()).numpy())
                cell.axis("off")
            row[0].set_title(name, fontsize=7, loc="left", pad=2)


if __name__ == "__main__":
    program.run(main, __doc__)
