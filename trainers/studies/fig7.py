"""Fig. 7 drawn: responses untrained and trained, and what answers its two questions."""

import numpy as np

from trainers.studies import figures
from trainers.studies.responding import AS_TRAINED, WHEN, block_layer, groups, last_to_others


def responses(drawing, seeds):
    """Deviations in order, ranked, and F / x: untrained, then a column a decay; a line a seed."""
    by_decay = groups(seeds)
    first = next(iter(by_decay.values()))
    columns = [("untrained", "start", first)]
    columns += [(f"trained, {d or AS_TRAINED}", "end", nets) for d, nets in by_decay.items()]
    panels = drawing.subplots(3, len(columns), sharey="row", squeeze=False)
    shade = dict(zip(first, figures.colours(len(first))))
    for column, (title, when, nets) in zip(panels.T, columns):
        column[0].set_title(title, fontsize=9)
        for net, each in nets.items():
            for number, one in enumerate(each):
                lines(column, one[when], shade[net], net if number == 0 else None)
        labels = ("layer, in order", "layer, ranked by std", "residual block, in order")
        for axes, label in zip(column, labels):
            axes.set_xlabel(label)
    for axes, label in zip(panels[:, 0], ("std", "std", "F / x")):
        axes.set_ylabel(label)
        axes.set_ylim(0)  # for the row, with what all its columns hold
    panels[0, 0].legend(frameon=False, fontsize=7)


def lines(column, found, colour, label):
    """One net's three lines, a plain one's dashed."""
    stds = [row["std"] for row in found["layers"]]
    ratios = [row["ratio"] for row in found["blocks"]]
    style = dict(color=colour, linestyle="-" if ratios else "--", linewidth=0.9)
    layers = range(1, len(stds) + 1)
    column[0].plot(layers, stds, label=label, **style)
    column[1].plot(layers, sorted(stds, reverse=True), **style)
    if ratios:
        column[2].plot(range(1, len(ratios) + 1), ratios, marker=".", markersize=3, **style)


def questions(drawing, seeds):
    """Size of F against its deviation; what removing F costs; the last layer over the others."""
    size, cost, last = drawing.subplots(1, 3)
    by_decay = groups(seeds)
    for (decay, nets), colour in zip(by_decay.items(), figures.colours(len(by_decay))):
        runs = [one for each in nets.values() for one in each if one["end"]["blocks"]]
        points = [(one, row) for one in runs for row in one["end"]["blocks"]]
        if points:
            stds = [block_layer(one["end"], row["block"])["std"] for one, row in points]
            style = dict(s=12, color=colour, label=decay or AS_TRAINED, alpha=0.7)
            size.scatter(stds, [row["rms"] for _, row in points], **style)
            rise = [100 * (row["error_without"] - one["error"]) for one, row in points]
            cost.scatter([row["ratio"] for _, row in points], rise, **style)
    most = max(size.get_xlim()[1], size.get_ylim()[1])
    size.plot((0, most), (0, most), ":", color=figures.GREY)
    size.set(title="a block's F", xlabel="std of its last 3x3 layer", ylabel="size of F")
    cost.axhline(0, linestyle=":", color=figures.GREY)
    cost.set(title="the block left out (F = 0)", xlabel="F / x", ylabel="error rises by (points)")
    cost.legend(frameon=False, fontsize=7)
    for place, each in enumerate(seeds.values()):
        for when in WHEN:
            values = np.array([last_to_others(one[when]) for one in each])
            figures.points(last, place, values, figures.COLOURS[2], hollow=when == "start")
    names = [label.replace(", ", ",\n") for label in seeds]
    last.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    last.axhline(1, linestyle=":", color=figures.GREY)
    last.set(title="last layer's std : median of the others", ylim=(0, None))
    last.set_xlabel("hollow: untrained, full: trained", fontsize=7)
