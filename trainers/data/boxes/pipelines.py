"""(seed, step) -> batch of pictures with boxes, and every picture once for evaluation.

What `trainers.data.pipelines` is to pictures with a label. How large a batch is follows from the
sizes that the annotations tell, of all replicas' rows, so any number of replicas sees the same
pixels, with the same zeros around them.
"""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from trainers.data import sources
from trainers.data.augment import windows
from trainers.data.boxes import crops
from trainers.data.pipelines import WHOLE, as_written, example_indices, random_numbers
from trainers.data.stream import finish, stream
from zoo import limits
from zoo.detection import preprocess


@dataclasses.dataclass(frozen=True)
class BoxAugmentation:
    """What training does to a picture and its boxes: `shorter_px` are sizes to choose from.

    Each picture is mirrored half the time; without `shorter_px` its size is the contract's. With
    `crop_px` a random square of that side is cut out of it (App. C).
    """

    mirror: bool = True
    shorter_px: tuple[int, ...] = ()
    crop_px: int | None = None

    def __post_init__(self):
        if not all(map(limits.SIDE.holds, self.shorter_px)):
            raise ValueError(f"shorter_px: expected {limits.SIDE} each, got {self.shorter_px}")
        if self.crop_px is not None and not limits.SIDE.holds(self.crop_px):
            raise ValueError(f"crop_px: expected {limits.SIDE}, got {self.crop_px}")


@as_written
def train(source, contract, augmentation, *, batch_size, seed, steps, part=WHOLE, service=None):
    """Batches of `steps`, a range or (start, stop): for each step, for each replica of `part`.

    Elements: images (b, H, W, 3), targets, index (b,) int64, b = batch_size / replicas. Pixels are
    0-255: uint8 of arrays that have the network's size, else float32. `targets` are boxes
    (b, M, 4) in the batch's pixels, classes (b, M), ignore (b, M), and `size` (b, 2) int32, the
    picture's height and width in the batch: below and right of it are zeros. `key` (b, 2) int64 is
    each row's own, for what a task draws: the seed, and its place in training.
    """
    choices, crop_px = augmentation.shorter_px or (contract.shorter_px,), augmentation.crop_px

    def plan(number):
        step, replica = part.locate(number)
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        index = example_indices(positions, source.length, seed)
        drawn = random_numbers(seed, step, batch_size)["uniforms"]
        chosen = windows.integers(drawn[:, 3], len(choices))
        shorter = tf.gather(tf.constant(choices, tf.int32), chosen)
        mirrored = (drawn[:, 2] < 0.5) & augmentation.mirror
        key = tf.stack([tf.fill([batch_size], tf.cast(seed, tf.int64)), positions], axis=1)
        rows = {"index": index, "shorter": shorter, "mirrored": mirrored, "key": key}
        rows["canvas"] = canvas(source, contract, rows)
        if crop_px:
            rows["canvas"] = tf.minimum(rows["canvas"], crop_px)
            rows["corner"] = drawn[:, :2]
        return of_replica(rows, part.rows(replica, batch_size))

    start, stop = (steps.start, steps.stop) if isinstance(steps, range) else steps
    numbers = range(start * part.count, stop * part.count)
    batches = stream(source, preparing(source, contract, choices, crop_px), plan, numbers)
    return finish(batches, "images", "targets", "index", service=service)


@as_written
def evaluate(source, contract, *, batch_size, part=WHOLE, limit=None):
    """Batches that hold every picture once, for each replica of `part` in turn.

    Elements: images, targets, weights (b,) float32, index, as `train`'s; targets have `original`
    too, (b, 2) int32 height and width as seen. The last batches are filled up with the last picture
    at weight 0; so is what cannot be read, if it is passed over. `limit` takes that many pictures
    by a fixed permutation.
    """
    length = min(limit or source.length, source.length)

    def plan(number):
        step, replica = part.locate(number)
        position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        index = tf.minimum(position, length - 1)
        if length < source.length:
            index = example_indices(index, source.length, seed=0)
        rows = {
            "index": index,
            "shorter": tf.fill([batch_size], contract.shorter_px),
            "mirrored": tf.zeros([batch_size], tf.bool),
            "weights": tf.cast(position < length, tf.float32),
        }
        rows["canvas"] = canvas(source, contract, rows)
        return of_replica(rows, part.rows(replica, batch_size))

    numbers = range(-(-length // batch_size) * part.count)
    prepare = preparing(source, contract, (contract.shorter_px,))
    return finish(stream(source, prepare, plan, numbers), "images", "targets", "weights", "index")


def canvas(source, contract, rows):
    """The height and width that hold every row's picture, for each row: -> (B, 2) int32."""
    with tf.init_scope(), tf.device("cpu"):
        sizes = tf.constant(source.annotations.sizes, tf.int32)
    sides = tf.gather(sizes, rows["index"])
    largest = tf.reduce_max(preprocess.fitted(sides, rows["shorter"], contract.longer_px), axis=0)
    return tf.tile(largest[None], (sides.shape[0], 1))


def of_replica(rows, chosen):
    return {
        key: tf.ensure_shape(tf.gather(value, chosen), (chosen.shape[0], *value.shape[1:]))
        for key, value in rows.items()
    }


def preparing(source, contract, choices, crop_px=None):
    """`stream`'s: rows with images and labels -> rows with images and targets."""
    shape = source.image_shape
    sides = (
        {tuple(preprocess.fitted(shape[:2], px, contract.longer_px).numpy()) for px in choices}
        if shape
        else ()
    )
    as_it_is = shape and sides == {tuple(shape[:2])} and not crop_px
    work = at_size if as_it_is else functools.partial(one_by_one, crop_px)

    def prepare(rows):
        images, targets = work(rows, contract)
        kept = {key: rows[key] for key in ("index", "weights") if key in rows}
        keyed = {key: rows[key] for key in ("key",) if key in rows}
        return {**kept, "images": images, "targets": {**targets, **keyed}}

    return prepare


def at_size(rows, _):
    """Arrays that have the network's size, all together: -> images, targets."""
    images, mirrored = rows["images"], rows["mirrored"]
    size = tf.tile(tf.shape(images)[None, 1:3], (images.shape[0], 1))
    turned = tf.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return turned, {**moved(rows["labels"], size, size, mirrored), "size": size, "original": size}


def one_by_one(crop_px, rows, contract):
    """Each picture read, resized, perhaps mirrored, cropped to `crop_px` unless that is None.

    Filled up to the canvas: -> images, targets.
    """

    def one(row):
        image, canvas = row["images"], row["canvas"]
        image = preprocess.read(image, contract) if image.dtype == tf.string else image
        original = tf.shape(image)[:2]
        size = preprocess.fitted(original, row["shorter"], contract.longer_px)
        size = size if crop_px else within(size, canvas)
        image = preprocess.resize_to(image, size, contract)
        image = windows.mirrored(image, tf.where(row["mirrored"], 0.0, 1.0))
        corner = tf.zeros([2], tf.int32)
        if crop_px:
            corner = crops.corners(row["corner"], size, crop_px)
            image = crops.cut(image, corner, crop_px)
        below, right = tf.unstack(canvas - tf.shape(image)[:2])
        return tf.pad(image, [[0, below], [0, right], [0, 0]]), size, original, corner

    names = ("images", "canvas", "shorter", "mirrored", "corner")
    inputs = {key: rows[key] for key in names if key in rows}
    kinds = (tf.TensorSpec((None, None, 3)), *(tf.TensorSpec((2,), tf.int32),) * 3)
    if rows["images"].shape[0] == 1:
        made = one({key: value[0] for key, value in inputs.items()})
        images, size, original, corner = (value[None] for value in made)
    else:
        images, size, original, corner = tf.map_fn(one, inputs, fn_output_signature=kinds)
    targets = moved(rows["labels"], original, size, rows["mirrored"])
    targets = {**targets, "size": size, "original": original}
    return images, crops.moved(targets, corner, crop_px) if crop_px else targets


def within(size, canvas):
    """The size, smaller where the canvas is: of what stands in for a picture that cannot be read.

    (2,), (2,) -> (2,) int32, the sides' ratio kept.
    """
    (height, width), (most_high, most_wide) = tf.unstack(size), tf.unstack(canvas)
    by_width = tf.stack([tf.maximum(height * most_wide // width, 1), most_wide])
    by_height = tf.stack([most_high, tf.maximum(width * most_high // height, 1)])
    smaller = tf.where(height * most_wide <= most_high * width, by_width, by_height)
    return tf.where(tf.reduce_all(size <= canvas), size, smaller)


def moved(labels, original, size, mirrored):
    """Boxes where the resized, perhaps mirrored pictures have their pixels: -> labels.

    `original` and `size` (b, 2); boxes that fill up stay zeros.
    """
    scale = tf.cast(size, tf.float32) / tf.cast(original, tf.float32)
    boxes = labels["boxes"] * tf.concat([scale, scale], axis=-1)[:, None]
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    width = tf.cast(size[:, 1:], tf.float32)
    turned = tf.stack([y1, width - x2, y2, width - x1], axis=-1)
    boxes = tf.where(mirrored[:, None, None], turned, boxes)
    return {**labels, "boxes": tf.where(labels["classes"][..., None] >= 0, boxes, 0.0)}


def mean(source, contract, limit=256):
    """The mean colour of training pictures as the network sees them: (1, 1, 3) float32, 0-255."""
    total, count = np.zeros(3), 0
    for images, targets, weights, _ in evaluate(source, contract, batch_size=1, limit=limit):
        if weights.numpy()[0] > 0:
            height, width = targets["size"].numpy()[0]
            seen = images.numpy()[0, :height, :width]
            total, count = total + seen.mean(axis=(0, 1), dtype=np.float64), count + 1
    if not count:
        raise sources.DataError(f"{source.name}: expected pictures that can be read, found none")
    return (total / count).reshape(1, 1, 3).astype(np.float32)
