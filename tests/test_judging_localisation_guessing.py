"""How pictures are looked at: boxes in their own pixels, the central crop, classes by whom."""

import types
import unittest.mock

import numpy as np
import pytest
import tensorflow as tf
from pictures_with_boxes import coco, drawn

from trainers.data import boxes
from trainers.judging.localisation import errors, guessing, rounds
from zoo.detection.preprocess import DetectionInput

# Class 0 always in the upper left corner, class 1 in the middle, 8 px each; class 1 is surer.
CORNER, LESS, MORE = (0.0, 0.0, 8.0, 8.0), 0.25, 0.75


def find(pixels, sizes):
    """A localiser that knows where without looking."""
    middle = tf.cast(sizes, tf.float32) / 2
    centre = tf.concat([middle - 4, middle + 4], axis=1)
    corner = tf.tile([CORNER], (pixels.shape[0], 1))
    return tf.stack([corner, centre], axis=1), tf.tile([[LESS, MORE]], (pixels.shape[0], 1))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """40 x 80 px, seen at half of that: class "a" at the corner, "b" in the middle, 16 px each."""
    root = tmp_path_factory.mktemp("coco")
    grey = drawn(40, 80, (0, 0, 0, 0))
    places = {0: (3, [0, 0, 16, 16]), 1: (9, [32, 12, 16, 16])}
    objects = [
        {"image_id": n, "category_id": kind, "bbox": box, "area": 256}
        for n, (kind, box) in places.items()
    ]
    coco(root, {"a.png": (0, grey), "b.png": (1, grey)}, objects, {3: "a", 9: "b"}, "val2017")
    coco(root, {"a.png": (0, grey)}, objects[:1], {3: "a", 9: "b"})
    return boxes.load("coco", "validation", data_dir=str(root))


CONTRACT = DetectionInput(20, 40)


def test_boxes_are_in_the_pictures_own_pixels(source):
    """Half size: 8 px are 16. Its own scores guess "b" first, wrong on the first picture."""
    seen = guessing.see(find, source, CONTRACT, guessing.Look())
    np.testing.assert_allclose(seen.guesses.told, [[0, 0, 16, 16], [12, 32, 28, 48]])
    assert seen.guesses.classes.tolist() == [[1, 0], [1, 0]]
    assert seen.guesses.scores.tolist() == [[MORE, LESS]] * 2
    assert errors.judge(seen.truth, seen.guesses) == {
        "gt_class_error": 0.0, "error": 0.5, "error_top5": 0.0, "class_error": 0.5,
        "class_error_top5": 0.0,
    }  # fmt: skip
    assert seen.found.classes.tolist() == [1, 1] and seen.found.picture.tolist() == [0, 1]


def test_of_a_picture_smaller_than_the_crop_all_is_seen():
    pixels, sizes = tf.zeros((2, 20, 40, 3)), tf.constant([[20, 40]] * 2)
    for side, size, corner in (
        (12, [12, 12], [4, 14]),
        (30, [20, 30], [0, 5]),
        (64, [20, 40], [0, 0]),
    ):
        crops, cropped, corners = guessing.central(pixels, sizes, side)
        assert crops.shape[1:3] == size and cropped.numpy().tolist() == [size] * 2
        assert corners.numpy().tolist() == [corner] * 2


def test_the_central_crops_boxes_are_the_whole_pictures(source):
    """12 px of 20 x 40 begin at (4, 14): (8, 28) of the picture."""
    seen = guessing.see(find, source, CONTRACT, guessing.Look(crop_px=12))
    np.testing.assert_allclose(seen.guesses.told, [[8, 28, 24, 44], [12, 32, 28, 48]])


PLACES = [[0, 0, 16, 16], [12, 32, 28, 48]]
BOTH = np.array([0, 1]), np.float32([PLACES] * 2), np.float32([[LESS, MORE]] * 2)
ONE = BOTH[0], BOTH[1][:, :1], BOTH[2][:, :1]  # one box for all classes, at the corner


def test_a_classifier_guesses_in_its_own_order(source):
    told = np.array([[0.9, 0.1], [0.2, 0.8]])
    seen = guessing.guessed(source, *BOTH, told)
    assert errors.judge(seen.truth, seen.guesses)["error"] == 0


def test_one_box_for_all_classes_needs_a_classifier_to_guess(source):
    alone = guessing.guessed(source, *ONE)
    assert errors.judge(alone.truth, alone.guesses) == {"gt_class_error": 0.5}
    assert alone.found.classes.tolist() == [0, 1]
    told = np.array([[0.9, 0.1], [0.9, 0.1]])
    seen = guessing.guessed(source, *ONE, told)
    figures = errors.judge(seen.truth, seen.guesses)
    assert (figures["error"], figures["class_error"], figures["class_error_top5"]) == (0.5, 0.5, 0)


def test_a_round_of_a_network_that_has_diverged_is_none(source, monkeypatch):
    monkeypatch.setattr(guessing, "finding", lambda model, localiser: None)
    for by_class, given, known in ((True, BOTH, errors.FIGURES), (False, ONE, errors.FIGURES[:1])):
        localiser = types.SimpleNamespace(by_class=by_class)
        judge = rounds.Rounds(None, localiser, source, CONTRACT, 2)
        for spoilt in (1, np.nan):
            found = given[0], given[1] * spoilt, given[2]
            monkeypatch.setattr(guessing, "located", lambda *_, f=found: f)
            figures = judge()
            assert tuple(figures) == known and (judge.seen is None) == (spoilt != 1)
            assert figures["gt_class_error"] == (
                (0.0 if by_class else 0.5) if spoilt == 1 else None
            )


def test_rounds_see_the_pictures_again_without_tracing_them(source, monkeypatch):
    monkeypatch.setattr(guessing, "finding", lambda model, localiser: find)
    traced = unittest.mock.Mock(wraps=guessing.pipelines.evaluate)
    monkeypatch.setattr(guessing.pipelines, "evaluate", traced)
    judge = rounds.Rounds(None, types.SimpleNamespace(by_class=True), source, CONTRACT, 2)
    assert [judge()["error"] for _ in range(2)] == [0.5, 0.5]
    assert traced.call_count == 1
