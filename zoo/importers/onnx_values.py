"""The nodes and the constants of an ONNX file, each known by what it makes."""

import numpy as np

from zoo.importers import ImportFailed

PASSING = {"Identity", "Cast", "Transpose", "Dropout"}
GROWING = {"Slice", "Concat", "ConstantOfShape", "Shape", "Gather", "Add", "Sub", "Mul", "Div"}
FOLDED = PASSING | GROWING | {"Reshape", "Unsqueeze", "Squeeze"}
FEW = 64  # numbers: of a list of paddings or axes


class Values:
    """`nodes` in their order, `makers` by what they make, `values` of constants, `attributes`.

    Weights in another file are refused, so that no name of a file is followed.
    """

    def __init__(self, path):
        try:
            import onnx
            from onnx import helper, numpy_helper
        except ModuleNotFoundError:
            raise ImportFailed(
                "reading .onnx needs the package onnx: pip install -e '.[onnx]'"
            ) from None
        graph = onnx.load(str(path), load_external_data=False).graph
        self.path, self.nodes, self.values = path, list(graph.node), {}
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.attributes = {
            id(node): {a.name: helper.get_attribute_value(a) for a in node.attribute}
            for node in self.nodes
        }
        given = [x for node in self.nodes for a in node.attribute for x in (a.t, *a.tensors)]
        if any(x.external_data or x.data_location for x in (*graph.initializer, *given)):
            raise ImportFailed(f"{path} keeps its weights in another file: save it as one")
        for tensor in graph.initializer:
            self.values[tensor.name] = numpy_helper.to_array(tensor)
        for node in self.nodes:
            constant = self.attributes[id(node)].get("value")
            if node.op_type == "Constant" and constant is not None:
                self.values[node.output[0]] = numpy_helper.to_array(constant)
            elif node.op_type in FOLDED and all(x in self.values for x in node.input if x):
                self._fold(node)

    def _fold(self, node):
        """The value of a node of constants; nothing grows by it but lists of a few numbers."""
        from onnx.reference import ReferenceEvaluator

        values = {name: self.values[name] for name in node.input if name}
        small = all(value.size <= FEW for value in values.values())
        if node.op_type == "ConstantOfShape":
            small = small and np.prod(np.float64(values[node.input[0]])) <= FEW
        if small or node.op_type not in GROWING:
            self.values[node.output[0]] = ReferenceEvaluator(node).run(None, values)[0]

    def _affine(self, node):
        """(a, b) of a x + b, for each channel: constants are flat, or one number."""
        first = node.input[0] in self.values
        constant = np.float64(self._value(node.input[0 if first else 1])).ravel()
        kind = node.op_type
        if kind == "Add":
            return 1.0, constant
        if kind == "Sub":
            return (-1.0, constant) if first else (1.0, -constant)
        if kind == "Div" and first:
            raise ImportFailed(f"{self.path} divides a constant by a map: no residual net does")
        return (constant if kind == "Mul" else 1 / constant), 0.0

    def _value(self, name):
        if name not in self.values:
            raise ImportFailed(f"{self.path}: {name[:60]} is computed and no constant")
        return np.float64(self.values[name])

    def _pads(self, node):
        """What a Pad adds, (before, behind) of each axis; None where that is computed."""
        pads = self.attributes[id(node)].get("pads")
        if pads is None and len(node.input) > 1 and node.input[1] in self.values:
            pads = self.values[node.input[1]].tolist()
        half = len(pads) // 2 if pads else 0
        return (list(pads[:half]), list(pads[half:])) if pads else None

    def _check_pads(self, node, side, place):
        """That it is padded alike on both sides by half a window, in itself or by a Pad before."""
        more = self.attributes[id(node)]
        stride, auto = max(more.get("strides", [1])), more.get("auto_pad", b"NOTSET")
        own = more.get("pads", [0] * 4)
        if auto.startswith(b"SAME"):
            own = [side // 2] * 4 if stride == 1 else [0, 0, side - 2, side - 2]
        maker = self.makers.get(node.input[0])
        while maker is not None and maker.op_type in PASSING:
            maker = self.makers.get(maker.input[0])
        if maker is not None and maker.op_type == "Pad":
            pads = self._pads(maker)
            if pads is None:
                return  # computed when it runs: nothing is known
            own = [own[0] + max(pads[0]), own[1] + max(pads[0])] + [
                x + max(pads[1]) for x in own[2:]
            ]
        if own != [side // 2] * 4:
            raise ImportFailed(
                f"{self.path}: {place} pads by {own}, ours by {side // 2} on each side"
            )
