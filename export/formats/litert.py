"""A .tflite file run and read by ai-edge-litert: its answers, operators and inner values."""

import flatbuffers
import numpy as np

from export.errors import ExportError

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    raise ExportError(
        "TFLite files are checked with ai-edge-litert, which is not installed: "
        'pip install ".[lite]"'
    ) from None

CUSTOM = schema.BuiltinOperator.CUSTOM
_NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
# Variables outlive a call and mean that weights were not frozen.
STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


def runner(model):
    """The file as most clients run it, XNNPACK and all: pixels (B, S, S, 3) -> its one output."""
    interpreter = Interpreter(model_content=model)
    run = interpreter.get_signature_runner("serving_default")
    dtype = interpreter.get_input_details()[0]["dtype"]
    return lambda images: next(iter(run(images=as_input(images, dtype)).values()))


def as_input(images, dtype):
    """Pixels in the file's own type: an 8-bit file takes whole numbers of 0-255."""
    return np.rint(np.clip(images, 0, 255)).astype(dtype) if dtype == np.uint8 else images


def operators(model):
    """Every operator in the file, with how often it is used: {name: count}, sorted by name."""
    parsed = schema.ModelT.InitFromPackedBuf(model)
    codes = [operator_name(code) for code in parsed.operatorCodes]
    used = [codes[op.opcodeIndex] for graph in parsed.subgraphs for op in graph.operators]
    return {name: used.count(name) for name in sorted(set(used))}


def operator_name(code):
    # Codes above 127 came later and live in a field of their own.
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    if builtin == CUSTOM:
        return f"custom:{code.customCode.decode()}"  # Flex operators are custom ones
    return _NAMES[builtin]


def foreign_operators(model):
    """Operators that plain LiteRT cannot run, comma-separated; "" if there are none."""
    names = operators(model)
    return ", ".join(n for n in names if n.startswith("custom:") or n in STATEFUL)


def of_fixed_batch(model):
    """The file for one image at a time, no side of any tensor left open: bytes -> bytes."""
    parsed = schema.ModelT.InitFromPackedBuf(model)
    for graph in parsed.subgraphs:
        for tensor in graph.tensors:
            tensor.shapeSignature = None
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def signature(model, name="serving_default"):
    """Inputs and outputs by name, as plain data; a free batch size is None."""
    interpreter = Interpreter(model_content=model)
    run = interpreter.get_signature_runner(name)
    return tuple(
        {name: described(detail) for name, detail in sorted(details.items())}
        for details in (run.get_input_details(), run.get_output_details())
    )


def described(detail):
    shape = [None if n == -1 else int(n) for n in detail["shape_signature"]]
    scale, zero_point = detail["quantization"]
    found = {"dtype": np.dtype(detail["dtype"]).name, "shape": shape}
    return found | ({"scale": scale, "zero_point": zero_point} if scale else {})


class Layers:
    """A file run by the plain kernels, every inner value kept and turned back into float32."""

    def __init__(self, model):
        self.interpreter = Interpreter(
            model_content=model,
            experimental_preserve_all_tensors=True,
            # A delegate's inner values are its own.
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        parsed = schema.ModelT.InitFromPackedBuf(model)
        graph = parsed.subgraphs[0]
        codes = [operator_name(code) for code in parsed.operatorCodes]
        ops = [(codes[op.opcodeIndex], op) for op in graph.operators]
        softmax = (int(op.inputs[0]) for name, op in ops if name == "SOFTMAX")
        self.softmax_input = next(softmax, None)  # features have none
        # What a layer leaves for the next: one tensor per operator, in order of execution.
        self.outputs = {
            graph.tensors[op.outputs[0]].name.decode(): int(op.outputs[0]) for _, op in ops
        }

    def run(self, images):
        detail = self.interpreter.get_input_details()[0]
        if tuple(detail["shape"]) != images.shape:
            self.interpreter.resize_tensor_input(detail["index"], images.shape)
        self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(detail["index"], as_input(images, detail["dtype"]))
        self.interpreter.invoke()

    def value(self, index):
        detail = next(d for d in self.interpreter.get_tensor_details() if d["index"] == index)
        scale, zero_point = detail["quantization"]
        found = self.interpreter.get_tensor(index)
        return (np.float32(found) - zero_point) * scale if scale else np.float32(found)

    def logits(self, images):
        self.run(images)
        return self.value(self.softmax_input)


def layer_errors(exact, rough, images):
    """(layer, rms of the difference / rms of the value) for each value that both files have."""
    exact.run(images)
    rough.run(images)
    found = []
    for name, index in exact.outputs.items():
        if name in rough.outputs:
            expected, got = exact.value(index), rough.value(rough.outputs[name])
            error = np.sqrt(np.mean((expected - got) ** 2) / np.mean(expected**2))
            found.append((short_name(name), float(error)))
    return found


def short_name(name):
    """The network's own name of a fused operator: "conv1_relu_1/Relu;conv1_..." -> "conv1_relu"."""
    return "probabilities" if "Call:" in name else name.split("/")[0].removesuffix("_1")
