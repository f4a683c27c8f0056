"""A range test on disk: `rates.json`, `rates.csv`, `rates.png`, and a TensorBoard event file."""

import math

import tensorflow as tf

from trainers.judging import plots
from trainers.run.rates import RULE
from zoo import disks, files, preprocess

FILES = ("rates.json", "rates.csv", "rates.png")
TOP = 1.5  # times the first loss: what is drawn at most


def write(folder, run, curve):
    """All of them, into a folder that need not be there; an earlier test's are replaced."""
    with disks.told(folder):
        files.make_directory(folder)
        rows = list(zip(curve.rates, curve.losses, curve.smoothed, strict=True))
        files.write_json(folder / FILES[0], fields(run, curve, rows))
        files.write_csv(folder / FILES[1], ("rate", "loss", "smoothed_loss"), rows)
        draw(folder / FILES[2], curve)
        write_events(folder, curve)


def fields(run, curve, rows):
    """What `rates.json` says."""
    keys = ("rate", "loss", "smoothed_loss")
    return {
        "network": run.model,
        "data": run.data,
        "batch_size": run.recipe.batch_size,
        "suggestion": curve.suggestion,
        "rule": RULE,
        "lowest": curve.rates[curve.lowest],
        "steps": [dict(zip(keys, row, strict=True)) for row in rows],
    }


def draw(path, curve):
    """The losses over the rates, with the suggestion."""
    with plots.figure(path, (6.0, 4.0)) as drawing:
        axes = drawing.subplots()
        axes.semilogx(curve.rates, curve.losses, color=plots.GREY, linewidth=0.7, label="loss")
        axes.semilogx(curve.rates, curve.smoothed, color=plots.BLUE, label="smoothed")
        lowest, highest = min(curve.losses), TOP * max(curve.smoothed[0], min(curve.smoothed))
        axes.set(xlabel="learning rate", ylabel="training loss", ylim=(0.9 * lowest, highest))
        marks = {"lowest": curve.rates[curve.lowest], "suggestion": curve.suggestion}
        for (name, rate), colour in zip(marks.items(), (plots.GREY, plots.RED)):
            if rate is not None:
                axes.axvline(rate, color=colour, linestyle="--", label=f"{name}: {rate:.2g}")
        axes.legend(frameon=False)


def write_events(folder, curve):
    """The curves by the step, with the logarithm of the rate, and the picture."""
    old = list(folder.glob("events.out.*"))
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        rows = zip(curve.rates, curve.losses, curve.smoothed, strict=True)
        for step, (rate, loss, smoothed) in enumerate(rows):
            tf.summary.scalar("find_rate/log10_rate", math.log10(rate), step=step)
            tf.summary.scalar("find_rate/loss", loss, step=step)
            tf.summary.scalar("find_rate/smoothed_loss", smoothed, step=step)
        image = preprocess.decode((folder / FILES[2]).read_bytes())
        tf.summary.image("find_rate", image[None], step=0)
    writer.close()
    for path in old:
        path.unlink()
