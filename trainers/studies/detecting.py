"""Rows of Tables 8 and 9: which detectors they need, what these were worth, what that shows."""

import dataclasses
import statistics

from trainers.studies import jobs

DEMO = {"data": "scenes", "recipe": "scenes", "steps": "600", "round_steps": "300"}
PAPER = {"data": "coco", "recipe": "coco"}
# Shorter sides of App. B at the paper's 600 px, and in the same proportions at the scenes' 96.
SCALES = {"demo": (32, 64, 96, 128, 160), "paper": (200, 400, 600, 800, 1000)}
VOTED = ("--refine", "--vote")  # the paper's box refinement votes too (App. B)
TITLES = {"ap": "AP", "ap50": "AP50"}


@dataclasses.dataclass(frozen=True)
class Row:
    """A row, each on top of the one above: which net is trained and how it looks at pictures.

    `paper` has COCO's val AP50 and AP in percent, of the paper's own nets.
    """

    label: str
    change: str
    net: int  # of two: the poorer backbone, the better one
    look: tuple[str, ...]
    paper: tuple[float, float]
    context: bool = False

    @property
    def looked(self):
        """The name of an evaluation's folder."""
        return "-".join(flag.lstrip("-").partition("=")[0] for flag in self.look) or "once"


def rows(nets, scales):
    """Tables 8 and 9: of two backbones the second is improved, tested at these shorter sides."""
    poorer, better = nets
    everything = (*VOTED, f"--scales={','.join(map(str, scales))}")
    return (
        Row(poorer, "", 0, (), (41.5, 21.2)),
        Row(better, f"{better} instead of {poorer}", 1, (), (48.4, 27.2)),
        Row("+ box refinement", "box refinement", 1, VOTED, (49.9, 29.9)),
        Row("+ context", "context", 1, VOTED, (51.1, 30.0), context=True),
        Row("+ multi-scale testing", "multi-scale testing", 1, everything, (53.8, 32.5), True),
    )


def job(nets, row, seed, asked, starts=({}, {})):
    """The run that a row needs; rows of one net share theirs."""
    base = DEMO if asked.scale == "demo" else PAPER
    more = {**starts[row.net], **({"context": "true"} if row.context else {})}
    return jobs.Job(nets[row.net], seed, jobs.settings(base, asked, **more), program="detect")


def figures(verdict):
    """Of an evaluation.json what the table has."""
    coco = verdict["coco"]
    return {"ap": coco["ap"], "ap50": coco["ap50"], "recall": verdict["proposals"]["50"]["all"]}


def differences(values):
    """What each row adds to the one above, seed by seed: {label: [value]} -> list of lists."""
    each = list(values.values())
    return [
        [after - before for before, after in zip(*pair, strict=True)]
        for pair in zip(each, each[1:])
    ]


def points(changes):
    """Differences of fractions, one a seed, as percentage points with their deviation."""
    changes = [100 * change for change in changes]
    if len(changes) == 1:
        return f"{changes[0]:+.2f}"
    return f"{statistics.mean(changes):+.2f} ± {statistics.stdev(changes):.2f}"


def finding(asked, measured):
    """What shows and what does not, in the first sentence: {label: {"ap": [...], ...}}."""
    seeds = len(next(iter(measured.values()))["ap"])
    changed = {
        title: list(
            zip(
                [row.change for row in asked[1:]],
                differences({label: each[name] for label, each in measured.items()}),
            )
        )
        for name, title in TITLES.items()
    }
    if seeds == 1:
        told = [f"in {title}: {listed(changes)}" for title, changes in changed.items()]
        return f"One seed cannot tell an effect from chance. What came {'; '.join(told)}."
    sentences = [
        f"In {title} over {seeds} seeds, {grouped(changes)}." for title, changes in changed.items()
    ]
    sentences.append(
        f"That {seeds} seeds agree is little: where a change does nothing, they do so in one "
        f"of {2 ** (seeds - 1)} cases, either way."
    )
    return " ".join(sentences)


def grouped(changed):
    """The changes whose seeds agree, and those whose do not: [(change, differences)] -> text."""
    groups = {
        "shows with every seed": [(c, by) for c, by in changed if min(by) > 0],
        "does not show": [(c, by) for c, by in changed if min(by) <= 0 <= max(by)],
        "worse with every seed": [(c, by) for c, by in changed if max(by) < 0],
    }
    return "; ".join(f"{title}: {listed(group)}" for title, group in groups.items() if group)


def listed(changed):
    """Every change with its points."""
    return ", ".join(f"{change} ({points(by)} points)" for change, by in changed)


def relative(asked, measured):
    """Table 8's last claim: how much better the better backbone is, of the poorer one's AP."""
    poorer, better = (statistics.mean(measured[row.label]["ap"]) for row in asked[:2])
    if not poorer:
        return f"{asked[0].label} has an AP of 0."
    return (
        f"Relative to {asked[0].label}, {asked[1].label} changes AP by {better / poorer - 1:+.0%}; "
        "in the paper it is +28%."
    )


def table(asked, measured):
    """Ours and the paper's, a line a row."""
    from trainers.studies import report

    values = {label: figures["ap"] for label, figures in measured.items()}
    added = ["", *map(points, differences(values))]
    lines = [
        [
            row.label,
            *(report.percent(measured[row.label][name]) for name in ("ap50", "ap")),
            gain,
            report.percent(measured[row.label]["recall"]),
            *row.paper,
        ]
        for row, gain in zip(asked, added, strict=True)
    ]
    columns = ["", "AP50 %, ours", "AP %, ours", "AP, points above the last row"]
    paper = ["paper, AP50 %", "paper, AP %"]
    return report.table([*columns, "proposals cover at IoU .5, %", *paper], lines)


def draw(drawing, asked, measured):
    """A dot a seed, a line through the means; the paper's beside them, dashed."""
    panels = drawing.subplots(1, 2)
    for axes, (number, name) in zip(panels, enumerate(("ap50", "ap"))):
        places = range(len(asked))
        each = [[100 * v for v in measured[row.label][name]] for row in asked]
        axes.plot(places, [statistics.mean(v) for v in each], "-", color="#1f5fa8", label="ours")
        for place, found in zip(places, each):
            axes.plot([place] * len(found), found, "o", color="#1f5fa8", markersize=4)
        paper = [row.paper[number] for row in asked]
        axes.plot(places, paper, "--", color="#888888", label="paper, of COCO")
        axes.set(title=TITLES[name], ylabel="%", ylim=(0, 100))
        axes.set_xticks(places, [row.label for row in asked], rotation=25, ha="right", fontsize=8)
        axes.grid(axis="y", linestyle=":", color="#bbbbbb")
        axes.legend(frameon=False)
