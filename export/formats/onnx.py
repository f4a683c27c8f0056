"""ONNX: for onnxruntime, OpenVINO and the many that read it."""

import logging
import pathlib

import numpy as np
import tensorflow as tf

from export import graph, parity
from export.errors import ExportError
from export.formats import Format, Loaded, onnx_names

try:
    import onnx
    import onnxruntime
    import tf2onnx
except ImportError as error:
    raise ExportError(
        f'ONNX needs {error.name}, which is not installed: pip install ".[onnx]"'
    ) from None

MODEL = "model.onnx"
BATCH = "batch"
OPSET = 18  # the newest that tf2onnx 1.17 writes


def write(classifier, directory, evidence):
    """Writes `model.onnx`: `images` (B, S, S, 3) float32 -> `logits` and `probabilities`."""
    names = ("features",) if classifier.headless else ("logits", "probabilities")
    network = graph.freeze(classifier.model, classifier.image_size)
    spec = graph.pixels(classifier.image_size)

    @tf.function(input_signature=[spec], autograph=False)
    def serve(images):
        answer = graph.answer(network(images), classifier)
        return [tf.identity(answer[name], name) for name in names]

    model = convert(serve, spec, names)
    name_batch(model)
    save(directory, classifier, model)


def convert(serve, spec, outputs):
    """A function of one tensor that gives as many as `outputs` are names: -> ONNX model."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    model, _ = tf2onnx.convert.from_function(serve, [spec], opset=OPSET)
    name_outputs(model, outputs)
    onnx_names.settle(model)
    return model


def save(directory, network, model):
    """The file, checked, with the network's name and its classes'."""
    model.graph.name, model.graph.doc_string = network.model.name, ""
    for name, value in (("labels", network.labels.rstrip("\n")), ("pixels", "RGB 0-255")):
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model, full_check=True)
    path = pathlib.Path(directory) / MODEL
    path.write_bytes(model.SerializeToString(deterministic=True))


def name_outputs(model, names):
    """Gives the graph's outputs, in order, the names that clients use."""
    old = {output.name: name for output, name in zip(model.graph.output, names, strict=True)}
    for node in model.graph.node:
        for names_of in (node.input, node.output):
            names_of[:] = [old.get(name, name) for name in names_of]
    for output in model.graph.output:
        output.name = old[output.name]


def name_batch(model):
    """Calls the one free size by one name, so that tools which fix it find it everywhere."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH


def load(directory):
    """The file as onnxruntime runs it on the processor."""
    session = opened(directory)
    return Loaded(
        lambda images: session.run(None, {"images": np.float32(images)})[0],
        None,
        interface(session),
    )


def opened(directory):
    path = str(pathlib.Path(directory) / MODEL)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def interface(session, signature="serving_default"):
    return {
        signature: {
            "inputs": {x.name: described(x) for x in session.get_inputs()},
            "outputs": {x.name: described(x) for x in session.get_outputs()},
        }
    }


def described(value):
    dtype = {"tensor(float)": "float32", "tensor(int32)": "int32"}[value.type]
    return {"dtype": dtype, "shape": [n if isinstance(n, int) else None for n in value.shape]}


def variant(name):
    if name:
        raise ValueError(f"onnx has no variants, got {name!r}")
    return Format("onnx", write, load, parity.FLOAT32)
