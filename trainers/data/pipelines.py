"""(seed, step) -> batch, and every example once for evaluation.

A training batch is a pure function of (seed, step): resuming is arithmetic, and any number of
replicas shares the same global batch.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data import augment
from trainers.data.augment import Augmentation, mix
from trainers.data.sources import DataError
from trainers.data.stream import finish, stream
from zoo import headers, preprocess, progress

NO_AUGMENTATION = Augmentation("none")
# Nothing here branches on tensors: AutoGraph would only take its second to convert it.
as_written = tf.autograph.experimental.do_not_convert
MEAN_LIMIT = 4096  # encoded images: a standard error of about 1 of 255 a channel is enough


@dataclasses.dataclass(frozen=True)
class Slice:
    """The replicas that this process feeds: `count` from `first` on, of `replicas` in all."""

    replicas: int = 1
    first: int = 0
    count: int = 1

    def __post_init__(self):
        if self.first < 0 or self.count < 1 or self.first + self.count > self.replicas:
            raise ValueError(f"expected a part of {self.replicas} replicas, got {self}")

    def locate(self, number):
        """The how-many-eth batch of this process -> its step and its replica among all."""
        return number // self.count, self.first + number % self.count

    def rows(self, replica, batch_size: int):
        """The replica's rows of the global batch: () -> (batch_size / replicas,) int64."""
        if batch_size < 1 or batch_size % self.replicas:
            raise ValueError(
                f"batch_size: expected a multiple of {self.replicas} replicas, got {batch_size}"
            )
        per_replica = batch_size // self.replicas
        return replica * per_replica + tf.range(per_replica, dtype=tf.int64)


WHOLE = Slice()


@as_written
def train(source, contract, augmentation, *, batch_size, seed, steps, part=WHOLE, service=None):
    """Batches of `steps`, a range or (start, stop): for each step, for each replica of `part`.

    Elements: images (b, S, S, 3), labels (b,) int32, index (b,) int64, b = batch_size / replicas.
    Pixels are 0-255: uint8 where nothing made fractions of them, else float32. Mixed images have
    labels (b, classes) float32. `service` is a tf.data service's address: `stream.finish`.
    """

    def plan(number):
        step, replica = part.locate(number)
        rows = part.rows(replica, batch_size)
        drawn = random_numbers(seed, step, batch_size, augmentation)
        return {
            "index": example_indices(step * batch_size + rows, source.length, seed),
            **{name: tf.gather(numbers, rows) for name, numbers in drawn.items()},
        }

    start, stop = (steps.start, steps.stop) if isinstance(steps, range) else steps
    numbers = range(start * part.count, stop * part.count)

    def prepare(rows):
        return {**rows, "images": augment.apply(rows["images"], rows, contract, augmentation)}

    def mixed(rows):
        kinds = augmentation.mixup > 0, augmentation.cutmix > 0
        images, labels = mix.mix(
            rows["images"], rows["labels"], rows["mixing"][0], source.num_classes, kinds
        )
        return {**rows, "images": images, "labels": labels}

    batches = stream(source, prepare, plan, numbers)
    batches = batches.map(mixed) if augmentation.mixes else batches
    return finish(batches, "images", "labels", "index", service=service)


@as_written
def evaluate(source, contract, *, batch_size, part=WHOLE, limit=None, look=None):
    """Batches that hold every example once, for each replica of `part` in turn.

    Elements: images, labels, weights (b,) float32, index, as `train`'s. The last batches are
    filled up with the last example at weight 0; every replica gets equally many. `limit` takes
    that many examples by a fixed permutation, so of every class. `look` takes the place of the
    contract's size, of which `resize_px` still bounds what is read: a function
    (n, H, W, 3) -> (n, ...), n = 1 for encoded images.
    """
    length = min(limit or source.length, source.length)

    def plan(number):
        step, replica = part.locate(number)
        position = step * batch_size + part.rows(replica, batch_size)
        index = tf.minimum(position, length - 1)
        if length < source.length:
            index = example_indices(index, source.length, seed=0)
        return {"index": index, "weights": tf.cast(position < length, tf.float32)}

    numbers = range(-(-length // batch_size) * part.count)

    def seen(images, rows):
        if look is None:
            return augment.apply(images, rows, contract, NO_AUGMENTATION)
        if images.dtype == tf.string:
            return augment.each(lambda image, _: look(decoded(image)[None])[0], images, {})
        return look(images)

    def decoded(image):
        return preprocess.read(headers.bounded(image, contract.bound_px), contract)

    def prepare(rows):
        return {**rows, "images": seen(rows["images"], rows)}

    batches = stream(source, prepare, plan, numbers)
    return finish(batches, "images", "labels", "weights", "index")


def mean(source, contract, kind: str, *, limit: int | None = None):
    """The mean image (S, S, 3), `kind` "pixel", or colour (1, 1, 3), "channel": float32, 0-255.

    Over the examples as evaluation sees them (Sec. 3.4, 4.2); of encoded ones over MEAN_LIMIT.
    """
    if kind not in ("pixel", "channel"):
        raise ValueError(f"mean: expected 'pixel' or 'channel', got {kind!r}")
    limit = limit or (source.length if source.image_shape else MEAN_LIMIT)
    total, count = 0.0, 0.0
    batches = evaluate(source, contract, batch_size=64, limit=limit)
    for images, _, weights, _ in progress.over(
        batches, "averaging images", min(limit, source.length), 64
    ):
        kept = images.numpy()[weights.numpy() > 0]
        total, count = total + kept.sum(axis=0, dtype=np.float64), count + len(kept)
    if not count:
        raise DataError(
            f"{source.name}: expected pictures that can be read among those to train on, found "
            f"none of {limit:,}; the first is {source.files[0] if source.files else 'number 0'}"
        )
    pixel = total / count
    chosen = pixel if kind == "pixel" else pixel.mean(axis=(0, 1), keepdims=True)
    return chosen.astype(np.float32)


def example_indices(position, length: int, seed: int):
    """The examples at positions of the endless training stream: (n,) int64 -> (n,) int64.

    Position p is in epoch p // length, which is a permutation of its own; (n,) is of one batch.
    """
    epoch, offset = position // length, position % length

    def shuffled(one_epoch):
        # One epoch a call: with a batch of seeds the op of TensorFlow 2.21 fails.
        return tf.random.experimental.index_shuffle(
            offset, seed=tf.stack([tf.cast(seed, tf.int64), one_epoch]), max_index=length - 1
        )

    epochs = tf.range(epoch[0], epoch[-1] + 1)  # one or two, unless the batch is larger than a set
    table = tf.map_fn(shuffled, epochs)
    chosen = tf.stack([epoch - epoch[0], tf.range(tf.size(position, tf.int64))], axis=1)
    return tf.gather_nd(table, chosen)


def random_numbers(seed: int, step, batch_size: int, augmentation=NO_AUGMENTATION):
    """The randomness of a whole global batch, a row an image: {name: (B, n) float32}.

    `uniforms` in [0, 1) and `normals` always, `more` uniforms and `mixing`, which is the same in
    every row, where the augmentation needs them.
    """
    key = tf.stack([tf.cast(seed, tf.int64), step])
    uniforms = tf.random.stateless_uniform((batch_size, 4), key, alg="philox")
    normals = tf.random.stateless_normal((batch_size, 3), tf.random.fold_in(key, 1), alg="philox")
    drawn = {"uniforms": uniforms, "normals": normals}
    if augmentation.draws_more:
        shape, other_key = (batch_size, augment.MORE_DRAWS), tf.random.fold_in(key, 2)
        drawn["more"] = tf.random.stateless_uniform(shape, other_key, alg="philox")
    if augmentation.mixes:
        numbers = mix.draws(seed, step, augmentation.mixup, augmentation.cutmix)
        drawn["mixing"] = tf.tile(numbers[None], (batch_size, 1))
    return drawn
