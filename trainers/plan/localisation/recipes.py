"""Recipes of localisers: frozen data, App. C's as far as it goes, and one for scenes of a digit."""

import dataclasses

from trainers.plan.boxes import BoxRecipe
from trainers.plan.course import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalisationRecipe(BoxRecipe):
    """How to train a localiser: a few anchors of many pictures a step."""

    by_class: bool = setting("each class has scores and boxes of its own, or all share them", True)
    shorter_px: int = setting("shorter side of the network's input, px", 256)
    crop_px: int | None = setting("side of the random crop to train on, px; default: none", None)
    anchor_sizes: tuple[float, ...] = setting(
        "sides of square anchors, px of the network's input", (48.0, 96.0, 152.0)
    )
    rpn_filters: int = setting("channels of the 3x3 convolution on top of the network", 512)
    rpn_anchors: int = setting("anchors of a picture to learn from, half at objects", 8)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # Measured: reports/localisation.md.
        LocalisationRecipe(
            name="scenes_single",
            source="this project's: a digit on a photograph, seen at half its size, in minutes",
            data="scenes_single",
            model="resnet20",
            batch_size=32,
            steps=600,
            round_steps=100,
            learning_rate=0.05,
            schedule="cosine",
            warmup="linear",
            warmup_steps=50,
            warmup_learning_rate=1e-3,
            shorter_px=48,
            longer_px=48,
            mirror=False,
            anchor_sizes=(12.0, 20.0, 32.0),
            rpn_filters=64,
        ),
        LocalisationRecipe(
            name="imagenet",
            source="App. C: 256 pictures a step, random crops of 224 px, 8 anchors of each; scales "
            "as in Sec. 3.4. Anchors, rate and steps, some 20 epochs, are this project's",
            data="imagenet",
            model="resnet101",
            batch_size=256,
            steps=40_000,
            round_steps=2000,
            learning_rate=0.01,
            drops=(0.75,),
            scales=tuple(range(256, 481, 32)),
            crop_px=224,
        ),
    )
}
