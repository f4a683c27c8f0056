"""Real images: those an artifact is compared on, and those its quantisation is calibrated on."""

import dataclasses

import numpy as np
import tensorflow as tf

from export import by_class
from export.errors import ExportError
from trainers.data import pipelines, recorded, skipped, whose
from zoo import headers, preprocess, progress

BATCH_SIZE = 32
CROPS = 16  # of each photograph
NAMED = 3  # of the files that were passed over


@dataclasses.dataclass(frozen=True)
class Images:
    """`pixels` (N, S, S, 3) float32 as evaluation sees them; `encoded` N files a client would send.

    `labels` (N,) or None where nobody knows them; `origin` says in words where they come from.
    `passed_over` names the files that cannot be read; `own`: not photographs of anything.
    """

    pixels: np.ndarray
    encoded: tuple[bytes, ...]
    labels: np.ndarray | None
    origin: str
    passed_over: tuple[str, ...] = ()
    own: bool = True

    def __len__(self):
        return len(self.encoded)

    def take(self, numbers):
        """Some of them, by their numbers, in that order."""
        labels = None if self.labels is None else self.labels[numbers]
        encoded = tuple(self.encoded[number] for number in numbers)
        return dataclasses.replace(
            self, pixels=self.pixels[numbers], encoded=encoded, labels=labels
        )


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What an export is made and judged with: images never trained on, and others to calibrate on.

    `calibration` is for the formats that measure ranges.
    """

    held_out: Images
    calibration: Images | None = None

    @property
    def measured(self):
        """The pixels that ranges are measured on, None where they are not."""
        return self.calibration.pixels if self.calibration else None


@dataclasses.dataclass(frozen=True)
class Asked:
    """Whose images: by name, by directory, or both; by neither those that `run_dir` recorded.

    `accepted`: although some of the run's own are not as they were.
    """

    data: str | None = None
    data_dir: str | None = None
    run_dir: str | None = None
    accepted: bool = False


OWN = Asked()


def gather(classifier, asked, count, calibrate=0):
    """The evidence of an export: `count` held-out images, and `calibrate` to train on, or none.

    ExportError where ranges are to be measured and nobody knows what the network is to see: those
    of other pictures give errors three to five times as large (rms 0.24 in place of 0.05).
    """
    if calibrate and not has_images(classifier, asked):
        raise ExportError(
            "int8 measures the ranges of a network's values on pictures of its own kind, and this "
            "network names none: give --data_dir=DIR with a folder a class, or take "
            "--quantize=dynamic, which measures nothing"
        )
    held_out = of_run(classifier, "validation", count, asked)
    if not calibrate:
        return Evidence(held_out)
    training = of_run(classifier, "train", 8 * calibrate, asked)
    chosen = by_class.stratified(training, calibrate)
    origin = f"{len(chosen)} of the {training.origin.partition(' of the ')[2]}"
    chosen = dataclasses.replace(chosen, origin=origin)
    return Evidence(without(held_out, chosen), chosen)


def has_images(classifier, asked):
    return bool(whose.name_of(classifier.facts.get("data", {}), asked.data, asked.data_dir))


def without(images, others):
    """The images whose files are not among the others: a copy of a picture proves nothing."""
    known = set(others.encoded)
    kept = [number for number, file in enumerate(images.encoded) if file not in known]
    if not kept:
        raise ExportError(
            "every picture to compare on is also one to calibrate on: expected validation pictures "
            "that are not among those to train on"
        )
    left_out = len(images) - len(kept)
    if not left_out:
        return images
    origin = f"{images.origin}, {left_out} left out that are copies of some to calibrate on"
    return dataclasses.replace(images.take(kept), origin=origin)


def of_run(classifier, split, limit, asked=OWN):
    """At most `limit` images of the classifier's own data, or of those asked for.

    Photographs if there are neither. Its own are those that `asked.run_dir` has recorded; DataError
    where they have changed since, unless that is `accepted`. ExportError where the data are of
    other classes: by their numbers each answer would be wrong.
    """
    own = classifier.facts.get("data", {})
    name = whose.name_of(own, asked.data, asked.data_dir)
    if not name:
        return photographs(classifier.contract, limit)
    options = {}
    if name == "synthetic":
        options = dict(image_size=classifier.image_size, num_classes=len(classifier.class_names))
    kept_in, facts = asked.run_dir, {**own, "name": name}
    if not whose.is_own(own, asked.data, asked.data_dir, name):
        kept_in, facts = (
            None,
            {**facts, "data_dir": asked.data_dir, "drawing": "hash", "hold_out": 0},
        )
    elif asked.data_dir:
        facts["data_dir"] = asked.data_dir
    source = recorded.load(kept_in, facts, [split], asked.accepted, **options)[split]
    if not classifier.headless:
        check_classes(source, classifier.class_names)
    return of_source(source, classifier.contract, limit)


def check_classes(source, class_names):
    if source.class_names == tuple(class_names):
        return
    own, theirs = set(class_names), set(source.class_names)
    differ = [f"without {name!r}" for name in class_names if name not in theirs]
    differ += [f"with {name!r}" for name in source.class_names if name not in own]
    raise ExportError(
        f"{source.name}: expected the network's {len(class_names)} classes, got "
        f"{source.num_classes}, {', '.join(differ[:3]) or 'in another order'}"
        f"{' ...' * (len(differ) > 3)}; give --data_dir with images of the classes that it was "
        "trained on"
    )


def of_source(source, contract, limit):
    """At most `limit` examples, drawn by the evaluation pipeline from every class.

    Those that cannot be read, or that `serve_bytes` would refuse, are passed over and named.
    """
    source = skipped.tolerant(source)
    batches = pipelines.evaluate(source, contract, batch_size=BATCH_SIZE, limit=limit)
    pixels, labels, encoded = [], [], []
    total = min(limit, source.length)
    batches = progress.over(batches, f"reading {source.split} images", total, BATCH_SIZE)
    for images, batch_labels, weights, index in batches:
        kept = weights.numpy() > 0  # the last batch is filled up
        fetched = source.fetch(index[kept])[0].numpy() if kept.any() else ()
        files = as_files(fetched, kept.any() and fetched.dtype == object)
        served = serves(files, index.numpy()[kept], contract, source.skipped)
        pixels.append(np.float32(images)[kept][served])
        labels.append(batch_labels.numpy()[kept][served])
        encoded += [file for file, good in zip(files, served, strict=True) if good]
    count, passed_over = len(encoded), tuple(source.skipped.names(source))
    named = ", ".join(name.partition("\t")[2] for name in passed_over[:NAMED])
    named += " ..." * (len(passed_over) > NAMED)
    if not count:
        raise ExportError(
            f"{source.name}: expected {source.split} images that can be read, got {named}"
        )
    origin = f"{count} of the {source.length} {source.split} images of {source.name}"
    if passed_over:
        origin += f", {len(passed_over)} passed over that cannot be read"
    return Images(
        np.concatenate(pixels), tuple(encoded), np.concatenate(labels), origin, passed_over
    )


def serves(files, index, contract, noted):
    """Which files an artifact decodes, (n,) bool; the others are noted, by index.

    It is stricter than evaluation: what claims no size, it does not read.
    """
    good = [bool(headers.is_safe(file, contract.bound_px)) for file in files]
    for number, is_good in zip(index, good, strict=True):
        if not is_good:
            noted.add(number)
    return np.array(good, bool)


def as_files(images, are_files):
    """What a client would send: the files themselves, or lossless PNG of (N, H, W, 3) pixels."""
    if are_files:
        return list(images)
    return [tf.io.encode_png(image).numpy() for image in images]


def photographs(contract, limit):
    """Crops of scikit-learn's two photographs, for a network without data of its own."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    crops = []
    for photograph in load_sample_images().images:
        for _ in range(CROPS):
            size = rng.integers(160, 401, size=2)
            top, left = rng.integers(0, np.array(photograph.shape[:2]) - size + 1)
            crops.append(photograph[top : top + size[0], left : left + size[1]])
    encoded = tuple(tf.io.encode_png(crop).numpy() for crop in crops[:limit])
    pixels = np.stack([preprocess.prepare(file, contract).numpy() for file in encoded])
    origin = (
        f"{len(encoded)} crops of scikit-learn's two photographs, for want of the network's own"
    )
    return Images(pixels, encoded, None, origin, own=False)
