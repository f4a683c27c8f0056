"""How each runtime loads an artifact and answers: path -> load, () -> (run, dtype of its pixels).

`run` maps pixels (B, S, S, 3) to scores. Libraries are imported before `load` is called, so that
its seconds are the artifact's alone. All take as many threads as there are cores.
"""

import pathlib

from benchmarks import harness


def tensorflow(path):
    """`serving_default` of a SavedModel."""
    import tensorflow as tf

    def load():
        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures["serving_default"]
        (name,) = serve.structured_input_signature[1]

        def run(pixels):
            answer = serve(**{name: tf.constant(pixels)})
            return answer.get("logits", next(iter(answer.values()))).numpy()

        run.loaded = loaded  # its signatures do not keep it alive
        return run, "float32"

    return load


def frozen(path):
    """The serving graph in the process that made it, never saved: of a .keras file."""
    import keras
    import tensorflow as tf

    from export import graph

    def load():
        model = keras.models.load_model(path)
        network = graph.freeze(model, model.input_shape[1])

        @tf.function(input_signature=network.input_signature, autograph=False)
        def logits(images):
            return network(images)["logits"]

        serve = logits.get_concrete_function()
        return lambda pixels: serve(tf.constant(pixels)).numpy(), "float32"

    return load


def litert(path):
    from ai_edge_litert.interpreter import Interpreter

    def load():
        interpreter = Interpreter(str(path), num_threads=harness.CORES)
        serve = interpreter.get_signature_runner("serving_default")
        ((name, detail),) = serve.get_input_details().items()
        return lambda pixels: next(iter(serve(**{name: pixels}).values())), detail["dtype"]

    return load


def onnxruntime(path):
    import onnxruntime as library

    def load():
        options = library.SessionOptions()
        options.intra_op_num_threads = harness.CORES
        session = library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
        return lambda pixels: session.run([output], {name: pixels})[0], "float32"

    return load


def openvino(path):
    import openvino as library

    # Without the hint it computes in bfloat16 where the processor can, and is another contender.
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": harness.CORES}

    def load():
        core = library.Core()
        model = core.compile_model(core.read_model(path), "CPU", options)
        return lambda pixels: model(pixels)[0], model.inputs[0].element_type.to_dtype()

    return load


def torch_compiled(name):
    """The network of benchmarks.torch_nets, channels last, its own weights frozen: for servers."""
    import torch
    from torch._inductor import config

    from benchmarks import torch_nets

    torch.set_num_threads(harness.CORES)
    config.freezing = True

    def load():
        model = torch_nets.NETS[name]().eval().to(memory_format=torch.channels_last)
        return torch.no_grad()(in_torch(torch.compile(model, dynamic=False))), "float32"

    return load


def in_torch(model):
    """The memory of a NHWC array is that of a channels-last tensor: nothing is copied."""
    import torch

    return lambda pixels: model(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()


def megabytes(path):
    """Of what a server must load, without labels, cards and samples."""
    path = pathlib.Path(path)
    if path.is_dir():
        found = [*(path / "variables").iterdir(), *path.glob("*.pb")]
    else:
        found = [path, *path.parent.glob(f"{path.stem}.bin")]  # OpenVINO's weights
    return sum(file.stat().st_size for file in found) / 1e6


# Contender: what loads it, and its artifact. PyTorch builds its own.
CONTENDERS = {
    "keras_export": (tensorflow, "stock"),
    "keras_export_of_our_layers": (tensorflow, "fused"),
    "ours_saved_model": (tensorflow, "saved_model"),
    "ours_constants": (tensorflow, "saved_model-constants"),
    "ours_in_process": (frozen, "network.keras"),
    "openvino": (openvino, "float32.xml"),
    "ours_onnx": (onnxruntime, "onnx/model.onnx"),
    "keras_onnx": (onnxruntime, "stock.onnx"),
    "ours_tflite": (litert, "tflite-none/model.tflite"),
    "tf_lite_of_stock": (litert, "stock.tflite"),
    "torch_compile": (torch_compiled, None),
    "ours_tflite_int8": (litert, "tflite-int8/model.tflite"),
    "ours_int8_in_openvino": (openvino, "tflite-int8/model.tflite"),
    "openvino_int8": (openvino, "int8.xml"),
}
ELSEWHERE = [x for x, (load, _) in CONTENDERS.items() if load not in (tensorflow, frozen)]
