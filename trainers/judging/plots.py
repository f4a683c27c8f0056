"""Pictures of an evaluation, as PNG files."""

import contextlib
import pathlib

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from zoo import files, lettering

RED, BLUE, GREY = "#c0392b", "#1f5fa8", "#888888"
LABELLED_CLASSES = 40  # more names than these cannot be read along an axis
MATRIX_CLASSES = 200  # of more, a cell has less than four pixels
PAIRS = 40
CHARACTERS = 30  # of a name along an axis


@contextlib.contextmanager
def figure(path, size, **layout):
    """A figure that becomes the file `path`: whole, or not at all; the same bytes every time."""
    settings = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with matplotlib.rc_context(settings):
        drawing = Figure(figsize=size, layout="constrained", **layout)
        yield drawing
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as temporary:
            drawing.savefig(temporary, dpi=110, metadata={"Software": None})


def confusion(path, counts, class_names):
    """The matrix where a person could read it, else the pairs; counts (P, 3) as `figures` has."""
    draw = confusion_matrix if len(class_names) <= MATRIX_CLASSES else confused_pairs
    draw(path, counts, class_names)


def confusion_matrix(path, counts, class_names):
    """The matrix (C, C) in shares of each true class, counts in the cells of small ones."""
    matrix = np.zeros((len(class_names),) * 2, np.int64)
    matrix[counts[:, 0], counts[:, 1]] = counts[:, 2]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    few = len(class_names) <= LABELLED_CLASSES
    side = max(4.0, 0.42 * len(class_names)) if few else 9.0
    with figure(path, (side + 0.8, side)) as drawing:
        axes = drawing.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xlabel="called", ylabel="true class")
        if few:
            names, style = lettering.drawn(class_names)
            names = [lettering.cut(name, CHARACTERS) for name in names]
            axes.set_xticks(range(len(names)), names, rotation=90, **style)
            axes.set_yticks(range(len(names)), names, **style)
            for true, called, images in counts:
                colour = "white" if shares[true, called] > 0.5 else "black"
                text = dict(ha="center", va="center", fontsize=7, color=colour)
                axes.text(called, true, images, **text)


def confused_pairs(path, counts, class_names):
    """The PAIRS that are confused most often, a bar for each, by images; ties by their numbers."""
    wrong = counts[counts[:, 0] != counts[:, 1]]
    most = wrong[np.argsort(-wrong[:, 2], kind="stable")][:PAIRS]
    with figure(path, (7.0, 0.8 + 0.22 * max(len(most), 1))) as drawing:
        axes = drawing.subplots()
        axes.barh(range(len(most)), most[:, 2], color=RED)
        names = [[lettering.cut(class_names[i], CHARACTERS) for i in x] for x in most[:, :2]]
        labels, style = lettering.drawn(f"{true} called {called}" for true, called in names)
        axes.set_yticks(range(len(most)), labels, fontsize=7, **style)
        axes.margins(y=0.01)
        axes.invert_yaxis()  # the first is at the top
        axes.set(
            xlabel=f"images; {len(wrong):,} pairs of {len(class_names):,} classes are confused"
        )


def reliability(path, bins, calibration_error):
    """Accuracy against confidence; a calibrated network's bars end on the diagonal."""
    images, confidences, accuracies = bins
    with figure(path, (4.2, 4.6)) as drawing:
        upper, lower = drawing.subplots(2, sharex=True, height_ratios=(3, 1))
        width = 1 / len(images)
        left = np.arange(len(images)) * width
        full = images > 0
        upper.bar(left[full], accuracies[full], width, align="edge", color=BLUE, edgecolor="white")
        upper.plot(confidences[full], accuracies[full], "o", color=RED, markersize=3)
        upper.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1)
        upper.set(ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
        upper.set_title(f"expected calibration error {calibration_error:.2%}", fontsize=9)
        lower.bar(left, images, width, align="edge", color=GREY, edgecolor="white")
        lower.set(xlabel="confidence", ylabel="images")


def contact_sheet(path, images, captions, columns=6, side=1.25):
    """Pictures (H, W, 3) uint8 of any sizes in a grid, each under two short lines.

    A picture fills a square of `side` inches. All lie in one pair of axes, in inches: axes for each
    would take most of the drawing's time.
    """
    rows = max(1, -(-len(images) // columns))
    width, height = side + 0.1, side + 0.5  # of a cell
    letters = round(22 * side / 1.25)
    with figure(path, (width * columns, height * rows)) as drawing:
        axes = drawing.subplots()
        for number, (image, caption) in enumerate(zip(images, captions)):
            row, column = divmod(number, columns)
            x, y = (column + 0.5) * width, (row + 1) * height - 0.05 - side / 2  # its middle
            high, wide = np.multiply(image.shape[:2], side / 2 / max(image.shape[:2]))
            sharp = "nearest" if max(image.shape) < 64 else "antialiased"
            axes.imshow(image, extent=(x - wide, x + wide, y + high, y - high), interpolation=sharp)
            lines, style = lettering.drawn(caption)
            lines = [lettering.cut(line, letters) for line in lines]
            place = dict(fontsize=7, ha="center", va="bottom")
            axes.text(x, y - high - 0.05, "\n".join(lines), **place, **style)
        if not len(images):
            axes.text(width / 2, 0.2, "no mistakes", fontsize=8, ha="center")
        axes.set(xlim=(0, width * columns), ylim=(height * rows, 0), aspect="equal")
        axes.axis("off")
