"""Each tensor of a file accounted for, and put into our layers' form."""

import dataclasses

import numpy as np

from zoo.importers import ImportFailed, renaming
from zoo.importers.layouts import HIDDEN, SOURCES, Layout, targets
from zoo.importers.recognize import looks_like
from zoo.specs import WIDTHS, Network, find

SHOWN = 3  # tensors that a refusal names


@dataclasses.dataclass(frozen=True)
class Match:
    """A file's tensors against a network in a layout; whole when nothing is left over."""

    layout: Layout
    network: Network
    arrays: dict
    own_head: bool  # whether the head has the layout's name: option A's nets have the same bodies
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def faults(self):
        return len(self.missing) + len(self.unused) + len(self.misshapen)

    @property
    def headless(self):
        """Whether the head is missing, or other dense layers than ours, and nothing else amiss."""
        head = [name for name in self.missing if name.startswith(self.layout.head)]
        return 0 < len(head) == self.faults - sum(self._of_dense(name) for name in self.unused)

    @property
    def dense(self):
        """Matrices in place of the head."""
        return [name for name in self.unused if self.arrays[name].ndim == 2]

    def _of_dense(self, name):
        kernel, bias = self.layout.suffixes[:2]
        return name in self.dense or name.removesuffix(bias) + kernel in self.dense


def match(arrays, source, name):
    """The layout and shortcut under which a file fits best: arrays, --source, --model -> Match."""
    found = [
        compare(arrays, layout, network)
        for layout in SOURCES[source]
        for network in networks(arrays, layout, name)
    ]
    return min(found, key=lambda candidate: (candidate.faults, not candidate.own_head))


def networks(arrays, layout, name):
    """The network with each shortcut that it may have; the file's head tells the classes."""
    spec = find(name)
    expected = targets(layout, Network(name, 1, None, "B" if not spec.plain else None))
    found = renaming.renamed(arrays, layout, expected)
    classes = _units(found, layout, layout.head) or spec.num_classes
    hidden = _units(found, layout, HIDDEN)
    # B first: for ImageNet it is what everyone has published.
    width, stem = _width(arrays, layout, name)
    for shortcut in (None,) if spec.plain else ("B", "A", "C"):
        yield Network(name, classes, None, shortcut, width=width, stem_filters=stem, hidden=hidden)


def _units(arrays, layout, layer):
    """How many units a dense layer has; None if it is not there."""
    kernel = arrays.get(layer + layout.suffixes[0])
    if kernel is None or kernel.ndim != 2:
        return None
    return kernel.shape[0 if layout.transposed else 1] or 1


def _width(arrays, layout, name):
    """(width, stem_filters): the filters of the first two convolutions, against the paper's."""
    network = Network(name, 1, None, find(name).shortcut)
    expected = targets(layout, network)
    conv2 = next(x for x, target in expected.items() if target.layer == "conv2_block1_1_conv")
    filters = [_filters(arrays, first, expected[first]) for first in (next(iter(expected)), conv2)]
    width = filters[1] / find(name).filters[0]
    width = width if WIDTHS[0] <= width <= WIDTHS[1] else 1.0
    usual = dataclasses.replace(network, width=width).spec.filters[0]
    return width, filters[0] if 0 < filters[0] <= 1024 and filters[0] != usual else None


def _filters(arrays, name, target):
    """How many filters the kernel of this name has, whatever stands before it; 0 if none."""
    named = [key for key, x in arrays.items() if key.endswith(name) and x.ndim == 4]
    if not named:
        return 0
    return arrays[min(named, key=len)].shape[0 if target.axes else 3]


def compare(arrays, layout, network):
    """What is missing, left over or of another shape, by the file's own names."""
    expected = targets(layout, network)
    own_head = any(f".{layout.head}." in f".{name.replace('/', '.')}" for name in arrays)
    arrays = renaming.renamed(arrays, layout, expected)
    idle = {name for name in arrays if layout.idle and name.endswith(layout.idle)}
    misshapen = []
    for name in [name for name in expected if name in arrays]:
        wanted, came = expected[name], arrays[name].shape
        if _shape(wanted) != came:
            misshapen.append(f"{name} ({came}, expected {_shape(wanted)})")
    required = [name for name, target in expected.items() if target.required]
    kernel, bias = layout.suffixes[:2]
    for layer in (layout.head, HIDDEN):
        if layer + kernel in expected.keys() & arrays.keys():
            required.remove(layer + bias)  # a layer without a bias has one of zeros
    return Match(
        layout,
        network,
        arrays,
        own_head,
        missing=tuple(name for name in required if name not in arrays),
        unused=tuple(sorted(arrays.keys() - expected.keys() - idle)),
        misshapen=tuple(misshapen),
    )


def check(arrays, found, path, *, headless):
    """Raises ImportFailed, naming each tensor, unless the file is exactly this network."""
    if headless and not found.faults:
        raise ImportFailed(f"{path} has a head, {found.layout.head}: leave --headless out")
    if found.headless if headless else not found.faults:
        return
    if found.headless:
        several = f"a head of other layers ({_few(found.dense)}), ours has one or two"
        none = f"no head ({', '.join(sorted(found.missing))})"
        raise ImportFailed(
            f"{path} has {several if found.dense else none}: --headless imports the rest, "
            "with a head of zeros"
        )
    _check_stem(found, path)
    wanted = f"{found.network.name} in the {found.layout.name} layout"
    looks = looks_like(found.arrays)
    if looks == wanted:
        raise ImportFailed(f"{path} is {wanted} but for these tensors: {_faults(found)}")
    raise ImportFailed(
        f"{path} is not {found.network.name}; it looks like {looks}. "
        f"Compared with {wanted}, {_faults(found)}"
    )


def _check_stem(found, path):
    """Names a network that is ours but for its first convolution."""
    first, target = next(iter(targets(found.layout, found.network).items()))
    kernel = found.arrays.get(first)
    if found.faults != 1 or not found.misshapen or kernel is None or kernel.ndim != 4:
        return
    side, channels = kernel.shape[2 if target.axes else 0], kernel.shape[1 if target.axes else 2]
    ours = target.shape[0]
    named = found.network.name
    if channels != 3:
        raise ImportFailed(
            f"{path} is {named} for pictures of {channels} channel{'s' * (channels > 1)} "
            f"({found.misshapen[0]}): ours read RGB, so it is no network of this project"
        )
    if side != ours:
        stem = " (a CIFAR stem, without the max pool)" if ours == 7 else ""
        raise ImportFailed(
            f"{path} is {named} but for its first convolution of {side}x{side}{stem}, ours has "
            f"{ours}x{ours} ({first}): it is no network of this project"
        )


def _faults(found):
    """The most telling tensors that do not fit, one of each kind at least, and how many more.

    The first ones on the way of the data tell most: what follows follows.
    """
    kinds = {
        "missing": list(found.missing),
        "unused": list(found.unused),
        "of another shape": list(found.misshapen),
    }
    kinds = {kind: names for kind, names in kinds.items() if names}
    shown = {kind: names[:1] for kind, names in kinds.items()}
    for kind, names in kinds.items():
        room = SHOWN - sum(map(len, shown.values()))
        shown[kind] = names[: 1 + room]
    text = "; ".join(f"{kind}: {', '.join(_cut(x) for x in shown[kind])}" for kind in kinds)
    more = found.faults - sum(map(len, shown.values()))
    return text + (f"; and {more} more" if more else "")


def _few(names):
    return ", ".join(map(_cut, names[:SHOWN]))


def _cut(name):
    return name if len(name) <= 60 else f"{name[:57]}..."


def convert(arrays, layout, network, bgr=None):
    """Our weights: {layer: {variable: float32 array}}; a missing head becomes zeros.

    `bgr` says whether the first kernel reads BGR, where it is not as in the layout's own files.
    """
    weights = {}
    for name, target in targets(layout, network).items():
        if name in arrays:
            array = np.asarray(arrays[name], "float32")
            if target.axes:
                array = array.transpose(target.axes)
            _sound(array, target, name)
        elif target.required:
            array = np.zeros(target.shape, "float32")  # the head's
        else:
            continue
        weights.setdefault(target.layer, {})[target.variable] = array
    if layout.bgr if bgr is None else bgr:
        weights["conv1_conv"]["kernel"] = weights["conv1_conv"]["kernel"][:, :, ::-1]
    for layer in [layer for layer, variables in weights.items() if layer.endswith("_conv")]:
        _fold_bias(weights[layer], weights[layer.removesuffix("_conv") + "_bn"])
    return weights


def _fold_bias(conv, norm):
    """BN(conv + bias) = BN(conv) with the bias taken off the mean: the same, less one addition."""
    bias = conv.pop("bias", None)
    if bias is not None:
        norm["moving_mean"] = norm["moving_mean"] - bias


def _sound(array, target, name):
    if not np.isfinite(array).all():
        raise ImportFailed(f"{name} holds numbers that are not finite: the file is damaged")
    if target.variable == "moving_variance" and (array < 0).any():
        raise ImportFailed(f"{name} holds negative variances: the file is damaged")


def _shape(target):
    """A target's shape as the file has it."""
    if target.axes is None:
        return target.shape
    shape = [0] * len(target.shape)
    for ours, theirs in enumerate(target.axes):
        shape[theirs] = target.shape[ours]
    return tuple(shape)
