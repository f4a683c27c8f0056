"""A detector as data: which network, cut before its last stage, which anchors, which decisions."""

import dataclasses
import numbers

from zoo.specs import Network

POOLINGS = ("align", "max")
COUNTS = ("num_classes", "bins", "rpn_filters", "proposals_before", "proposals", "detections")
OFFSET_SCALES = (0.1, 0.1, 0.2, 0.2)  # of dy, dx, dh, dw in the head: Fast R-CNN's released code


@dataclasses.dataclass(frozen=True)
class Detector:
    """Everything that `build_detector` needs to make the same detector again.

    `network` is the classifier whose stages it takes; its head and its size have no say.
    `num_classes` counts the kinds of objects, the background not. `sizes` are the sides of square
    anchors in px, `ratios` height to width. A region is pooled to `bins` x `bins`, which the last
    stage halves, by RoIAlign ("align") or Caffe's RoI max pooling ("max"). With `context` each
    region's feature is joined by the whole image's (App. B).

    The rest are decisions of a trained detector. Of the `proposals_before` likeliest anchors at
    most `proposals` are kept, whose IoU is at most `proposal_iou`; of the head's boxes of a score
    above `least_score` those of one class whose IoU is at most `nms_iou`, `detections` at most.
    """

    network: Network
    num_classes: int
    sizes: tuple[float, ...] = (128.0, 256.0, 512.0)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    pooling: str = "align"
    bins: int = 14
    rpn_filters: int = 512
    context: bool = False
    proposals_before: int = 6000
    proposals: int = 300
    proposal_iou: float = 0.7
    least_score: float = 0.05
    nms_iou: float = 0.3
    detections: int = 100

    def __post_init__(self):
        self._keep("network", headless(self.network))
        for name in ("sizes", "ratios"):
            self._keep(name, positives(name, getattr(self, name)))
        if self.pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {self.pooling!r}: expected one of align, max")
        if not isinstance(self.context, bool):
            raise ValueError(f"context: expected true or false, got {self.context!r}")
        for name in COUNTS:
            self._keep(name, whole(name, getattr(self, name)))
        if self.bins % 2:
            raise ValueError(f"bins: expected an even number, got {self.bins}")
        for name in ("proposal_iou", "least_score", "nms_iou"):
            self._keep(name, _share(name, getattr(self, name)))

    @property
    def name(self):
        """Of the network."""
        return self.network.name

    @property
    def anchors(self):
        """How many stand at each position of the map."""
        return len(self.sizes) * len(self.ratios)

    @property
    def stride(self):
        """Pixels of the picture from one position of the shared map to the next."""
        spec = self.network.spec
        stem = {"imagenet": 4, "cifar": 1}[spec.stem]
        return stem * 2 ** (len(spec.depths) - 2)

    @property
    def skips_bins(self):
        """Whether the last stage would read but every second bin, so that the others are left out.

        Both its first convolutions are 1x1 of stride 2 in the paper's bottlenecks.
        """
        return self.network.spec.block == "bottleneck" and self.network.stride == "1x1"

    def _keep(self, field, value):
        object.__setattr__(self, field, value)  # the way into a frozen dataclass


def headless(network):
    """The Network, or its dict of JSON, without what has no say: its size, mean and hidden layer.

    ValueError for anything else.
    """
    if isinstance(network, dict):
        network = Network(**network)
    if not isinstance(network, Network):
        raise ValueError(f"network: expected a Network, got {network!r:.80}")
    return dataclasses.replace(network, image_size=None, mean="channel", hidden=None)


def positives(name, values):
    if not isinstance(values, (list, tuple)) or not values:
        raise ValueError(f"{name}: expected positive numbers, got {values!r:.80}")
    for value in values:
        if not isinstance(value, numbers.Real) or isinstance(value, bool) or not value > 0:
            raise ValueError(f"{name}: expected positive numbers, got {value!r:.80}")
    return tuple(float(value) for value in values)


def whole(name, value):
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {value!r:.80}")
    return int(value)


def _share(name, value):
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a number between 0 and 1, got {value!r:.80}")
    return float(value)
