"""Precision against recall of each class, as a picture, and the classes' figures as CSV."""

import csv

import numpy as np

from trainers.judging import plots
from trainers.judging.detection import drawing, voc
from zoo import files, lettering

NAMED = 10  # of more classes only the best and the worst have a name and a colour
ENDS = 4  # of them, at each end
COLUMNS = ("name", "objects", "detections", "ap", "ap50", "ap75", "ar100", "voc", "voc07")
BALANCE = ("best_score", "precision", "recall")


def draw(path, curves, class_names):
    """A line a class at IoU .5; classes without an object have none, a legend names by area."""
    areas = [voc.area(curve) for curve in curves]
    seen = [number for number, area in enumerate(areas) if area is not None]
    order = sorted(seen, key=lambda number: -areas[number])
    named = order if len(order) <= NAMED else [*order[:ENDS], *order[-ENDS:]]
    names, style = lettering.drawn(class_names[n] for n in named)
    names = {n: lettering.cut(name, 30) for n, name in zip(named, names, strict=True)}
    with plots.figure(path, (6.2, 4.2)) as drawing_:
        axes = drawing_.subplots()
        for number in order:
            if number not in names:
                axes.plot(*steps(curves[number]), color="#cccccc", linewidth=0.7, zorder=1)
        for number in named:
            label = f"{areas[number]:.2f}  {names[number]}"
            colour = np.divide(drawing.colour(number), 255)
            axes.plot(*steps(curves[number]), color=colour, linewidth=1.4, label=label)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.set_title(title(len(seen), len(named)), fontsize=9)
        if named:
            legend = axes.legend(
                frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), title="AP at .5"
            )
            for text in legend.get_texts():
                text.set(**style)


def title(seen, named):
    if not seen:
        return "no class has an object"
    best = f"; named are the best and the worst {ENDS}" if named < seen else ""
    return f"IoU {voc.IOU_LEAST:g}, {seen:,} {'class' if seen == 1 else 'classes'}{best}"


def steps(curve):
    """The points of a line that begins at recall 0: -> recalls, precisions."""
    if not len(curve.precision):
        return [0], [0]
    return np.append(0, curve.recall), np.append(curve.precision[0], curve.precision)


def balance(curve):
    """The score from which precision and recall are at their best together, by F1: -> dict."""
    found = curve.right > 0
    if not found.any():
        return dict.fromkeys(BALANCE)
    precision, recall = curve.precision[found], curve.recall[found]
    best = int(np.argmax(2 * precision * recall / (precision + recall)))
    values = curve.scores[found][best], precision[best], recall[best]
    return dict(zip(BALANCE, map(float, values)))


def write(path, classes):
    """The classes' figures as CSV; what there is none of stays empty."""
    columns = [name for name in (*COLUMNS, *BALANCE) if name in classes[0]]
    with (
        files.replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for one in classes:
            writer.writerow({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in one.items()})
