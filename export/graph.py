"""The serving graph that every exporter starts from: folded, float32, of one shape of images.

With constants for weights it is fastest: the runtime may lay a weight out for its processor once,
and fold what depends on weights alone. With variables it starts faster.
"""

import tensorflow as tf

from export import requests
from zoo import resnet, sizes
from zoo.recursion import room_for
from zoo.surgery.fold import fold

TOP = 5  # as in the paper's top-5 error


def freeze(model, image_size):
    """A tf.function without variables: (B, S, S, 3) float32 -> {"conv2": map, ..., "logits"}.

    The keys are those of `resnet.stages`. Every caller shares its one copy of the weights, and
    pays only for the outputs that it reads.
    """
    return network_of(model, image_size, lambda weight: lambda: tf.constant(weight))


def restored(model, image_size):
    """The same with weights that are restored when it is loaded: -> (function, variables)."""
    variables = []

    def kept(weight):
        variable = tf.Variable(weight, trainable=False, name=f"weight_{len(variables)}")
        variables.append(variable)
        return lambda: tf.identity(variable)

    return network_of(model, image_size, kept), variables


def network_of(model, image_size, kept):
    """`kept` maps a weight's array to what makes its tensor within the function."""
    maps = resnet.features(fold(model))
    trainable = [kept(v.numpy()) for v in maps.trainable_variables]
    others = [kept(v.numpy()) for v in maps.non_trainable_variables]

    @tf.function(input_signature=[pixels(image_size)], autograph=False)
    def network(images):
        # A signature's own shape is not looked at by the loaded function, nor by servers.
        images = tf.ensure_shape(images, pixels(image_size).shape)
        with room_for(len(maps.layers)):
            outputs, _ = maps.stateless_call(
                [weight() for weight in trainable], [weight() for weight in others], images
            )
        return outputs

    return network


def signatures(classifier, network):
    """The concrete functions of a SavedModel of `freeze`'s or `restored`'s network, by name.

    A network without a head answers `features` (B, channels), and ok, alone.

    serving_default  images (B, S, S, 3) float32 0-255 -> logits, probabilities, class_ids
    serve_bytes      image_bytes (B,) string -> the same, ok (B,), class_names and scores (B, top)
    features         images -> conv2 ... and pool
    """
    size = classifier.contract.image_size
    # A lookup table would need an initialiser, which OpenVINO and tf.js do not run.
    names = tf.constant(classifier.class_names)

    @tf.function(input_signature=[pixels(size)], autograph=False)
    def serving_default(images):
        return answer(network(images), classifier)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "image_bytes")])
    def serve_bytes(image_bytes):
        images, ok = requests.prepare(image_bytes, classifier.contract)
        decision = answer(network(images), classifier)
        if classifier.headless:
            return {"ok": ok, "features": blank_unless(ok, decision["features"])}
        scores, ids = tf.math.top_k(decision["probabilities"], min(TOP, len(names)))
        answers = {**decision, "scores": scores, "class_names": tf.gather(names, ids)}
        return {"ok": ok, **{name: blank_unless(ok, x) for name, x in answers.items()}}

    @tf.function(input_signature=[pixels(size)], autograph=False)
    def features(images):
        outputs = network(images)
        return {name: x for name, x in outputs.items() if name not in ("conv1", "logits")}

    functions = (serving_default, serve_bytes, features)
    return {f.__name__: f.get_concrete_function() for f in functions}


def answer(outputs, classifier):
    """What a client wants of a network's outputs."""
    if classifier.headless:
        return {"features": tf.identity(outputs["pool"])}
    return decide(outputs["logits"])


def decide(logits):
    """What a client wants of logits: (B, classes) -> logits, probabilities, class_ids (B,)."""
    return {
        "logits": tf.identity(logits),
        "probabilities": tf.nn.softmax(logits),
        "class_ids": tf.argmax(logits, axis=-1),
    }


def blank_unless(ok, answer):
    """Zeros, empty names and class -1 in the rows of images that were refused."""
    blank = {tf.string: "", tf.int64: -1}.get(answer.dtype, 0)
    ok = tf.reshape(ok, [-1] + [1] * (len(answer.shape) - 1))
    return tf.where(ok, answer, tf.cast(blank, answer.dtype) if blank != "" else "")


def pixels(image_size):
    return tf.TensorSpec((None, *sizes.of(image_size), 3), tf.float32, "images")
