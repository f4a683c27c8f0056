"""A localiser, and what refines its boxes, as data: network, how many classes, anchors."""

import dataclasses

from zoo.detection.specs import headless, positives, whole
from zoo.specs import Network


@dataclasses.dataclass(frozen=True)
class Localiser:
    """Everything that `build_localiser` needs to make the same localiser again.

    `network` is the classifier that it stands on, without its head; its classes and its size have
    no say. `sizes` are the sides of square anchors in px, `ratios` height to width. Each anchor
    has a score and a box for each class, as in App. C, or without `by_class` one of both for all
    of them, as in [32].
    """

    network: Network
    num_classes: int
    by_class: bool = True
    sizes: tuple[float, ...] = (48.0, 96.0, 152.0)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    rpn_filters: int = 512

    def __post_init__(self):
        if not isinstance(self.by_class, bool):
            raise ValueError(f"by_class: expected true or false, got {self.by_class!r:.80}")
        settled = {
            "network": headless(self.network),
            "sizes": positives("sizes", self.sizes),
            "ratios": positives("ratios", self.ratios),
            "num_classes": whole("num_classes", self.num_classes),
            "rpn_filters": whole("rpn_filters", self.rpn_filters),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)  # the way into a frozen dataclass

    @property
    def name(self):
        """Of the network."""
        return self.network.name

    @property
    def kinds(self):
        """How many scores and boxes an anchor has."""
        return self.num_classes if self.by_class else 1

    @property
    def anchors(self):
        """How many stand at each position of the map."""
        return len(self.sizes) * len(self.ratios)

    @property
    def stride(self):
        """Pixels of the picture from one position of the last map to the next."""
        spec = self.network.spec
        return {"imagenet": 4, "cifar": 1}[spec.stem] * 2 ** (len(spec.depths) - 1)


@dataclasses.dataclass(frozen=True)
class Refiner:
    """Everything that `build_refiner` needs to make the same R-CNN again.

    `network` is the classifier that it stands on, as a Localiser's.
    """

    network: Network
    num_classes: int

    def __post_init__(self):
        object.__setattr__(self, "network", headless(self.network))
        object.__setattr__(self, "num_classes", whole("num_classes", self.num_classes))

    @property
    def name(self):
        """Of the network."""
        return self.network.name
