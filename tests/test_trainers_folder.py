"""One's own pictures: what is trained and judged is what a person asked for, or a sentence."""

import dataclasses

import pytest
from pictures_in_folders import fill

import trainers
from trainers.plan import flags as plan
from trainers.plan.recipes import RECIPES
from trainers.run import door, keywords, options


def plan_of(**given):
    """The Run that keywords mean."""
    return plan.run(keywords.parse("test", (plan.define, options.define), given))


@pytest.mark.parametrize(
    "given, expected",
    [
        (dict(recipe="imagenet"), (224, 256)),
        (dict(recipe="imagenet", image_size=64), (64, 73)),  # 64 * 256 / 224 = 73.1
        (dict(recipe="torchvision", image_size=448), (448, 512)),
        (dict(recipe="imagenet", image_size=64, resize_px=64), (64, 64)),
        (dict(recipe="imagenet", image_size=8192), (8192, 8192)),  # what a flag may be at most
        (dict(recipe="cifar10", image_size=64), (64, None)),
    ],
)
def test_the_resized_side_follows_the_crop(given, expected):
    recipe = plan_of(**given).recipe
    assert (recipe.image_size, recipe.resize_px) == expected


def test_a_recipe_made_in_python_keeps_the_proportion_too():
    small = dataclasses.replace(RECIPES["imagenet"], image_size=64)
    assert plan_of(**door._of(small)).recipe.resize_px == 73


def test_a_class_in_the_frame_is_learned(tmp_path):
    """At `resize_px` 256 a crop of 32 px is the middle eighth of a picture, which is noise."""
    fill(tmp_path / "pictures", 20)
    trained = trainers.train(
        "imagenet",
        data="folder",
        data_dir=str(tmp_path / "pictures"),
        run_dir=tmp_path / "run",
        model="resnet8",
        image_size=32,
        steps=60,
        round_steps=60,
        batch_size=16,
        color=False,
        augmentation="none",
        pictures=False,
        verbose=False,
    )
    assert trained.last["validation_error"] == 0
