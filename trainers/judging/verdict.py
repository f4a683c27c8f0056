"""An evaluation on disk and on the console: `evaluation.json`, its pictures, a table."""

import pathlib

import numpy as np
import tensorflow as tf

from trainers.data.sources import listing
from trainers.judging import class_table, figures, plots
from zoo import disks, files, preprocess

PICTURES = ("confusion.png", "reliability.png", "worst.png")
TABLE = "classes.csv"
SHOWN_PX = 512  # more than a contact sheet has for one; thirty photographs take 6 GB as they are


def head(run_dirs, manifests, source, look, weights):
    """What was judged, and on what; an ensemble has a list of members."""
    members = [
        {"run_dir": str(run_dir), "network": manifest.network.name, "step": manifest.step}
        for run_dir, manifest in zip(run_dirs, manifests, strict=True)
    ]
    return {
        "network": " + ".join(member["network"] for member in members),
        "step": manifests[0].step if len(manifests) == 1 else None,
        "members": members,
        "weights": weights,
        "data": source.name,
        "split": source.split,
        "views": look.views,
        "mirrors": look.mirrors and look.views != "center",
        **({"left_out": source.listing.left_out} if source.listing else {}),
    }


def write(directory, result, scores, source, contract):
    """`evaluation.json`, TABLE, PICTURES into a directory that need not be there: -> the first."""
    directory = pathlib.Path(directory)
    with disks.told(directory):
        directory.mkdir(parents=True, exist_ok=True)
        mistakes = worst(directory / "worst.png", scores, source, contract)
        result = {**result, "worst": mistakes}
        files.write_json(directory / "evaluation.json", result)
        files.write_csv(directory / TABLE, *class_table.rows(result))
        counts = figures.confusion(scores.probabilities, scores.labels)
        plots.confusion(directory / "confusion.png", counts, source.class_names)
        bins = figures.bins(scores.probabilities, scores.labels)
        plots.reliability(directory / "reliability.png", bins, result["calibration_error"])
    return result


def worst(path, scores, source, contract):
    """The worst mistakes as a picture, what they are and what they were called: -> the list."""
    mistakes = figures.worst(scores, source)
    captions = [
        (f"{m['label']}: {m['probability_of_label']:.1%}", f"{m['called']}? {m['probability']:.1%}")
        for m in mistakes
    ]
    images = [picture(source, mistake["index"], contract) for mistake in mistakes]
    plots.contact_sheet(path, images, captions)
    return mistakes


def picture(source, index, contract):
    """One image as the network is shown it, but whole, and small: -> (H, W, 3) uint8."""
    images, _ = source.fetch(np.array([index]))
    image = images[0] if source.image_shape else preprocess.read(images[0], contract)
    return shrunk(image).numpy()


def shrunk(image):
    """An image whose longer side is above SHOWN_PX made that long: (H, W, 3) -> (h, w, 3) uint8."""
    height, width = image.shape[:2]
    scale = SHOWN_PX / max(height, width)
    if scale >= 1:
        return image
    size = [max(1, round(side * scale)) for side in (height, width)]
    small = tf.image.resize(image, size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(small), 0, 255), tf.uint8)


def as_table(result):
    """What a person reads: the errors, and the classes that are hardest."""
    step = f" at step {result['step']:,}" if result["step"] else ""
    lines = [
        f"{result['network']}{step} on {result['images']:,} images of {result['data']} "
        f"({result['split']}), views {result['views']}, weights {result['weights']}",
        f"  top-1 error          {result['error']:8.2%}",
        f"  top-5 error          {result['error_top5']:8.2%}",
        f"  loss                 {result['loss']:8.4f}",
        f"  calibration error    {result['calibration_error']:8.2%}",
    ]
    if result.get("left_out"):
        lines.append(f"  left out             {listing.as_text(result['left_out'])}")
    if len(result["members"]) > 1:
        for member in result["members"]:
            lines.append(f"    alone: {member['network']:<12} {member['error']:8.2%}")
    seen = [c for c in result["classes"] if c["images"]]
    hardest = sorted(seen, key=lambda c: -c["error"])[:3]
    lines.append(
        "  hardest classes      " + ", ".join(f"{c['name']} {c['error']:.1%}" for c in hardest)
    )
    return "\n".join([*lines, *class_table.lines(result)])
