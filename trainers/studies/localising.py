"""Localisation (App. C): which localisers the study needs, what their boxes are worth, in words."""

import dataclasses
import statistics

import numpy as np

from trainers.studies import jobs

DEMO = {
    "data": "scenes_single",
    "recipe": "scenes_single",
    "steps": "300",
    "round_steps": "150",
}
PAPER = {"data": "imagenet", "recipe": "imagenet"}
TITLES = {"gt_class_error": "class told", "error": "top-1", "error_top5": "top-5"}


@dataclasses.dataclass(frozen=True)
class Row:
    """A way to localise; `by_class` None needs no training. `paper` is Table 13's, class told."""

    label: str
    by_class: bool | None
    paper: float | None = None


ROWS = (
    Row("the mean box in the middle", None),
    Row("RPN, one box for all classes", False),
    Row("RPN by class", True, 13.3),
)


def job(net, row, seed, asked, start):
    """The run that a row needs, on a net; `start` are flags of what it starts from, if any."""
    base = DEMO if asked.scale == "demo" else PAPER
    more = {"by_class": str(row.by_class).lower(), **start}
    return jobs.Job(net, seed, jobs.settings(base, asked, **more), program="localise")


def figures(record):
    """A run's last record: its errors over every validation picture, without what it has not."""
    found = {name: record.get(f"validation_{name}") for name in TITLES}
    return {name: value for name, value in found.items() if value is not None}


def of_middle(train, held_out):
    """The errors of one box for all pictures: the mean size of training's, in the middle."""
    from trainers.judging.detection import evaluation
    from trainers.judging.localisation import errors

    boxes, sizes = train.annotations.boxes, train.annotations.sizes[train.annotations.picture]
    shares = ((boxes[:, 2:] - boxes[:, :2]) / sizes).mean(axis=0)
    pictures = np.arange(held_out.length)
    middle = held_out.annotations.sizes / 2
    half = held_out.annotations.sizes * shares / 2
    told = np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
    nothing = np.zeros((len(pictures), 0))
    guesses = errors.Guesses(pictures, nothing, nothing[..., None], nothing, told)
    return errors.judge(evaluation.truth_of(held_out, pictures), guesses)


def finding(measured):
    """What shows, in a sentence: {label: {"gt_class_error": [...], ...}}."""
    middle, one, by_class = (measured[row.label]["gt_class_error"] for row in ROWS)
    seeds = len(one)
    told = [f"{100 * statistics.mean(values):.1f} %" for values in (middle, one, by_class)]
    said = (
        f"With the class told, the mean box in the middle is wrong on {told[0]} of the scenes, an "
        f"RPN with one box for all classes on {told[1]}, an RPN by class on {told[2]}"
    )
    if seeds == 1:
        worse = "; that by class is better does not show" if by_class[0] >= one[0] else ""
        return (
            f"{said}; of one seed, which cannot tell an effect of a few points from chance{worse}."
        )
    changes = [b - a for a, b in zip(one, by_class, strict=True)]
    same = "at odds"
    if max(changes) < 0 or min(changes) > 0:
        same = f"agreed that by class is {'better' if max(changes) < 0 else 'worse'}"
    shown = "" if max(changes) < 0 else "; that by class is better does not show"
    return f"{said}; {seeds} seeds {same}{shown}."


def table(measured):
    """Ours and the paper's, a line a row."""
    from trainers.studies import report

    lines = [
        [
            row.label,
            *(
                report.percent(measured[row.label][name]) if name in measured[row.label] else "–"
                for name in TITLES
            ),
            report.paper(row.paper),
        ]
        for row in ROWS
    ]
    columns = [f"error %, {title}" for title in TITLES.values()]
    return report.table(["", *columns, "paper, class told"], lines)


def draw(drawing, measured):
    """A dot a seed, with the class told."""
    axes = drawing.subplots()
    for place, row in enumerate(ROWS):
        found = [100 * value for value in measured[row.label]["gt_class_error"]]
        axes.bar([place], [statistics.mean(found)], color="#c9d8ea", width=0.6)
        axes.plot([place] * len(found), found, "o", color="#1f5fa8", markersize=4)
    axes.set(ylabel="localisation error %, class told", ylim=(0, 100))
    axes.set_xticks(range(len(ROWS)), [row.label for row in ROWS], fontsize=8)
    axes.grid(axis="y", linestyle=":", color="#bbbbbb")
