"""What a network expects of a picture: the manifest's `input`, said without TensorFlow."""

import dataclasses

from zoo import sizes, specs
from zoo.records import shown

METHODS = ("bilinear", "bicubic")
ROUNDINGS = ("nearest", "torch")
ORIENTATIONS = ("ignored", "exif")


@dataclasses.dataclass(frozen=True)
class InputContract:
    """How a picture becomes a network's input; the manifest's `input`.

    The shorter side is resized to `resize_px`, then the central `image_size` square is cut out
    (Sec. 3.4). An `image_size` of (height, width) is a box whose shorter side is made `resize_px`;
    the picture is resized until it just covers that, then the box's centre is cut out.

    `antialias` low-passes when shrinking, as PIL does and plain TensorFlow does not:
    the choice alone moves top-1 by up to a point. `rounding` "torch" makes whole pixels of the
    longer side and of the crop's corner as torchvision does: cut off, and to the nearest even.
    `orientation` "exif" turns a picture as its camera has noted; "ignored" is of weights from
    elsewhere and of manifests that do not speak of it.
    """

    image_size: int | tuple[int, int]
    resize_px: int
    method: str = "bilinear"
    antialias: bool = True
    rounding: str = "nearest"
    orientation: str = "ignored"

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"resize method: expected one of {METHODS}, got {shown(self.method)}")
        if self.rounding not in ROUNDINGS:
            raise ValueError(f"rounding: expected one of {ROUNDINGS}, got {shown(self.rounding)}")
        if self.orientation not in ORIENTATIONS:
            raise ValueError(
                f"orientation: expected one of {ORIENTATIONS}, got {shown(self.orientation)}"
            )
        if not isinstance(self.antialias, bool):
            raise ValueError(f"antialias: expected true or false, got {shown(self.antialias)}")
        self._keep("image_size", specs.input_size(self.image_size))
        self._keep("resize_px", specs.whole("resize_px", self.resize_px, specs.LARGEST_PX))
        if not sizes.shorter(self.image_size) <= self.resize_px:
            raise ValueError(
                "expected 1 <= image_size <= resize_px, got "
                f"{sizes.shown(self.image_size)} and {self.resize_px}"
            )

    def _keep(self, field, value):
        object.__setattr__(self, field, value)  # the way into a frozen dataclass

    @property
    def covered(self):
        """(height, width) that a resized picture covers."""
        sides = sizes.of(self.image_size)
        return tuple(round(side * self.resize_px / min(sides)) for side in sides)

    @property
    def bound_px(self):
        """What a picture's shorter side becomes at most: `headers` bounds memory by it."""
        return max(self.covered)
