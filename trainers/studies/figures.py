"""Pictures as the paper draws them: error curves (Fig. 4, 6) and layer responses (Fig. 7)."""

import numpy as np

COLOURS = ("#e0a000", "#2e8b57", "#1f5fa8", "#c0392b", "#7d3c98", "#444444")


def curves(axes, runs_of, title, limit=100):
    """Errors in percent against steps, the mean over seeds: runs_of is {label: [history]}."""
    for (label, histories), colour in zip(runs_of.items(), colours(len(runs_of))):
        steps = [record["step"] for record in histories[0]]
        for name, style in (("error", "--"), ("validation_error", "-")):
            errors = 100 * np.array([[record[name] for record in h] for h in histories])
            width = 1.0 if style == "--" else 1.8
            axes.plot(
                steps,
                errors.mean(axis=0),
                style,
                color=colour,
                linewidth=width,
                label=label if style == "-" else None,
            )
    axes.set(title=title, xlabel="steps", ylabel="error (%)", ylim=(0, limit))
    axes.grid(axis="y", linestyle=":", color="#bbbbbb")
    axes.legend(frameon=False, title="-- training, — validation", title_fontsize=7)


def responses(drawing, means):
    """Fig. 7, plain nets dashed: deviations in order and ranked; F / x of residual blocks below."""
    order, ranked, ratio = drawing.subplots(3, 1)
    for (label, mean), colour in zip(means.items(), colours(len(means))):
        stds = [row["std"] for row in mean["layers"]]
        ratios = [row["ratio"] for row in mean["blocks"]]
        style = "-" if ratios else "--"
        order.plot(range(1, len(stds) + 1), stds, style, color=colour, label=label)
        ranked.plot(range(1, len(stds) + 1), sorted(stds, reverse=True), style, color=colour)
        if ratios:
            ratio.plot(range(1, len(ratios) + 1), ratios, ".-", color=colour, label=label)
    order.set(xlabel="layer, in order", ylabel="std", ylim=(0, None))
    ranked.set(xlabel="layer, ranked by std", ylabel="std", ylim=(0, None))
    ratio.set(xlabel="residual block, in order", ylabel="F / x", ylim=(0, None))
    order.legend(frameon=False, ncols=4)


def colours(count):
    """`count` colours, repeated beyond the list."""
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
