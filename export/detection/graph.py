"""The detector as one graph that every exporter starts from: folded, its weights constants.

With variables for weights a TFLite file of it gives NaN without a word.
"""

import tensorflow as tf

from export import requests
from zoo.detection import boxes, network, preprocess
from zoo.detection.detect import detecting, detecting_by
from zoo.recursion import room_for
from zoo.surgery.fold import fold

OUTPUTS = ("boxes", "scores", "class_ids", "count")
SMALLEST = 1  # pixel a side of what stands in for a picture that was refused


def freeze(trained, canvas=(None, None)):
    """A tf.function without variables: images (1, H, W, 3) -> {name of OUTPUTS: tensor}.

    boxes (1, M, 4) in the pixels given, scores (1, M), class_ids (1, M) int32, count (1,) int32:
    best first; rows beyond the count are 0, their class -1. Height and width are the canvas', or
    free.
    """
    halves = network.parts(fold(trained.model))
    layers = len(trained.model.layers)
    kept = [(half, *weights(half)) for half in (halves.first, halves.second)]

    @tf.function(input_signature=[pixels(canvas)], autograph=False)
    def detect(images):
        parts = network.Parts(*(frozen(*each) for each in kept))
        with room_for(layers):
            found, *_ = detecting_by(parts, trained.detector)(images, size_of(images))
        return named(found)

    return detect


def weights(model):
    """Arrays of the trainable variables, and of the others."""
    both = model.trainable_variables, model.non_trainable_variables
    return [[v.numpy() for v in variables] for variables in both]


def frozen(model, trainable, others):
    """A half of the detector as a function of its inputs, its weights constants.

    The constants are made where it is called: made outside, each would become an ONNX input.
    """

    def call(inputs, training):
        constants = [[tf.constant(w) for w in arrays] for arrays in (trainable, others)]
        return model.stateless_call(*constants, inputs, training=training)[0]

    return call


def source(trained):
    """The trained network's own answer, unfolded: as `freeze`'s, of any height and width."""
    detect = detecting(trained.model, trained.detector)

    @tf.function(input_signature=[pixels((None, None))], autograph=False)
    def answer(images):
        with room_for(len(trained.model.layers)):
            found, *_ = detect(images, size_of(images))
        return named(found)

    return answer


def named(found):
    """decide.Detections by the names that clients use."""
    return dict(zip(OUTPUTS, (found.boxes, found.scores, found.classes, found.count)))


def size_of(images):
    """Height and width, constants if they are known: (1, H, W, 3) -> (1, 2) int32."""
    height, width = images.shape[1:3]
    if height is None or width is None:
        return tf.shape(images)[tf.newaxis, 1:3]
    return tf.constant([[height, width]])


def pixels(canvas):
    return tf.TensorSpec((1, *canvas, 3), tf.float32, "images")


def signatures(trained):
    """The concrete functions of a SavedModel, by signature name.

    detect        images (1, H, W, 3) float32 0-255 -> boxes in their pixels and the rest of OUTPUTS
    detect_bytes  image_bytes (B,) string -> boxes (B, M, 4) in each picture's own pixels, the way
                  it is seen, and the rest; class_names (B, M), "" beyond the count; ok (B,)
    """
    network = freeze(trained)
    # A lookup table would need an initialiser, which OpenVINO and tf.js do not run.
    names = tf.constant([*trained.class_names, ""])

    @tf.function(input_signature=[pixels((None, None))], autograph=False)
    def detect(images):
        return {name: tf.identity(x) for name, x in network(images).items()}

    @tf.function(
        input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")], autograph=False
    )
    def detect_bytes(image_bytes):
        specs = {name: tf.TensorSpec(x.shape[1:], x.dtype) for name, x in outputs.items()}
        specs["ok"] = tf.TensorSpec((), tf.bool)
        found = tf.map_fn(one, image_bytes, fn_output_signature=specs)
        ids = found["class_ids"]
        return {**found, "class_names": tf.gather(names, tf.where(ids < 0, len(names) - 1, ids))}

    def one(encoded):
        image, original, ok = requested(encoded, trained.contract)
        blank = {
            name: tf.fill(x.shape[1:], tf.cast(BLANK.get(name, 0), x.dtype))
            for name, x in outputs.items()
        }
        found = tf.cond(
            ok, lambda: in_picture(network(image[tf.newaxis]), image, original), lambda: blank
        )
        return {**found, "ok": ok}

    outputs = network.get_concrete_function().structured_outputs
    functions = (detect, detect_bytes)
    return {f.__name__: f.get_concrete_function() for f in functions}


BLANK = {"class_ids": -1}


def requested(encoded, contract):
    """One request's picture: () string -> (h, w, 3) float32, its own size (2,) int32, () bool.

    What is refused, as `requests.prepare` refuses it, is a blank and False.
    """

    def prepare(encoded):
        return preprocess.prepare(requests.safe(encoded, 1), contract)

    def blank():
        return tf.zeros((SMALLEST, SMALLEST, 3)), tf.ones(2, tf.int32)

    (image, original), ok = requests.attempted(encoded, prepare, blank)
    return image, original, ok


def in_picture(found, image, original):
    """One picture's answer, its boxes where they are in the picture as it was sent."""
    found = {name: x[0] for name, x in found.items()}
    scale = tf.cast(original, tf.float32) / tf.cast(tf.shape(image)[:2], tf.float32)
    moved = boxes.clip(found["boxes"] * tf.tile(scale, [2]), original)
    return {**found, "boxes": moved}
