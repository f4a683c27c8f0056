"""Each tensor of a file accounted for, and put into our layers' form."""

import dataclasses

import numpy as np

from zoo.importers import ImportFailed
from zoo.importers.layouts import SOURCES, Layout, targets
from zoo.importers.recognize import looks_like
from zoo.specs import Network, find

SHOWN = 8  # names of each kind when the file is another network altogether


@dataclasses.dataclass(frozen=True)
class Match:
    """A file's tensors against a network in a layout; whole when nothing is left over."""

    layout: Layout
    network: Network
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def faults(self):
        return len(self.missing) + len(self.unused) + len(self.misshapen)

    @property
    def headless(self):
        """Whether the head is missing and nothing else is amiss."""
        head = [name for name in self.missing if name.startswith(self.layout.head)]
        return 0 < len(head) == self.faults


def match(arrays, source, name):
    """The layout and shortcut under which a file fits best: arrays, --source, --model -> Match."""
    found = [
        compare(arrays, layout, network)
        for layout in SOURCES[source]
        for network in networks(arrays, layout, name)
    ]
    return min(found, key=lambda candidate: candidate.faults)


def networks(arrays, layout, name):
    """The network with each shortcut that it may have; the file's head tells the classes."""
    spec = find(name)
    head = arrays.get(layout.head + layout.suffixes[1])
    classes = spec.num_classes if head is None or head.ndim != 1 else head.size
    # B first: for ImageNet it is what everyone has published.
    for shortcut in (None,) if spec.plain else ("B", "A", "C"):
        yield Network(name, classes, None, shortcut)


def compare(arrays, layout, network):
    """What is missing, left over or of another shape, by the file's own names."""
    expected = targets(layout, network)
    idle = {name for name in arrays if layout.idle and name.endswith(layout.idle)}
    misshapen = []
    for name in expected.keys() & arrays.keys():
        wanted, came = expected[name], arrays[name].shape
        if _shape(wanted) != came:
            misshapen.append(f"{name} ({came}, expected {_shape(wanted)})")
    required = {name for name, target in expected.items() if target.required}
    return Match(
        layout,
        network,
        missing=tuple(sorted(required - arrays.keys())),
        unused=tuple(sorted(arrays.keys() - expected.keys() - idle)),
        misshapen=tuple(sorted(misshapen)),
    )


def check(arrays, found, path, *, headless):
    """Raises ImportFailed, naming each tensor, unless the file is exactly this network."""
    if headless and not found.faults:
        raise ImportFailed(f"{path} has a head, {found.layout.head}: leave --headless out")
    if found.headless if headless else not found.faults:
        return
    if found.headless:
        raise ImportFailed(
            f"{path} has no head ({', '.join(found.missing)}): --headless imports the rest, "
            "with a head of zeros"
        )
    wanted = f"{found.network.name} in the {found.layout.name} layout"
    looks = looks_like(arrays)
    if looks == wanted:
        raise ImportFailed(f"{path} is {wanted} but for these tensors: {_faults(found)}")
    few = None if looks.startswith("no network") else SHOWN
    raise ImportFailed(
        f"{path} is not {found.network.name}; it looks like {looks}. "
        f"Compared with {wanted}, {_faults(found, few)}"
    )


def _faults(found, few=None):
    """Every tensor that does not fit, or a few of each kind and how many more."""
    kinds = {
        "missing": found.missing,
        "unused": found.unused,
        "of another shape": found.misshapen,
    }
    return "; ".join(f"{kind}: {_listed(names, few)}" for kind, names in kinds.items() if names)


def convert(arrays, layout, network):
    """Our weights: {layer: {variable: float32 array}}; a missing head becomes zeros."""
    weights = {}
    for name, target in targets(layout, network).items():
        if name in arrays:
            array = np.asarray(arrays[name], "float32")
            if target.axes:
                array = array.transpose(target.axes)
            _sound(array, target, name)
        elif target.required:
            array = np.zeros(target.shape, "float32")
        else:
            continue
        weights.setdefault(target.layer, {})[target.variable] = array
    if layout.bgr:
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


def _listed(names, few):
    more = f" and {len(names) - few} more" if few and len(names) > few else ""
    return ", ".join(names[:few]) + more
