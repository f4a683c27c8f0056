"""TFLite, as LiteRT runs it: float32, float16 weights, 8-bit weights, or 8-bit throughout."""

import functools
import pathlib
import tempfile
import warnings

import numpy as np
import tensorflow as tf

from export import graph, parity
from export.errors import ExportError
from export.formats import Format, Loaded, litert, tflite_metadata
from zoo import progress

MODEL = "model.tflite"
QUANTIZATIONS = {
    "none": parity.FLOAT32,
    "float16": parity.FLOAT16,
    "dynamic": parity.INTEGER,
    "int8": parity.INTEGER,
}


def write(classifier, directory, evidence, *, quantize):
    """Writes `model.tflite` with its labels and metadata inside.

    Input `images` (B, S, S, 3) of 0-255, uint8 in an int8 file and float32 otherwise; output
    `probabilities` (B, classes) float32. One output, because MediaPipe takes no second.
    """
    store(convert(classifier, evidence.measured, quantize=quantize), classifier, directory)


def store(model, classifier, directory):
    """Writes a flatbuffer's bytes with labels and metadata. ExportError if LiteRT cannot run it."""
    check_operators(model)
    path = pathlib.Path(directory) / MODEL
    if classifier.headless:  # MediaPipe's description is of classes
        path.write_bytes(model)
        return
    path.write_bytes(tflite_metadata.with_metadata(model, classifier))
    tflite_metadata.append_file(path, tflite_metadata.LABELS, classifier.labels)


def check_operators(model):
    """ExportError where plain LiteRT cannot run the file."""
    foreign = litert.foreign_operators(model)
    if foreign:
        raise ExportError(f"the file needs operators that LiteRT does not have: {foreign}")


def convert(classifier, calibration=None, *, quantize):
    """The flatbuffer without metadata: Classifier -> bytes. `calibration` is for int8 alone."""
    network = graph.freeze(classifier.model, classifier.image_size)

    @tf.function(input_signature=[graph.pixels(classifier.image_size)], autograph=False)
    def serving_default(images):
        answer = graph.answer(network(images), classifier)
        name = "features" if classifier.headless else "probabilities"
        return {name: answer[name]}

    return flatbuffer("serving_default", serving_default, calibration, quantize=quantize)


def flatbuffer(signature, function, calibration=None, *, quantize):
    """A frozen function as a file with one signature of that name: tf.function -> bytes."""
    with tempfile.TemporaryDirectory() as folder:
        concrete = function.get_concrete_function()
        tf.saved_model.save(tf.Module(), folder, signatures={signature: concrete})
        # Not from_concrete_functions, which drops the weights of a Keras 3 net without a word.
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[signature])
        # Built-in operators alone: with SELECT_TF_OPS a float16 net becomes a Flex file in silence.
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        # By channel, a dense layer of 1,024 weights is FULLY_CONNECTED version 12, which runtimes
        # before 2.17 do not have; by tensor it is version 9.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = (
            quantize == "dynamic"
        )
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = functools.partial(representatives, calibration)
            converter.inference_input_type = tf.uint8
        with warnings.catch_warnings():
            # The calibrator itself runs TensorFlow's deprecated interpreter.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")
            return converter.convert()


def representatives(calibration):
    """Calibration images one by one: real ones, then black and white.

    The range of the input must be 0-255 whatever the images hold, so that its scale is 1.
    """
    black = np.zeros_like(calibration[0])
    images = (*calibration, black, black + 255)
    for image in progress.over(images, "calibrating", len(images)):
        yield {"images": image[np.newaxis]}


def load(directory):
    """The file as LiteRT runs it, with XNNPACK; logits from its plain kernels, which show them."""
    path = pathlib.Path(directory) / MODEL
    fast = litert.runner(path.read_bytes())
    inner = litert.Layers(path.read_bytes())
    if inner.softmax_input is None:
        return Loaded(fast, None, interface(path.read_bytes()))
    return Loaded(inner.logits, None, interface(path.read_bytes()), probabilities=fast)


def interface(model, signature="serving_default"):
    operators = litert.operators(model)
    inputs, outputs = litert.signature(model, signature)
    return {signature: {"inputs": inputs, "outputs": outputs}, "operators": operators}


def explain(directory, classifier, images, count=32):
    """Where an 8-bit file lost the signal: a line a layer, its error against the float file."""
    exact = litert.Layers(convert(classifier, quantize="none"))
    rough = litert.Layers((pathlib.Path(directory) / MODEL).read_bytes())
    lines = ["layer by layer, rms of the difference over rms of the float32 file's values:"]
    for name, error in litert.layer_errors(exact, rough, images.pixels[:count]):
        lines.append(f"  {error:8.4f}  {name}")
    return "\n".join(lines)


def variant(name):
    if name not in QUANTIZATIONS:
        raise ValueError(f"unknown --quantize {name!r}: expected one of {', '.join(QUANTIZATIONS)}")
    return Format(
        f"tflite-{name}",
        functools.partial(write, quantize=name),
        load,
        QUANTIZATIONS[name],
        explain=explain if name in ("dynamic", "int8") else None,
    )
