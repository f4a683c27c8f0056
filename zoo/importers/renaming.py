"""The names of a layout, out of what wrappers and other heads have made of them.

DataParallel ("module."), torch.compile ("_orig_mod."), Lightning ("model."), and whoever keeps the
network in a `net` or `backbone`, put words before each name, several and in any order. The head is
called what its author liked, and may have a hidden layer before it, `fc.0` and `fc.3` say.
"""

import re

from zoo.importers import Arrays
from zoo.importers.layouts import HIDDEN

# Counters, and what a loss or an average keeps: no inference reads it.
IDLE_STARTS = ("criterion.", "loss.", "loss_fn.", "n_averaged")


def renamed(arrays, layout, expected):
    """The arrays under the layout's names: without what stands before them, and with its head."""
    prefix = _prefix(arrays, layout, expected)
    found = Arrays({name.removeprefix(prefix): array for name, array in arrays.items()})
    if len(found) < len(arrays):  # one name with the prefix and one without
        found = Arrays(arrays)
    for name in [name for name in found if name.startswith(IDLE_STARTS)]:
        del found[name]
    ours = [HIDDEN, layout.head]
    dense = _dense(found, layout, expected)
    for theirs, name in zip(dense, ours[-len(dense) :], strict=True) if dense else ():
        for suffix in layout.suffixes[:2]:
            if theirs + suffix in found:
                found[name + suffix] = found.pop(theirs + suffix)
    return found


def _dense(arrays, layout, expected):
    """The layers of the head: one or two, in the order of the data; none where it is not clear."""
    suffix, own = layout.suffixes[0], layout.head + layout.suffixes[0]
    others = [name for name, x in arrays.items() if x.ndim == 2 and name not in expected]
    layers = [name.removesuffix(suffix) for name in arrays if name in (*others, own)]
    if len(layers) == 1:
        return layers
    for first, second in (layers, layers[::-1]) if len(layers) == 2 else ():
        shapes = [arrays[name + suffix].shape for name in (first, second)]
        (inputs, units), (read, _) = [x[::-1] if layout.transposed else x for x in shapes]
        if units == read and inputs and not _neighbours(first, second):
            return [first, second]
    return [layout.head] if own in arrays else []


def _neighbours(first, second):
    """Whether they are children of a Sequential with nothing between them, no ReLU say."""
    found = [re.fullmatch(r"(.*\.)?([0-9]{1,3})", name) for name in (first, second)]
    if not all(found) or found[0][1] != found[1][1]:
        return False
    return abs(int(found[0][2]) - int(found[1][2])) == 1


def _prefix(arrays, layout, expected):
    """What stands before the first convolution's name, where the others stand behind it too."""
    first = next(iter(expected))
    endings = [name[: -len(first)] for name in arrays if name.endswith(first)]
    shortest = sorted({x for x in endings if not x or x.endswith((".", "/"))}, key=len)[:3]
    body = [name for name in expected if not name.startswith(layout.head)]
    return max(
        shortest, key=lambda prefix: sum(prefix + name in arrays for name in body), default=""
    )
