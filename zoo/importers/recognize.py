"""Which network a file of weights looks like, for the sentence that refuses it."""

from zoo.importers.layouts import SOURCES, targets
from zoo.places import places
from zoo.specs import TABLE_1, Network, find

# Names that only the relatives of these nets have.
RELATIVES = {
    "preact": "a pre-activation ResNet (V2)",
    "conv1.0.": "a ResNet with a deep stem, such as resnet50d",
    ".se.": "a squeeze-and-excitation ResNet",
    "rbr_": "a RepVGG",
}


def looks_like(arrays):
    """A few words: "resnet101 in the torchvision layout", ..., "no network of ours"."""
    kernels = sum(array.ndim == 4 for array in arrays.values())
    by_name = None
    for name in _candidates(kernels):
        for shortcut in ("B", "A", "C"):
            network = Network(name, 1, None, shortcut)
            if sum(1 for _ in places(network)) != kernels:
                continue
            for layout in _layouts(arrays):
                expected = _body(layout, network)
                if not expected.keys() <= arrays.keys():
                    continue
                words = f"{name} in the {layout.name} layout"
                if all(sorted(arrays[x].shape) == shape for x, shape in expected.items()):
                    return words
                by_name = by_name or f"{words}, of other widths: a wide ResNet or a ResNeXt"
    relative = next((text for mark, text in RELATIVES.items() if _any(mark, arrays)), None)
    return by_name or relative or f"no network of ours ({kernels} convolutions)"


def _layouts(arrays):
    """Every layout, those first whose head is there: option A's nets have the same bodies."""
    known = [layout for layouts in SOURCES.values() for layout in layouts]
    return sorted(known, key=lambda layout: layout.head + layout.suffixes[0] not in arrays)


def _candidates(kernels):
    """Table 1, and the 6n + 2 nets with so many convolutions under options A, B and C."""
    yield from (name for name in TABLE_1 if not find(name).plain)
    for extra, a_unit in ((1, 6), (3, 6), (1, 9)):
        n, rest = divmod(kernels - extra, a_unit)
        if n > 0 and rest == 0 and f"resnet{6 * n + 2}" not in TABLE_1:
            yield f"resnet{6 * n + 2}"


def _body(layout, network):
    """Sizes, in any order, of all that is required but the head, by the file's names."""
    return {
        name: sorted(target.shape)
        for name, target in targets(layout, network).items()
        if target.required and target.layer not in ("logits", "hidden")
    }


def _any(mark, arrays):
    return any(mark in name for name in arrays)
