"""Real images: those an artifact is compared on, and those its quantisation is calibrated on."""

import dataclasses

import numpy as np
import tensorflow as tf

from export.classifier import ExportError
from trainers.data import pipelines, recorded, skipped
from zoo import preprocess, progress

BATCH_SIZE = 32
CROPS = 16  # of each photograph


@dataclasses.dataclass(frozen=True)
class Images:
    """`pixels` (N, S, S, 3) float32 as evaluation sees them; `encoded` N files a client would send.

    `labels` (N,) or None where nobody knows them; `origin` says in words where they come from.
    """

    pixels: np.ndarray
    encoded: tuple[bytes, ...]
    labels: np.ndarray | None
    origin: str

    def __len__(self):
        return len(self.encoded)

    def first(self, count):
        labels = None if self.labels is None else self.labels[:count]
        return Images(self.pixels[:count], self.encoded[:count], labels, self.origin)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What an export is made and judged with: images never trained on, and calibration pixels.

    `calibration` (N, S, S, 3) is for the formats that measure ranges.
    """

    held_out: Images
    calibration: np.ndarray | None = None


def of_run(classifier, split, limit, data_dir=None, run_dir=None, accepted=False):
    """At most `limit` images of the classifier's own data; photographs if it names none.

    Its own are those that `run_dir` has recorded; DataError where they have changed since, unless
    that is `accepted`. ExportError where the data are of other classes: by their numbers each
    answer would be wrong.
    """
    data = classifier.facts.get("data", {})
    if not data.get("name"):
        return photographs(classifier.contract, limit)
    options = {}
    if data["name"] == "synthetic":
        options = dict(image_size=classifier.image_size, num_classes=len(classifier.class_names))
    facts = {**data, "data_dir": data_dir or data.get("data_dir")}
    source = recorded.load(run_dir, facts, [split], accepted, **options)[split]
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

    Those that cannot be read are passed over, as in training, and counted in `origin`.
    """
    source = skipped.tolerant(source)
    batches = pipelines.evaluate(source, contract, batch_size=BATCH_SIZE, limit=limit)
    pixels, labels, encoded = [], [], []
    total = min(limit, source.length)
    batches = progress.over(batches, f"reading {source.split} images", total, BATCH_SIZE)
    for images, batch_labels, weights, index in batches:
        kept = weights.numpy() > 0  # the last batch is filled up
        pixels.append(np.float32(images)[kept])
        labels.append(batch_labels.numpy()[kept])
        encoded += as_files(source.fetch(index)[0].numpy()[kept])
    count, passed_over = len(encoded), len(source.skipped.indices)
    if not count:
        raise ExportError(f"{source.name}: expected {source.split} images that can be read")
    origin = f"{count} of the {source.length} {source.split} images of {source.name}"
    if passed_over:
        origin += f", {passed_over} passed over that cannot be read"
    return Images(np.concatenate(pixels), tuple(encoded), np.concatenate(labels), origin)


def as_files(images):
    """What a client would send: the files themselves, or lossless PNG of (N, H, W, 3) pixels."""
    if images.dtype == object:
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
    return Images(pixels, encoded, None, f"{len(encoded)} crops of scikit-learn's photographs")


def stratified(images, count):
    """`count` of the images, class by class in turn: Images -> (count, S, S, 3)."""
    if images.labels is None:
        return images.pixels[:count]
    rank = np.zeros(len(images), np.int64)  # the how-many-eth of its class an image is
    for label in np.unique(images.labels):
        rank[images.labels == label] = np.arange(np.sum(images.labels == label))
    return images.pixels[np.sort(np.argsort(rank, kind="stable")[:count])]
