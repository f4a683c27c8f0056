"""What a detector expects of a picture: the manifest's `input`, said without TensorFlow."""

import dataclasses

from zoo import limits
from zoo.contract import METHODS


@dataclasses.dataclass(frozen=True)
class DetectionInput:
    """How a picture becomes a detector's input; the manifest's `input`.

    The shorter side becomes `shorter_px` (Sec. A: 600), or less where the longer would exceed
    `longer_px`. `orientation` is "exif" alone: boxes are those of the picture as people see it.
    """

    shorter_px: int = 600
    longer_px: int = 1000
    orientation: str = "exif"
    method: str = "bilinear"
    antialias: bool = True

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"resize method: expected one of {METHODS}, got {self.method!r}")
        if self.orientation != "exif":
            raise ValueError(f"orientation: expected 'exif' for boxes, got {self.orientation!r}")
        sides = self.shorter_px, self.longer_px
        if not all(map(limits.SIDE.holds, sides)) or self.shorter_px > self.longer_px:
            raise ValueError(
                f"expected shorter_px <= longer_px, each {limits.SIDE}, got {sides[0]!r} and "
                f"{sides[1]!r}"
            )
