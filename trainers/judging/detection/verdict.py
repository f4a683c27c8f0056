"""An evaluation of detections on disk and on the console: `evaluation.json`, pictures, a table."""

import dataclasses
import pathlib

import numpy as np

from trainers.judging.detection import coco, curves, mistakes, objects, recall, results, sheets, voc
from zoo import disks, files

METRICS = {
    "coco": "AP (IoU .50:.95)",
    "voc": "AP (VOC, area)",
    "voc07": "AP (VOC 2007, 11 points)",
}
WRITTEN = (
    "evaluation.json",
    "detections.json",
    "classes.csv",
    "curves.png",
    "detections.png",
    "misses.png",
    "false_alarms.png",
)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a detector made of pictures: what is there, what it found, and what it could have.

    `overlap` (N,) is each object's best with a proposal, None where those are not known.
    """

    truth: objects.Truth
    found: objects.Found
    overlap: np.ndarray | None = None
    least_shown: float = sheets.SHOWN_SCORE


def judge(seen, metric):
    """What `evaluation.json` says, then curves, misses, false alarms; figures are fractions.

    COCO's figures are there for `metric` "coco" alone, which needs pycocotools.
    """
    truth, found = seen.truth, seen.found
    verdicts, whose = voc.match(truth, found)
    lines = voc.curves(truth, found, verdicts)
    classes = per_class(truth, found, lines)
    result = {
        "pictures": len(truth.pictures),
        "objects": int(truth.counted.sum()),
        "ignored": int(truth.ignore.sum()),
        "detections": len(found.scores),
        "metric": metric,
    }
    if metric == "coco":
        result["coco"], of_classes = coco.judge(truth, found)
        classes = [one | figures for one, figures in zip(classes, of_classes, strict=True)]
    result |= {name: coco.mean([one[name] for one in classes]) for name in ("voc", "voc07")}
    result["ap"] = result["coco"]["ap"] if metric == "coco" else result[metric]
    missed = mistakes.misses(truth, found, verdicts, whose)
    alarms = mistakes.false_alarms(truth, found, verdicts, whose)
    result["missed"] = mistakes.counted(missed, mistakes.MISSES)
    result["false_alarms"] = mistakes.counted(alarms, mistakes.ALARMS)
    if seen.overlap is not None:
        result["proposals"] = recall.judge(truth, seen.overlap)
    return {**result, "classes": classes}, lines, missed, alarms


def per_class(truth, found, lines):
    """A list in the order of the classes; figures are None without an object."""
    seen = np.bincount(found.classes, minlength=len(truth.class_names))
    return [
        {
            "name": name,
            "objects": line.objects,
            "detections": int(detections),
            "voc": voc.area(line),
            "voc07": voc.eleven_points(line),
            **curves.balance(line),
        }
        for name, line, detections in zip(truth.class_names, lines, seen, strict=True)
    ]


def write(directory, head, seen, metric, source, contract):
    """WRITTEN, into a directory that need not be there: -> what evaluation.json says."""
    directory, truth, found = pathlib.Path(directory), seen.truth, seen.found
    result, lines, missed, alarms = judge(seen, metric)
    missed, alarms = missed[: mistakes.SHOWN], alarms[: mistakes.SHOWN]
    worst = {
        "worst_misses": [mistakes.as_fields(x, truth, found, truth, source) for x in missed],
        "worst_false_alarms": [mistakes.as_fields(x, truth, found, found, source) for x in alarms],
    }
    result = {**head, **result, **worst}
    read = sheets.reader(source, contract)
    with disks.told(directory):
        directory.mkdir(parents=True, exist_ok=True)
        files.write_json(directory / "evaluation.json", result)
        results.write(directory / "detections.json", truth, found)
        curves.write(directory / "classes.csv", result["classes"])
        curves.draw(directory / "curves.png", lines, truth.class_names)
        sheets.pairs(directory / "detections.png", truth, found, read)
        sheets.misses(directory / "misses.png", missed, truth, found, read)
        sheets.false_alarms(directory / "false_alarms.png", alarms, truth, found, read)
    return result


def as_table(result):
    """What a person reads: the figures, what goes wrong, and the classes that are hardest."""
    rows = {METRICS[result["metric"]]: result["ap"]}
    if result["metric"] == "coco":
        figures = result["coco"]
        rows |= {"AP50": figures["ap50"], "AP75": figures["ap75"]}
        sizes = ("small", "medium", "large")
        rows["AP by size"] = [(figures[f"ap_{size}"], size) for size in sizes]
        rows["recall of 1, 10, 100"] = [(figures[f"ar{n}"], "") for n in (1, 10, 100)]
        rows["recall by size"] = [(figures[f"ar_{size}"], size) for size in sizes]
        rows["AP50 (VOC, area)"] = result["voc"]
    lines = [f"  {name:<26}{shown(value)}" for name, value in rows.items()]
    return "\n".join(
        [heading(result), *lines, *covered(result), *wrong(result), *of_classes(result)]
    )


def heading(result):
    step = f" at step {result['step']:,}" if result.get("step") else ""
    how = "".join(f", {word}" for word in result.get("how", ()))
    return (
        f"{result['network']}{step} on {result['pictures']:,} pictures of {result['data']} "
        f"({result['split']}) with {result['objects']:,} objects, weights {result['weights']}{how}"
    )


def shown(value):
    """A fraction as percent, or several with what each is of."""
    if isinstance(value, list):
        return " ".join(f"{shown(x)} {name}".rstrip() for x, name in value)
    return f"{'none':>8}" if value is None else f"{value:8.2%}"


def covered(result):
    if "proposals" not in result:
        return []
    found = [(one["all"], f"at IoU .{iou[0]}") for iou, one in result["proposals"].items()]
    return [f"  {'proposals cover':<26}{shown(found)}"]


def wrong(result):
    """How many objects are missed, and how many sure detections are wrong, by kinds."""
    return [
        f"  {'objects missed':<26}{kinds(result['missed'])}",
        f"  {f'false alarms from {mistakes.SURE:.0%}':<26}{kinds(result['false_alarms'])}",
    ]


def kinds(counts):
    """How many, and of which kinds."""
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    return f"{sum(counts.values()):8,}{': ' if told else ''}{told}"


def of_classes(result):
    """The hardest classes, and those that no object was there of."""
    name = "ap" if result["metric"] == "coco" else result["metric"]
    asked = [one for one in result["classes"] if one[name] is not None]
    hardest = sorted(asked, key=lambda one: one[name])[:3]
    lines = []
    if hardest:
        told = ", ".join(f"{one['name']} {one[name]:.1%}" for one in hardest)
        lines.append(f"  {'hardest classes':<26}{told}")
    absent = [one["name"] for one in result["classes"] if not one["objects"]]
    if absent:
        told = ", ".join(absent[:3]) + ", ..." * (len(absent) > 3)
        many = f"{len(absent):,} class{'es' * (len(absent) > 1)}"
        lines.append(f"  {'without an object':<26}{many}, in no mean: {told}")
    return lines
