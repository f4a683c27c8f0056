"""Precision, recall and F1 of the classes as a person reads them, and as a table for programs."""

import textwrap

from trainers.judging.figures import PER_CLASS

MOST = 20  # classes that are printed; of more, those of the lowest F1
COLUMNS = ("row", "class", "images", "error", *PER_CLASS)
WIDTH = 20  # characters of a class' name


def rows(result):
    """The header and the rows of `classes.csv`: a row a class, then its two means."""
    classes = [("class", *(c[key] for key in ("name", *COLUMNS[2:]))) for c in result["classes"]]
    errors = {"macro": None, "weighted": result["error"]}  # by images it is that of all images
    means = [
        (f"{name} mean", None, result["images"], errors[name], *(mean[f] for f in PER_CLASS))
        for name, mean in result["means"].items()
    ]
    return COLUMNS, [*classes, *means]


def lines(result):
    """A line a class, and the means."""
    there = [c for c in result["classes"] if c["recall"] is not None]
    head, chosen = "", there
    if len(there) > MOST:
        chosen = sorted(there, key=lambda c: c["f1"])[:MOST]
        head = f"the {MOST} of lowest F1 of {len(there):,}"
    return [
        f"  {head:<31}{'images':>8}{'precision':>11}{'recall':>9}{'F1':>9}",
        *(_line(shortened(c["name"]), c["images"], c) for c in chosen),
        *(_line(f"{name} mean", result["images"], m) for name, m in result["means"].items()),
    ]


def shortened(name):
    return textwrap.shorten(name, WIDTH, placeholder="...")


def _line(name, images, figures):
    return (
        f"    {name:<29}{images:>8,}{figures['precision']:>11.2%}"
        f"{figures['recall']:>9.2%}{figures['f1']:>9.2%}"
    )
