"""Grad-CAM (Selvaraju et al. 2017): which parts of a picture speak for a class."""

import dataclasses

import matplotlib
import numpy as np
import tensorflow as tf

import zoo
from trainers.judging import plots
from zoo import preprocess, resnet

COLOURS = "turbo"
STRENGTH = 0.65  # of the colour where a map is highest; the picture shows through
BATCH = 8
LEAST_PX = 128  # of a picture that is drawn: smaller ones are enlarged


class ExplanationError(ValueError):
    """A layer without a map, or a class that the network does not know."""


@dataclasses.dataclass(frozen=True)
class Explained:
    """A picture as the network saw it, (h, w, 3), and for each class asked for a map (h', w').

    `classes` are numbers, `probabilities` theirs.
    """

    image: np.ndarray
    classes: tuple[int, ...]
    probabilities: tuple[float, ...]
    maps: tuple[np.ndarray, ...]


def mapper(model, layer=None):
    """A function: images (B, h, w, 3), classes (B,) -> maps (B, h', w'), softmax (B, C); float32.

    Of the last map before the pooling, or of `layer`, a stage or a layer's name. Each channel
    weighs its mean slope of the class' logit (Eq. 1); what speaks against the class is cut off
    (Eq. 2). ExplanationError for a layer that has no map.
    """
    layer = layer or [name for name in resnet.stages(model) if name.startswith("conv")][-1]
    try:
        inner = zoo.features(model, [layer, "logits"])
    except ValueError as error:
        raise ExplanationError(str(error)) from None
    if len(inner.output[layer].shape) != 4:
        raise ExplanationError(
            f"--layer={layer}: expected a layer with a map, such as conv2 or conv3, got one whose "
            f"output has the shape {inner.output[layer].shape}"
        )

    @tf.function(reduce_retracing=True)
    def explain(images, classes):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            found = inner(images, training=False)
            chosen = tf.gather(found["logits"], classes, batch_dims=1)
        slopes = tf.cast(tape.gradient(chosen, found[layer]), tf.float32)
        weights = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
        maps = tf.nn.relu(tf.reduce_sum(weights * tf.cast(found[layer], tf.float32), axis=-1))
        return maps, tf.nn.softmax(found["logits"])

    return explain


def explained(explain, images, choose):
    """An Explained for each of a batch's images; `choose(i, row)` gives the i-th one's classes.

    `row` are its probabilities (C,). Each further class of an image costs another pass.
    """
    images = tf.cast(images, tf.float32)
    _, rows = explain(images, tf.zeros(len(images), tf.int32))
    rows = rows.numpy()
    classes = [tuple(choose(i, row)) for i, row in enumerate(rows)]
    turns = []
    for turn in range(max(map(len, classes))):
        asked = [c[min(turn, len(c) - 1)] for c in classes]
        turns.append(explain(images, tf.constant(asked, tf.int32))[0].numpy())
    return [
        Explained(
            images[i].numpy(),
            classes[i],
            tuple(float(rows[i, c]) for c in classes[i]),
            tuple(turns[turn][i] for turn in range(len(classes[i]))),
        )
        for i in range(len(images))
    ]


def of_mistakes(explain, source, mistakes, contract):
    """What `figures.worst` lists, each for what it was called and for what it is: yields Explained.

    A few at a time: a pass keeps all that the network computes of them.
    """
    number = {name: i for i, name in enumerate(source.class_names)}
    for start in range(0, len(mistakes), BATCH):
        some = mistakes[start : start + BATCH]
        images = [prepared(source, mistake["index"], contract) for mistake in some]
        asked = [(number[m["called"]], number[m["label"]]) for m in some]
        yield from explained(explain, tf.stack(images), lambda i, _, asked=asked: asked[i])


def prepared(source, index, contract):
    """One image of a source as evaluation shows it to the network: -> (h, w, 3) float32."""
    images, _ = source.fetch(np.array([index]))
    if images.dtype == tf.string:
        return preprocess.prepare(images[0], contract)
    return preprocess.resize_crop(images[0], contract)


def draw(path, found, class_names, labels=None, side=1.25):
    """The picture of each, and beside it its maps over it; `labels` are captions of the pictures.

    Where there are many, as many stand in a row as six columns hold.
    """
    images, captions = [], []
    for each, label in zip(found, labels or [""] * len(found), strict=True):
        image = enlarged(np.clip(each.image, 0, 255).astype(np.uint8))
        images += [image, *(over(image, heat) for heat in each.maps)]
        pairs = zip(each.classes, each.probabilities)
        captions += [(label,), *((class_names[c], f"{p:.1%}") for c, p in pairs)]
    width = len(images) // len(found) if found else 1
    columns = width if len(found) < 2 else max(1, 6 // width) * width
    plots.contact_sheet(path, images, captions, columns=columns, side=side)


def enlarged(image):
    """A small picture made larger by whole steps, so that a map over it is smooth."""
    times = -(-LEAST_PX // max(image.shape[:2]))
    return np.repeat(np.repeat(image, times, axis=0), times, axis=1)


def over(image, heat):
    """The map in colour over the picture: (H, W, 3) uint8, (h', w') -> (H, W, 3) uint8.

    Its highest value has the strongest colour; where it is 0 the picture is as it was.
    """
    large = tf.image.resize(heat[..., None], image.shape[:2], method="bilinear").numpy()
    large = large / max(float(heat.max()), np.finfo(np.float32).tiny)
    colour = 255 * matplotlib.colormaps[COLOURS](large[..., 0])[..., :3]
    share = STRENGTH * np.clip(large, 0, 1)
    return np.uint8(np.round(image * (1 - share) + colour * share))
