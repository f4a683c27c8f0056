"""Pictures as the paper draws them: errors against steps (Fig. 4, 6) and depth, gradients."""

import numpy as np

COLOURS = ("#e0a000", "#2e8b57", "#1f5fa8", "#c0392b", "#7d3c98", "#444444")
GREY = "#777777"


def curves(axes, runs_of, title, limit=100, colour_of=None):
    """Errors in percent against steps: runs_of is {label: [history]}, `colour_of` a label's colour.

    Lines are means over seeds; where they end, each seed is a point, hollow for training.
    """
    colour_of = colour_of or dict(zip(runs_of, colours(len(runs_of))))
    for label, histories in runs_of.items():
        steps = [record["step"] for record in histories[0]]
        for name, style in (("error", "--"), ("validation_error", "-")):
            errors = 100 * np.array([[record[name] for record in h] for h in histories])
            axes.plot(
                steps,
                errors.mean(axis=0),
                style,
                color=colour_of[label],
                linewidth=1.0 if style == "--" else 1.8,
                label=label if style == "-" else None,
            )
            points(axes, steps[-1], errors[:, -1], colour_of[label], hollow=style == "--")
    axes.set(title=title, xlabel="steps", ylabel="error (%)", ylim=(0, limit))
    axes.grid(axis="y", linestyle=":", color="#bbbbbb")
    axes.legend(frameon=False, title="-- training, — validation", title_fontsize=7)


def points(axes, place, values, colour, hollow=False, marker="o"):
    """A point a seed, all at one place of the x axis."""
    axes.scatter(
        np.full(len(values), place),
        values,
        s=16,
        marker=marker,
        facecolors="none" if hollow else colour,
        edgecolors=colour,
        linewidths=0.9,
        zorder=3,
    )


def chance(axes, classes):
    """The error of who guesses among so many classes, in percent: a dotted line."""
    level = 100 * (1 - 1 / classes)
    axes.axhline(level, linestyle=":", color=GREY, linewidth=1.2)
    axes.annotate(
        f"chance, {level:.1f} %".replace(".0 ", " "),
        (0.99, level),
        xycoords=("axes fraction", "data"),
        **dict(ha="right", va="bottom", fontsize=7, color=GREY),
    )


def headed(drawing, facts, more=""):
    """Says over a picture of which images it is: `facts` are `trainers.studies.states.facts`'."""
    size = facts["size"] if isinstance(facts["size"], list) else [facts["size"]] * 2
    drawing.suptitle(
        f"{facts['name']}: {facts['train_images']:,} images to train, "
        f"{facts['validation_images']:,} held out, {'x'.join(map(str, size))} px, "
        f"{facts['classes']:,} classes{more}",
        fontsize=9,
    )


def by_depth(axes, results, classes):
    """The last errors against depth, a point a seed: training hollow, plain nets as squares."""
    from zoo import specs

    chance(axes, classes)
    for kind, marker, colour in (("plain", "s", COLOURS[3]), ("resnet", "o", COLOURS[2])):
        nets = [label for label in results.histories if label.startswith(kind) and "," not in label]
        for net in nets:
            depth = specs.find(net).layers
            for errors, hollow in ((results.training(net), True), (results.validation(net), False)):
                points(axes, depth, 100 * np.array(errors), colour, hollow, marker)
        layers = [specs.find(net).layers for net in nets]
        means = [100 * np.mean(results.training(net)) for net in nets]
        axes.plot(layers, means, "--", color=colour, linewidth=0.9, label=kind)
    axes.set(title="last errors by depth", xlabel="layers", ylabel="error (%)", ylim=(0, 100))
    axes.legend(frameon=False, title="hollow: training, full: validation", title_fontsize=7)


def layer_norms(axes, norms_of, title, colour_of):
    """Gradient norms by layer, a line a seed, plain nets dashed: norms_of is {net: [[norm]]}."""
    for net, seeds in norms_of.items():
        style = "--" if net.startswith("plain") else "-"
        for number, norms in enumerate(seeds):
            label = net if number == 0 else None
            layers = range(1, len(norms) + 1)
            axes.plot(layers, norms, style, color=colour_of[net], linewidth=0.9, label=label)
    axes.set(title=title, xlabel="layer, in order", ylabel="norm of its gradient", yscale="log")
    axes.grid(axis="y", linestyle=":", color="#bbbbbb")


def colours(count):
    """`count` colours, repeated beyond the list."""
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
