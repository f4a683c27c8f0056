"""Names in an ONNX file that depend on the network alone: the same network is the same file.

tf2onnx numbers what it adds as it goes through Python sets, and shares equal constants in the order
in which it finds them; both change from run to run.
"""

import itertools
import re

_PREFIX = re.compile(r"^(StatefulPartitionedCall/|PartitionedCall/)+")
_COUNTER = re.compile(r"__\d+")


def settle(model):
    """Renames every value after the layer that makes it or first reads it; sorts constants by it.

    Changes the model in place. Inputs and outputs of the graph keep their names.
    """
    graph = model.graph
    kept = {x.name for x in (*graph.input, *graph.output)}
    names = {name: name for name in kept} | {"": ""}
    taken = set(kept)
    for node in graph.node:
        node.name = fresh(node.name, taken)
        for number, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}:{number}")
    constants = {}
    for node in graph.node:
        for number, name in enumerate(node.input):
            if name not in names:
                # A constant of its own for each reader: which were shared was chance.
                constants[f"{node.name}/{number}"] = name
        node.input[:] = [names.get(x, f"{node.name}/{i}") for i, x in enumerate(node.input)]
        node.output[:] = [names[x] for x in node.output]
    stored = {tensor.name: tensor for tensor in graph.initializer}
    tensors = [renamed(stored[old], new) for new, old in sorted(constants.items())]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(tensors)


def fresh(name, taken):
    """The name without prefixes and counters, and with a number of its own if it is taken."""
    base = _COUNTER.sub("", _PREFIX.sub("", name))
    numbered = (f"{base}_{number}" for number in itertools.count(1))
    found = next(x for x in itertools.chain([base], numbered) if x not in taken)
    taken.add(found)
    return found


def renamed(tensor, name):
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
