"""Recipes of localisers: App. C's numbers, which recipe whose data gets, what starts from where."""

import dataclasses
import math
import types

import numpy as np
import pytest

import zoo
from trainers.plan.detection import flags, transfer
from trainers.plan.detection.recipes import RECIPES as DETECTORS
from trainers.plan.localisation import images
from trainers.plan.localisation.recipes import RECIPES
from trainers.plan.refining import recipes as refining
from zoo import archive
from zoo.detection.preprocess import DetectionInput
from zoo.localisation.network import build_localiser
from zoo.preprocess import InputContract


def test_imagenets_recipe_is_the_papers():
    """App. C: 256 images, crops of 224 px, 8 anchors; Sec. 3.4: shorter sides of 256 to 480."""
    recipe = RECIPES["imagenet"]
    assert (recipe.batch_size, recipe.crop_px, recipe.rpn_anchors) == (256, 224, 8)
    assert (min(recipe.scales), max(recipe.scales), recipe.mirror) == (256, 480, True)
    longest = max(recipe.anchor_sizes) * math.sqrt(max(recipe.anchor_ratios))
    assert 200 < longest < 224  # the largest lie within a crop, or would never be learned


def test_r_cnns_recipe_is_the_papers():
    """App. C: 256 regions, 200 proposals, 224 px; a quarter at objects as R-CNN's 32 of 128."""
    recipe = refining.RECIPES["imagenet"]
    assert (recipe.batch_size, recipe.proposals, recipe.region_px) == (256, 200, 224)
    assert recipe.foreground == 32 / 128 and recipe.mirror


@pytest.mark.parametrize(
    ("recipes", "data", "name"),
    [
        (DETECTORS, "scenes", "scenes"),
        (DETECTORS, "scenes_single", "scenes"),
        (DETECTORS, "voc/2007", "voc"),
        (DETECTORS, "coco/2017", "coco"),
        (DETECTORS, "imagenet", "voc"),
        (RECIPES, "scenes_single", "scenes_single"),
        (RECIPES, "imagenet", "imagenet"),
        (RECIPES, "coco", "imagenet"),
        (refining.RECIPES, "scenes_single", "scenes_single"),
        (refining.RECIPES, "imagenet", "imagenet"),
    ],
)
def test_data_that_names_no_recipe_gets_the_one_of_its_kind(recipes, data, name):
    assert flags.default_for(data, recipes) == name


def test_a_localiser_begins_with_all_of_a_classifier(tmp_path):
    """Three layers are new; from a localiser they come along, but with other anchors one alone."""
    network = zoo.Network("resnet8", 3, 32, "A")
    classifier = zoo.build_network(network)
    archive.save(
        classifier, archive.Manifest(network, InputContract(32, 32), ("a", "b", "c")), tmp_path
    )
    recipe = dataclasses.replace(RECIPES["scenes_single"], rpn_filters=8, freeze_bn=True)
    run = types.SimpleNamespace(recipe=recipe, init_from=tmp_path)
    localiser = images.localiser(run, transfer.source_network(tmp_path), 4)
    model = build_localiser(localiser)
    assert transfer.begin(model, tmp_path) == 0
    for name in ("conv1_conv", "conv4_block1_2_bn"):
        for ours, theirs in zip(*(m.get_layer(name).get_weights() for m in (model, classifier))):
            np.testing.assert_array_equal(ours, theirs)
    told = transfer.describe(run, model, 0)
    assert "0 of 3 layers on top of it too, frozen batch normalisation" in told
    place = tmp_path / "localiser"
    about = localiser, DetectionInput(48, 48), tuple("abcd")
    manifest = archive.Manifest(*about, kind="localiser")
    archive.save(model, manifest, place)
    other = build_localiser(dataclasses.replace(localiser, sizes=(12.0,)))
    assert transfer.begin(build_localiser(localiser), place) == 3
    assert transfer.begin(other, place) == 1
