"""The names of a layout, out of what wrappers and other heads have made of them.

DataParallel ("module."), torch.compile ("_orig_mod."), Lightning ("model."), and whoever keeps the
network in a `net` or `backbone`, put words before each name, several and in any order. The head is
called what its author liked.
"""

from zoo.importers import Arrays

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
    kernel, bias = (layout.head + suffix for suffix in layout.suffixes[:2])
    if kernel not in found:
        heads = matrices(found, expected)
        if len(heads) == 1:
            named = heads[0].removesuffix(layout.suffixes[0])
            found[kernel] = found.pop(heads[0])
            if named + layout.suffixes[1] in found:
                found[bias] = found.pop(named + layout.suffixes[1])
    return found


def matrices(arrays, expected):
    """Names of the matrices that are no convolution's: dense layers."""
    return [name for name, x in arrays.items() if x.ndim == 2 and name not in expected]


def _prefix(arrays, layout, expected):
    """What stands before the first convolution's name, where the others stand behind it too."""
    first = next(iter(expected))
    endings = [name[: -len(first)] for name in arrays if name.endswith(first)]
    shortest = sorted({x for x in endings if not x or x.endswith((".", "/"))}, key=len)[:3]
    body = [name for name in expected if not name.startswith(layout.head)]
    return max(
        shortest, key=lambda prefix: sum(prefix + name in arrays for name in body), default=""
    )
