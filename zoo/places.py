"""Every convolution of a network, and every array, with its size: read off Table 1 alone.

Nothing is built, so what a file claims to hold can be checked before it is believed.
"""

import dataclasses

from zoo import sizes


@dataclasses.dataclass(frozen=True)
class Place:
    """One convolution and its normalisation; `position` 0 is a block's projection.

    The first convolution is stage 1, unit 0, position 0; units and positions count from 1.
    """

    stage: int
    unit: int
    position: int
    kernel: int
    inputs: int
    filters: int

    @property
    def name(self):
        """The stem of our layers' names: `{name}_conv` and `{name}_bn`."""
        if self.stage == 1:
            return "conv1"
        return f"conv{self.stage}_block{self.unit}_{self.position}"


def places(network):
    """The convolutions in the order of the data: Network -> iterator of Place."""
    spec = network.spec
    width = network.stem_filters or spec.filters[0]
    yield Place(1, 0, 0, {"imagenet": 7, "cifar": 3}[spec.stem], 3, width)
    for stage, (filters, depth) in enumerate(zip(spec.filters, spec.depths, strict=True), start=2):
        wide = filters * spec.wide
        for unit in range(1, depth + 1):
            grows = (stage > 2 and unit == 1) or width != wide
            if network.shortcut == "C" or (network.shortcut == "B" and grows):
                yield Place(stage, unit, 0, 1, width, wide)
            for position, (kernel, inputs, outputs) in enumerate(_block(spec, width, filters), 1):
                yield Place(stage, unit, position, kernel, inputs, outputs)
            width = wide


def features(network):
    """Channels that the head reads: 64, 512 or 2048 at width 1."""
    return list(places(network))[-1].filters


def dense(network):
    """The dense layers of the head in their order: [(layer's name, inputs, units), ...]."""
    if network.hidden is None:
        return [("logits", features(network), network.num_classes)]
    return [
        ("hidden", features(network), network.hidden),
        ("logits", network.hidden, network.num_classes),
    ]


def shapes(network):
    """The arrays of each layer, in Keras' order: Network -> {layer's name: [shape, ...]}."""
    sides = sizes.of(network.image_size) if network.mean == "pixel" else (1, 1)
    found = {"pixels": [(*sides, 3), (3,)]}
    for place in places(network):
        kernel = (place.kernel, place.kernel, place.inputs, place.filters)
        found[f"{place.name}_conv"] = [kernel]
        found[f"{place.name}_bn"] = [(place.filters,)] * 4
    for name, inputs, units in dense(network):
        found[name] = [(inputs, units), (units,)]
    return found


def _block(spec, width, filters):
    """Kernel, inputs and filters of a block's own layers (Fig. 5)."""
    if spec.block == "basic":
        return (3, width, filters), (3, filters, filters)
    return (1, width, filters), (3, filters, filters), (1, filters, 4 * filters)
