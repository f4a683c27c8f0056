"""Weights out of an ONNX file of a residual net: the graph's convolutions in their order.

Names tell nothing there, so the graph is walked from its joins upwards: a block is what lies
between two additions of maps. Arithmetic with constants behind a convolution is its normalisation,
whatever form a converter has given it. Whatever else is met on the way is refused by its name, for
it would be another network. External data is not followed.
"""

import collections

import numpy as np

from zoo.importers import Arrays, ImportFailed, onnx_values
from zoo.importers.layouts import HIDDEN
from zoo.importers.onnx_values import PASSING

HEAD = PASSING | {"Flatten", "Reshape", "Squeeze"}
POOLS = {"GlobalAveragePool", "ReduceMean", "AveragePool"}
SIZES = {"Shape", "Size", "Gather", "ConstantOfShape", "Constant", "Unsqueeze"}
UNIT_VARIANCE = np.float32(1) - np.float32(1e-5)  # a variance that epsilon completes to 1

# What a tensor comes from: a convolution, a join or the image, then y = scale * x + shift.
Way = collections.namedtuple("Way", ["node", "scale", "shift", "ops", "pads"])


def read_onnx(path, entry=None):
    """The arrays of an ONNX file, named by their block and position: path -> Arrays."""
    return Graph(path).arrays()


class Graph(onnx_values.Values):
    """The walk from the joins upwards; `traits` and `found` fill on the way."""

    def arrays(self):
        joins = [x for x in self.nodes if x.op_type in ("Add", "Sum") and self._joins(x)]
        convolutions = [x for x in self.nodes if x.op_type == "Conv"]
        if not convolutions or not joins:
            kinds = sorted({node.op_type for node in self.nodes})[:6]
            raise ImportFailed(
                f"{self.path}: expected a residual net's convolutions and additions of two maps, "
                f"found {len(convolutions)} and {len(joins)} among {', '.join(kinds)}"
            )
        self.found, self.traits = Arrays(), {"bn_epsilon": 1e-5}
        self._stem(convolutions[0])
        source, strides = convolutions[0], []
        for number, join in enumerate(joins, start=1):
            strides.append(self._block(number, join, source))
            source = join
        halving = next((x for x in strides if len(x) == 3 and 2 in x), None)
        if halving:
            self.traits["stride"] = "1x1" if halving[0] == 2 else "3x3"
        self._dense(source)
        self.found.traits = self.traits
        return self.found

    def _joins(self, node):
        """Whether it adds two maps; arithmetic on sizes adds none."""
        if any(name in self.values for name in node.input):
            return False
        return all(self._is_map(name) for name in node.input)

    def _is_map(self, name):
        while name in self.makers:
            node = self.makers[name]
            inputs = [x for x in node.input if x and x not in self.values]
            arithmetic = node.op_type in ("Add", "Sub", "Mul", "Div", "Concat")
            if not inputs or not (arithmetic or node.op_type in PASSING | {"Pad", "Slice"}):
                return node.op_type not in SIZES
            name = inputs[0]
        return False

    def _up(self, name, also=()):
        """The Way of a tensor, up to a convolution, an addition of two maps, or the image."""
        scale, shift, ops, pads = 1.0, 0.0, [], None
        while name in self.makers:
            node = self.makers[name]
            kind, inputs = node.op_type, [x for x in node.input if x and x not in self.values]
            if kind == "Conv" or (kind in ("Add", "Sum") and len(inputs) == 2):
                return Way(node, scale, shift, ops, pads)
            if kind in ("Add", "Sub", "Mul", "Div") and len(inputs) == 1:
                a, b = self._affine(node)
                scale, shift = scale * a, shift + scale * b
                ops += ["affine"] if ops[-1:] != ["affine"] else []
            elif kind == "BatchNormalization":
                gamma, beta, mean, variance = (self._value(x) for x in node.input[1:5])
                epsilon = self.attributes[id(node)].get("epsilon", 1e-5)
                a = gamma / np.sqrt(variance + np.float64(epsilon))
                scale, shift = scale * a, shift + scale * (beta - a * mean)
                ops += ["affine"] if ops[-1:] != ["affine"] else []
            elif self._thins(node):
                ops.append("Slice")
            elif kind in ("Pad", "Slice", "Concat") or kind == "Relu" or kind in also:
                ops.append(kind)
                if kind == "MaxPool":
                    self._pool(node)
                elif kind == "Pad" and "MaxPool" in ops:
                    before = self._pads(node)
                    self.traits["pool_pad"] = before and ("both" if any(before[0]) else "end")
                elif kind == "Pad":
                    pads = self._pads(node)
            elif kind not in PASSING:
                raise ImportFailed(f"{self.path} has a {kind} where a residual net has none")
            name = inputs[0]
        return Way(None, scale, shift, ops, pads)

    def _thins(self, node):
        """Whether it takes every n-th pixel by a pool of single ones: option A in other words."""
        shape = self.attributes[id(node)].get("kernel_shape", [])
        return node.op_type in ("AveragePool", "MaxPool") and set(shape) == {1}

    def _pool(self, node):
        """How the max pool is padded, which the network must know."""
        own = self.attributes[id(node)].get("pads", [0, 0, 0, 0])
        auto = self.attributes[id(node)].get("auto_pad", b"NOTSET")
        if auto in (b"SAME_UPPER",) or self.attributes[id(node)].get("ceil_mode"):
            self.traits["pool_pad"] = "end"
        elif any(own):
            self.traits["pool_pad"] = "both" if own[0] else "end"

    def _stem(self, node):
        way = self._up(node.input[0])
        affine = [np.broadcast_to(x, 3).astype("f8") for x in (way.scale, way.shift)]
        if "affine" in way.ops:
            scale, shift = affine
            mean, std = -shift / scale, 1 / scale
            white = 1.0 if max(abs(mean).max(), abs(std).max()) > 2 else 255.0
            self.found.normalisation = tuple(white * mean), tuple(white * std)

    def _keep(self, node, name, way, place):
        """A convolution's arrays, and its normalisation, in the form of one that has scale 1."""
        kernel, more = self._value(node.input[1]), self.attributes[id(node)]
        if more.get("group", 1) != 1 or set(more.get("dilations", [1])) != {1}:
            raise ImportFailed(f"{self.path}: {place} is grouped or dilated: a ResNeXt or another")
        filters = kernel.shape[0]
        bias = self._value(node.input[2]) if len(node.input) > 2 else 0.0
        self._check_pads(node, kernel.shape[2], place)
        scale, shift = (np.broadcast_to(x, filters) for x in (way.scale, way.shift))
        norm = name.replace("conv", "norm")
        self.found[f"{name}.weight"] = np.float32(kernel)
        self.found[f"{norm}.weight"] = np.float32(scale)
        self.found[f"{norm}.bias"] = np.float32(shift + scale * bias)
        self.found[f"{norm}.running_mean"] = np.zeros(filters, "f4")
        self.found[f"{norm}.running_var"] = np.full(filters, UNIT_VARIANCE)
        return max(more.get("strides", [1]))

    def _block(self, number, join, source):
        """Keeps the convolutions of a block; returns the strides of its own ones, in order."""
        also = ("MaxPool",) if number == 1 else ()
        ways = [self._up(name, also) for name in join.input]
        chains = [self._chain(way, source, number) for way in ways]
        main, shortcut = sorted(chains, key=len, reverse=True)
        if len(main) not in (2, 3) or len(shortcut) > 1:
            raise ImportFailed(
                f"{self.path}: block {number} has {len(main)} and {len(shortcut)} convolutions, "
                "expected 2 or 3 and at most a projection"
            )
        for node, way in shortcut:
            self._keep(node, f"block{number}.conv0", way, f"block {number}'s projection")
        short = min(zip(chains, ways, strict=True), key=lambda x: len(x[0]))[1]
        if not shortcut and number > 1 and "Pad" in short.ops:  # option A; block 1's is the pool's
            if not short.pads:
                raise ImportFailed(f"{self.path} computes where option A's zeros go: simplify it")
            self.traits["zeros"] = "split" if any(short.pads[0]) else "end"
        return [
            self._keep(node, f"block{number}.conv{i}", way, f"block {number}, convolution {i}")
            for i, (node, way) in enumerate(reversed(main), start=1)
        ]

    def _chain(self, way, source, number):
        """The convolutions from a join's side up to the block's own source, last first."""
        chain = []
        while way.node is not None and way.node is not source:
            if way.node.op_type != "Conv" or len(chain) == 4:
                break
            if chain and "Relu" not in way.ops:
                raise ImportFailed(f"{self.path}: block {number} lacks a ReLU: a later kind of net")
            chain.append((way.node, way))
            also = ("MaxPool",) if number == 1 else ()
            way = self._up(way.node.input[0], also)
        if way.node is not source:
            raise ImportFailed(
                f"{self.path}: block {number} does not begin where the one before ends"
            )
        if number == 1 and source.op_type == "Conv" and "stem.conv.weight" not in self.found:
            self._keep(source, "stem.conv", way, "the first convolution")
        return chain

    def _dense(self, last):
        """The dense layers behind the last join: one, or two with a ReLU between them."""
        layers = [
            node
            for node in self.nodes
            if node.op_type in ("Gemm", "MatMul") and node.input[1] in self.values
        ]
        if len(layers) != 1 and not (len(layers) == 2 and self._relu_between(*layers)):
            raise ImportFailed(
                f"{self.path} has {len(layers)} dense layers, expected one, or a ReLU between two"
            )
        self._check_pool(layers[0].input[0], last)
        for node, name in zip(layers, (HIDDEN, "head")[-len(layers) :], strict=True):
            self._keep_dense(node, name)

    def _relu_between(self, first, second):
        name, kinds = second.input[0], []
        while name in self.makers and self.makers[name] is not first:
            node = self.makers[name]
            kinds += [node.op_type] if node.op_type not in PASSING else []
            name = next((x for x in node.input if x not in self.values), "")
        return name in self.makers and kinds in (["Relu"], ["Relu", "Add"])

    def _keep_dense(self, node, layer):
        """Its kernel, and what is added to it."""
        kernel, more = self._value(node.input[1]), self.attributes[id(node)]
        kernel = kernel if more.get("transB") else kernel.T
        bias = np.zeros(len(kernel))
        if len(node.input) > 2:
            bias = self._value(node.input[2]).ravel() * more.get("beta", 1.0)
        name = node.output[0]
        for after in self.nodes:
            if after.op_type in PASSING and name in after.input:
                name = after.output[0]
            elif after.op_type == "Add" and name in after.input:
                other = next(x for x in after.input if x != name)
                bias, name = bias + self._value(other).ravel(), after.output[0]
        self.found[f"{layer}.weight"] = np.float32(kernel * more.get("alpha", 1.0))
        self.found[f"{layer}.bias"] = np.float32(np.broadcast_to(bias, len(kernel)))

    def _check_pool(self, name, last):
        pooled = False
        while name in self.makers and self.makers[name] is not last:
            node = self.makers[name]
            pooled = pooled or node.op_type in POOLS
            if node.op_type not in HEAD | POOLS | {"Relu"}:
                raise ImportFailed(f"{self.path} has a {node.op_type} before its dense layer")
            name = node.input[0]
        if not pooled or name not in self.makers:
            raise ImportFailed(f"{self.path}: expected an average of the last map before the head")
