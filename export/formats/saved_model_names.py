"""Names in a SavedModel that depend on the network alone: the same network is the same file.

TensorFlow ends the name of a function by a number that counts all that were made in the process.
"""

import dataclasses
import re

from google.protobuf import message
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.saved_model import fingerprinting_utils  # TensorFlow exports no other way

LONGEST = 300  # characters of a function's name; weights are longer
FINGERPRINT = "fingerprint.pb"


@dataclasses.dataclass(frozen=True)
class Names:
    """What functions are called by now, and a pattern that finds the names they had."""

    new: dict[str, str]
    pattern: re.Pattern

    @classmethod
    def of(cls, order):
        new = {old: f"{re.sub('_[0-9]+$', '', old)}_{number}" for number, old in enumerate(order)}
        longest_first = sorted(map(re.escape, new), key=len, reverse=True)
        return cls(new, re.compile(rf"(?:{'|'.join(longest_first)})(?![0-9])"))


def settle(directory):
    """Numbers the functions of `saved_model.pb` as they are met from its signatures on."""
    path = directory / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    graph = model.meta_graphs[0].graph_def
    order = met(graph)
    names = Names.of(order)
    rename(model, names)
    forget_counted(graph)
    place = {names.new[old]: number for number, old in enumerate(order)}
    graph.library.function.sort(key=lambda function: place[function.signature.name])
    path.write_bytes(model.SerializeToString(deterministic=True))
    (directory / FINGERPRINT).unlink()
    fingerprinting_utils.write_fingerprint(str(directory))


def forget_counted(graph):
    """Drops the names of what functions have captured, which are numbers of the same counter."""
    for function in graph.library.function:
        for argument in function.arg_attr.values():
            if argument.attr["_user_specified_name"].s.isdigit():
                del argument.attr["_user_specified_name"]


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
    """Also within longer names: a loop's argument may be called for its condition."""
    if isinstance(text, str):
        return names.pattern.sub(lambda found: names.new[found[0]], text)
    if not isinstance(text, bytes) or len(text) > LONGEST:
        return text
    return renamed(text.decode("latin-1"), names).encode("latin-1")
