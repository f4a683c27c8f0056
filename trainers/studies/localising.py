"""Localisation (App. C): which localisers the study needs, what their boxes are worth, in words."""

import dataclasses
import json
import statistics

import numpy as np

from trainers.studies import jobs

DEMO = {
    "data": "scenes_single",
    "recipe": "scenes_single",
    "steps": "300",
    "round_steps": "150",
}
REFINED = {"steps": "400", "round_steps": "200"}
PAPER = {"data": "imagenet", "recipe": "imagenet"}
TITLES = {"gt_class_error": "class told", "error": "top-1", "error_top5": "top-5"}


MIDDLE = "the mean box in the middle"
ONE, BY_CLASS = "RPN, one box for all classes", "RPN by class"
ONE_REFINED, BY_CLASS_REFINED = f"{ONE}, then R-CNN", f"{BY_CLASS}, then R-CNN"


@dataclasses.dataclass(frozen=True)
class Row:
    """A way to localise; `by_class` None needs no training, `refined` has R-CNN on its proposals.

    The paper's figures are Table 13's: class told, and of ResNet-101's five guesses.
    """

    label: str
    by_class: bool | None
    refined: bool = False
    paper: float | None = None
    paper_top5: float | None = None


ROWS = (
    Row(MIDDLE, None),
    Row(ONE, False),
    Row(ONE_REFINED, False, refined=True),
    Row(BY_CLASS, True, paper=13.3, paper_top5=14.4),
    Row(BY_CLASS_REFINED, True, refined=True, paper_top5=10.6),
)


def job(net, row, seed, asked, start):
    """The run that a row needs, on a net; `start` are flags of what it starts from, if any."""
    base = DEMO if asked.scale == "demo" else PAPER
    if row.refined:
        first = job(net, dataclasses.replace(row, refined=False), seed, asked, start)
        more = REFINED if asked.scale == "demo" else {}
        settings = jobs.settings(base | more, asked, **start)
        return jobs.Job(net, seed, settings, program="refine", localiser=first.name)
    more = {"by_class": str(row.by_class).lower(), **start}
    return jobs.Job(net, seed, jobs.settings(base, asked, **more), program="localise")


def figures(run_dir, row):
    """A run's errors over every validation picture, without those that it has not.

    They are the last round's, which refines of a localiser by class the box with the class told
    alone: its guesses are judged afterwards.
    """
    last = jobs.history(run_dir)[-1]
    found = {name: last.get(f"validation_{name}") for name in TITLES}
    if row.refined and row.by_class:
        result = run_dir / "evaluation.json"
        if not result.exists():
            jobs.ask(run_dir, "evaluate_localisation", f"--run_dir={run_dir}")
        found = json.loads(result.read_text(encoding="utf-8"))
    return {name: found[name] for name in TITLES if found.get(name) is not None}


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
    """What shows, in two sentences: {label: {"gt_class_error": [...], ...}}."""
    told = {label: found["gt_class_error"] for label, found in measured.items()}
    mean = {label: f"{100 * statistics.mean(values):.1f} %" for label, values in told.items()}
    said = (
        f"With the class told, the mean box in the middle is wrong on {mean[MIDDLE]} of the "
        f"scenes, an RPN with one box for all classes on {mean[ONE]}, an RPN by class on "
        f"{mean[BY_CLASS]}; {agreement(told[ONE], told[BY_CLASS])}."
    )
    pairs = [*zip(told[ONE], told[ONE_REFINED]), *zip(told[BY_CLASS], told[BY_CLASS_REFINED])]
    shows = "shows" if all(after < before for before, after in pairs) else "does not show"
    return (
        f"{said} R-CNN on the proposals, of one box for all classes and by class, is wrong on "
        f"{mean[ONE_REFINED]} and {mean[BY_CLASS_REFINED]}: that it helps {shows}."
    )


def agreement(one, by_class):
    """What seeds say of boxes by class."""
    shown = "that by class is better does not show"
    if len(one) == 1:
        worse = f"; {shown}" if by_class[0] >= one[0] else ""
        return f"of one seed, which cannot tell an effect of a few points from chance{worse}"
    changes = [b - a for a, b in zip(one, by_class, strict=True)]
    same = "at odds"
    if max(changes) < 0 or min(changes) > 0:
        same = f"agreed that by class is {'better' if max(changes) < 0 else 'worse'}"
    return f"{len(one)} seeds {same}" + ("" if max(changes) < 0 else f"; {shown}")


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
            report.paper(row.paper_top5),
        ]
        for row in ROWS
    ]
    columns = [f"error %, {title}" for title in TITLES.values()]
    return report.table(["", *columns, "paper, class told", "paper, top-5"], lines)


def draw(drawing, measured):
    """A dot a seed, with the class told."""
    axes = drawing.subplots()
    for place, row in enumerate(ROWS):
        found = [100 * value for value in measured[row.label]["gt_class_error"]]
        axes.bar([place], [statistics.mean(found)], color="#c9d8ea", width=0.6)
        axes.plot([place] * len(found), found, "o", color="#1f5fa8", markersize=4)
    axes.set(ylabel="localisation error %, class told", ylim=(0, 100))
    axes.set_xticks(range(len(ROWS)), [row.label.replace(", ", ",\n") for row in ROWS], fontsize=7)
    axes.grid(axis="y", linestyle=":", color="#bbbbbb")
