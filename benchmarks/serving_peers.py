"""The contenders of benchmarks.serving: our artifacts, and what their runtimes' own tools make."""

import dataclasses
import os
from collections.abc import Callable

import keras
import numpy as np
import onnxruntime
import openvino
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import zoo
from export import classifier as classifiers
from export import formats
from zoo.preprocess import InputContract

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclasses.dataclass(frozen=True)
class Contender:
    """`run` maps pixels (B, S, S, 3) float32 to scores (B, classes); `bytes` on disk."""

    runtime: str
    bytes: int
    run: Callable


def classifier(run_dir, name):
    """A trained run's network, or one of random weights and statistics."""
    if run_dir:
        return classifiers.from_run(run_dir)
    keras.utils.set_random_seed(0)
    spec = zoo.find(name)
    model = zoo.build(name, image_size=spec.image_size)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            spread = [rng.uniform(0.5, 1.5, n), rng.normal(0, 0.3, n), rng.normal(0, 0.3, n)]
            layer.set_weights([*spread, rng.uniform(0.5, 2, n)])
    contract = InputContract(spec.image_size, round(spec.image_size * 8 / 7))
    names = tuple(f"class {number}" for number in range(spec.num_classes))
    return classifiers.Classifier(model, contract, names)


def build(source, evidence, folder):
    """{name: Contender}; files are written under `folder`. The first is the peer of the ratios."""
    keras_path = folder / "keras"
    source.model.export(str(keras_path), verbose=False)
    paths = {}
    for name in ("saved_model", "tflite-none", "tflite-float16", "tflite-dynamic", "tflite-int8"):
        paths[name] = folder / name
        paths[name].mkdir()
        formats.find(name).write(source, paths[name], evidence)
    (folder / "onnx").mkdir()
    formats.find("onnx").write(source, folder / "onnx", evidence)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(keras_path))
    (folder / "keras.tflite").write_bytes(converter.convert())
    source.model.export(str(folder / "keras.onnx"), format="onnx", verbose=False)

    found = {
        "keras.Model.export": saved_model(keras_path),
        "SavedModel": saved_model(paths["saved_model"]),
        "SavedModel in OpenVINO": openvino_model(paths["saved_model"]),
        "Keras' SavedModel in OpenVINO": openvino_model(keras_path),
        "tf.lite of Keras' SavedModel": tflite(folder / "keras.tflite"),
    }
    for kind in ("none", "float16", "dynamic", "int8"):
        found[f"TFLite {kind}"] = tflite(paths[f"tflite-{kind}"] / "model.tflite")
    found["TFLite int8 in OpenVINO"] = openvino_model(
        paths["tflite-int8"] / "model.tflite", np.uint8
    )
    found["Keras' ONNX"] = onnx(folder / "keras.onnx")
    found["ONNX"] = onnx(folder / "onnx" / "model.onnx")
    found["ONNX in OpenVINO"] = openvino_model(folder / "onnx" / "model.onnx")
    return found


def size(path):
    """Bytes of what a server must load, without labels, cards and samples."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in (path / "variables").iterdir()) + sum(
        p.stat().st_size for p in path.glob("*.pb")
    )


def saved_model(path):
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]

    def run(pixels):
        answer = serve(**{name: tf.constant(pixels)})
        return answer.get("logits", next(iter(answer.values()))).numpy()

    run.loaded = loaded  # its signatures do not keep it alive
    return Contender("TensorFlow", size(path), run)


def tflite(path):
    interpreter = Interpreter(str(path), num_threads=CORES)
    serve = interpreter.get_signature_runner("serving_default")
    (name,) = serve.get_input_details()
    dtype = serve.get_input_details()[name]["dtype"]

    def run(pixels):
        (answer,) = serve(**{name: pixels.astype(dtype)}).values()
        return answer

    return Contender("LiteRT", size(path), run)


def onnx(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    return Contender(
        "onnxruntime", size(path), lambda pixels: session.run([output], {name: pixels})[0]
    )


def openvino_model(path, dtype=np.float32):
    core = openvino.Core()
    # Without the hint it computes in bfloat16 where the processor can, and is another contender.
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": CORES}
    model = core.compile_model(core.read_model(path), "CPU", options)
    scores = next((x for x in model.outputs if "logits" in x.names), model.outputs[0])
    return Contender("OpenVINO", size(path), lambda pixels: model(pixels.astype(dtype))[scores])
