"""Recipes of R-CNN on proposals: frozen data, App. C's as far as it goes, and one for scenes."""

import dataclasses

from trainers.plan.course import Course, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class RefiningRecipe(Course):
    """How to train it: `batch_size` counts regions, an epoch as many as there are pictures."""

    region_px: int = setting("side of the square that a region is warped to, px", 224)
    proposals: int = setting("of a picture and class, the localiser's best after their NMS", 200)
    proposal_iou: float = setting("NMS of proposals: the largest IoU", 0.7)
    foreground: float = setting("share of a batch's regions at objects", 0.25)
    mirror: bool = setting("mirror every second region", True)
    freeze: str | None = setting("with --init_from: what stays as it came, up to a stage", None)
    freeze_bn: bool | None = setting(
        "batch normalisation in inference mode (App. A); default: with --init_from", None
    )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # Measured: reports/localisation.md.
        RefiningRecipe(
            name="scenes_single",
            source="this project's: regions of scenes of 96 px, fewer and smaller, in minutes",
            data="scenes_single",
            model="resnet20",
            batch_size=128,
            steps=600,
            round_steps=200,
            learning_rate=0.2,
            schedule="cosine",
            warmup="linear",
            warmup_steps=50,
            warmup_learning_rate=1e-3,
            region_px=32,
            proposals=40,
            mirror=False,
        ),
        RefiningRecipe(
            name="imagenet",
            source="App. C: 256 regions a step, 200 proposals, 224 px; as R-CNN a quarter at "
            "objects, at a rate of 0.001. Its steps are this project's",
            data="imagenet",
            model="resnet101",
            batch_size=256,
            steps=40_000,
            round_steps=10_000,
            learning_rate=1e-3,
            drops=(0.75,),
        ),
    )
}
