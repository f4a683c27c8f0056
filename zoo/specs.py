"""Architectures as data: Table 1's five columns and the 6n + 2 family of Sec. 4.2."""

import dataclasses
import numbers
import re

from zoo import sizes
from zoo.records import shown

SHORTCUTS = ("A", "B", "C")
STRIDES = ("1x1", "3x3")
BATCH_NORMS = ("replica", "synchronized")
MEANS = ("channel", "pixel")
POOL_PADS = ("both", "end")
ZEROS = ("end", "split")
LARGEST_PX, MOST_CLASSES = 8192, 1_000_000  # of a picture's side; beyond, a number is a mistake
MOST_HIDDEN = 16_384  # four times VGG's
WIDTHS = (1 / 16, 16)  # of Table 1's filters: 1 to 256 in the first layer of a CIFAR net


@dataclasses.dataclass(frozen=True)
class Spec:
    """One column of Table 1 or one n of the 6n + 2 family.

    `depths` are the blocks and `filters` the width of conv2_x, conv3_x, ... A plain net has the
    layers of its residual twin and no shortcuts (`shortcut` None).
    """

    name: str
    stem: str  # "imagenet": 7x7 stride 2 and max pool; "cifar": 3x3
    block: str  # "basic" or "bottleneck" (Fig. 5)
    depths: tuple[int, ...]
    filters: tuple[int, ...]
    shortcut: str | None
    num_classes: int
    image_size: int

    @property
    def plain(self):
        return self.shortcut is None

    @property
    def wide(self):
        """What a block's output has for each of its filters (Fig. 5): 1, or a bottleneck's 4."""
        return {"basic": 1, "bottleneck": 4}[self.block]

    @property
    def last_stage(self):
        """The number of the last convX_x: 5 in Table 1, 4 in the 6n + 2 family."""
        return 1 + len(self.depths)

    @property
    def layers(self):
        """Weighted layers as the paper counts them: projections are left out."""
        return 2 + sum(self.depths) * {"basic": 2, "bottleneck": 3}[self.block]


@dataclasses.dataclass(frozen=True)
class Network:
    """Everything that `build_network` needs to make the same network again.

    `image_size` is a side or (height, width); None leaves both free. `stride` says which
    convolution of a bottleneck halves the map: "1x1" as in the paper, "3x3" as in most libraries
    (v1.5). `mean` is the shape of what the first layer subtracts: one RGB triple, or one for each
    pixel.

    The last six are for weights that were trained elsewhere. `bn_epsilon` is added to every
    variance. `pool_pad` "end" pads conv1's max pool behind only, as Caffe does. `zeros` says where
    option A puts the new channels: behind x's, or half on each side of them. `width` multiplies
    the filters of every convolution: 0.5 is half of Table 1's. `hidden` are the units of a dense
    layer and its ReLU between the pooling and the logits.

    Numbers may be numpy's; Python's are kept, so a network is JSON. ValueError for the first field
    that is not of its kind says what is known.
    """

    name: str
    num_classes: int
    image_size: int | tuple[int, int] | None
    shortcut: str | None
    stride: str = "1x1"
    batch_norm: str = "replica"
    mean: str = "channel"
    bn_epsilon: float = 1e-5  # Caffe's and Torch's; Keras' own is 1e-3
    pool_pad: str = "both"
    zeros: str = "end"
    width: float = 1.0
    stem_filters: int | None = None  # of the first convolution; None: as many as conv2_x has
    hidden: int | None = None

    @property
    def spec(self):
        """The Spec of its name, with the filters that `width` makes of them."""
        spec = find(self.name)
        filters = tuple(max(1, round(self.width * filters)) for filters in spec.filters)
        return dataclasses.replace(spec, filters=filters)

    def as_fields(self):
        """For JSON; the paper's width goes without saying, as it did before there were others."""
        fields = dataclasses.asdict(self)
        if self.width == 1:
            del fields["width"]
        for name in ("stem_filters", "hidden"):
            if fields[name] is None:
                del fields[name]
        return fields

    def __post_init__(self):
        spec = find(self.name)
        if spec.plain and self.shortcut is not None:
            raise ValueError(f"{self.name} has no shortcuts: expected None, got {self.shortcut!r}")
        if not spec.plain:
            _one_of("shortcut", self.shortcut, SHORTCUTS)
        _one_of("stride", self.stride, STRIDES)
        _one_of("batch_norm", self.batch_norm, BATCH_NORMS)
        self._keep("num_classes", whole("num_classes", self.num_classes, MOST_CLASSES))
        if self.image_size is not None:
            self._keep("image_size", input_size(self.image_size))
        _one_of("mean", self.mean, MEANS)
        if self.mean == "pixel" and self.image_size is None:
            raise ValueError("a per-pixel mean needs an image_size; got None")
        self._keep("bn_epsilon", _fraction("bn_epsilon", self.bn_epsilon))
        _one_of("pool_pad", self.pool_pad, POOL_PADS)
        _one_of("zeros", self.zeros, ZEROS)
        if self.stem_filters is not None:
            self._keep("stem_filters", whole("stem_filters", self.stem_filters, 1024))
        if self.hidden is not None:
            self._keep("hidden", whole("hidden", self.hidden, MOST_HIDDEN))
        self._keep("width", _within("width", self.width, *WIDTHS))

    def _keep(self, field, value):
        object.__setattr__(self, field, value)  # the way into a frozen dataclass


def imagenet(block, *depths, plain=False):
    """A column of Table 1. The paper's own choice for its deeper nets is option B (Sec. 4.1)."""
    return dict(
        stem="imagenet",
        block=block,
        depths=depths,
        filters=(64, 128, 256, 512),
        shortcut=None if plain else "B",
        num_classes=1000,
        image_size=224,
    )


def cifar(n, *, plain=False):
    """6n + 2 layers on maps of 32, 16 and 8 pixels, option A everywhere (Sec. 4.2)."""
    return dict(
        stem="cifar",
        block="basic",
        depths=(n, n, n),
        filters=(16, 32, 64),
        shortcut=None if plain else "A",
        num_classes=10,
        image_size=32,
    )


TABLE_1 = {
    "plain18": imagenet("basic", 2, 2, 2, 2, plain=True),
    "plain34": imagenet("basic", 3, 4, 6, 3, plain=True),
    "plain50": imagenet("bottleneck", 3, 4, 6, 3, plain=True),  # Sec. 4.1, footnote 4
    "resnet18": imagenet("basic", 2, 2, 2, 2),
    "resnet34": imagenet("basic", 3, 4, 6, 3),
    "resnet50": imagenet("bottleneck", 3, 4, 6, 3),
    "resnet101": imagenet("bottleneck", 3, 4, 23, 3),
    "resnet152": imagenet("bottleneck", 3, 8, 36, 3),
}
CIFAR_N = {"plain": (3, 5, 7, 9, 18), "resnet": (3, 5, 7, 9, 18, 200)}


def names():
    """Every network that the paper trains, in its order."""
    family = [f"{kind}{6 * n + 2}" for kind, counts in CIFAR_N.items() for n in counts]
    return [*TABLE_1, *family]


def find(name):
    """The Spec of a name: Table 1's, or `resnetD` and `plainD` for any other D = 6n + 2.

    D has four digits at most. Depths 50 and 152 are 6n + 2 too; those names stay Table 1's.
    Raises ValueError, with Table 1's names, for anything else.
    """
    text = name if isinstance(name, str) else ""
    if text in TABLE_1:
        return Spec(name=name, **TABLE_1[name])
    match = re.fullmatch(r"(resnet|plain)([1-9][0-9]{0,3})", text)
    if match:
        kind, depth = match[1], int(match[2])
        if depth >= 8 and depth % 6 == 2 and f"resnet{depth}" not in TABLE_1:
            return Spec(name=name, **cifar((depth - 2) // 6, plain=kind == "plain"))
    raise ValueError(
        f"unknown network {shown(name)}: expected one of {', '.join(TABLE_1)}, "
        "or resnetD or plainD, such as resnet8 or resnet1202, with D = 6n + 2 layers"
    )


def deepens(shallow_name, deep_name):
    """Whether the second is the first with more blocks: no stage shorter, one longer."""
    shallow, deep = find(shallow_name), find(deep_name)
    alike = all(getattr(shallow, x) == getattr(deep, x) for x in ("stem", "block", "filters"))
    longer = all(d >= s for s, d in zip(shallow.depths, deep.depths, strict=alike))
    return alike and longer and shallow.plain == deep.plain and shallow.depths != deep.depths


def _one_of(what, value, known):
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"unknown {what} {shown(value)}: expected one of {', '.join(known)}")


def input_size(value):
    """A side in px, or (height, width), checked: `sizes.plain` of it. ValueError."""
    several = isinstance(value, (tuple, list)) and len(value) == 2
    sides = value if several else (value, value)
    return sizes.plain([whole("image_size", side, LARGEST_PX) for side in sides])


def whole(what, value, most):
    """The value as Python's int. ValueError unless it is a whole number from 1 to `most`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what}: expected a whole number of at least 1, got {shown(value)}")
    if value > most:
        raise ValueError(f"{what}: expected a whole number of at most {most:,}, got {value!r}")
    return int(value)


def _fraction(what, value):
    if not isinstance(value, numbers.Real) or not 0 < value < 1:
        raise ValueError(f"{what}: expected a number in (0, 1), got {shown(value)}")
    return float(value)


def _within(what, value, least, most):
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(
            f"{what}: expected a number from {least:g} to {most:g}, got {shown(value)}"
        )
    return float(value)
