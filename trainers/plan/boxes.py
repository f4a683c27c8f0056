"""What recipes for pictures with boxes have alike: the size they are seen at, anchors, freezing."""

import dataclasses

from trainers.plan.course import Course, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxRecipe(Course):
    """How to train what finds boxes among anchors; which sides and sizes, each task says."""

    shorter_px: int
    anchor_sizes: tuple[float, ...]
    longer_px: int = setting("longer side at most, px: it may make the shorter one smaller", 1000)
    scales: tuple[int, ...] = setting("shorter sides to train at, drawn for each picture, px", ())
    mirror: bool = setting("mirror every second picture", True)
    anchor_ratios: tuple[float, ...] = setting("anchors' heights to widths", (0.5, 1.0, 2.0))
    freeze: str | None = setting("with --init_from: what stays as it came, up to a stage", None)
    freeze_bn: bool | None = setting(
        "batch normalisation in inference mode (App. A); default: with --init_from", None
    )

    def __post_init__(self):
        super().__post_init__()
        if self.longer_px < self.shorter_px:
            raise ValueError(
                f"--longer_px={self.longer_px}: expected at least --shorter_px={self.shorter_px}"
            )
