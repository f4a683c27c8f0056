"""Names in a SavedModel that depend on the network alone: the same network is the same file.

TensorFlow ends the name of a function by a number that counts all that were made in the process.
"""

import re

from google.protobuf import message
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.saved_model import fingerprinting_utils  # TensorFlow exports no other way

LONGEST = 300  # characters of a function's name; weights are longer
FINGERPRINT = "fingerprint.pb"


def settle(directory):
    """Numbers the functions of `saved_model.pb` as they are met from its signatures on."""
    path = directory / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = model.meta_graphs[0].graph_def
    order = met(graph)
    names = {old: f"{re.sub(r'_[0-9]+$', '', old)}_{number}" for number, old in enumerate(order)}
    rename(model, names)
    place = {names[old]: number for number, old in enumerate(order)}
    graph.library.function.sort(key=lambda function: place[function.signature.name])
    path.write_bytes(model.SerializeToString(deterministic=True))
    (directory / FINGERPRINT).unlink()
    fingerprinting_utils.write_fingerprint(str(directory))


def met(graph):
    """Names of the functions, in the order in which a walk from the graph's nodes meets them."""
    known = {function.signature.name: function for function in graph.library.function}
    found, waiting = {}, [graph.node]
    while waiting:
        for node in waiting.pop():
            attributes = [node.attr[key] for key in sorted(node.attr)]
            called = [one.func.name for one in attributes if one.HasField("func")]
            called += [function.name for one in attributes for function in one.list.func]
            for name in (node.op, *called):
                if name in known and name not in found:
                    found[name] = True
                    waiting.append(known[name].node_def)
    return [*found, *(name for name in known if name not in found)]


def rename(held, names):
    """Replaces names wherever they stand in a message, keys of maps included, in place."""
    for field, value in held.ListFields():
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            rename_map(value, names)
        elif isinstance(value, message.Message):
            if not isinstance(value, tensor_pb2.TensorProto):
                rename(value, names)
        elif isinstance(value, str | bytes):
            setattr(held, field.name, renamed(value, names))
        elif kind is not None:
            for one in value:
                rename(one, names)
        elif field.cpp_type == field.CPPTYPE_STRING:
            value[:] = [renamed(one, names) for one in value]


def rename_map(held, names):
    for key in list(held):
        value, new = held[key], renamed(key, names)
        if isinstance(value, message.Message):
            rename(value, names)
            if new != key:
                held[new].CopyFrom(value)
                del held[key]
        elif isinstance(value, str | bytes):
            del held[key]
            held[new] = renamed(value, names)


def renamed(text, names):
    if isinstance(text, str):
        return names.get(text, text)
    if not isinstance(text, bytes) or len(text) > LONGEST:
        return text
    return names.get(text.decode("latin-1"), text.decode("latin-1")).encode("latin-1")
