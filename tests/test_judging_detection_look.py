"""How a detector is asked for a judgement: rounds by hand, scales, batches, the program itself."""

import json
import unittest.mock

import keras
import numpy as np
import programs
import pytest
import tensorflow as tf

import zoo
from trainers.data import boxes
from trainers.judging.detection import evaluation, look, rounds, scales
from trainers.judging.scores import ScoreError
from zoo import archive
from zoo.detection import decide, network
from zoo.detection.preprocess import DetectionInput
from zoo.detection.specs import Detector

CONTRACT = DetectionInput(96, 96)
HEIGHT_WIDTH = tf.constant([100, 100])


def detector(context=False):
    return Detector(
        zoo.Network("resnet8", 1, None, "A"),
        10,
        sizes=(12.0, 20.0, 32.0),
        bins=8,
        rpn_filters=8,
        context=context,
        proposals_before=200,
        proposals=15,
        detections=20,
    )


def built(context=False):
    keras.utils.set_random_seed(1)
    described = detector(context)
    model = network.build_detector(described)
    rng = np.random.default_rng(0)
    for name, deviation in [("class_logits", 0.004), ("rpn_logits", 0.3)]:  # to tell regions apart
        kernel = model.get_layer(name).kernel
        kernel.assign(rng.normal(0, deviation, kernel.shape))
    return described, model


@pytest.fixture(scope="module")
def ours():
    return built()


@pytest.fixture(scope="module")
def source():
    return boxes.load("scenes", "validation")


def shifting(regions):
    """A stub of a head: one class, sure of it, and each box belongs 4 px further down."""
    count = regions.shape[0]
    high = regions[:, 2:3] - regions[:, :1]
    offsets = tf.concat([4 / high, tf.zeros((count, 3))], axis=1)
    return tf.tile([[0.9, 0.1]], [count, 1]), offsets[:, None]


def test_refinement_shifts_once_and_twice_and_takes_both():
    """Boxes of 10 px, far apart: 4 px and 8 px off they overlap by 6/14 > .3, so one is left."""
    proposals = tf.constant([[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 0, 0]], tf.float32)

    def tops(how, iou):
        kept = look.of_picture(
            shifting, proposals, 2, HEIGHT_WIDTH, how, decide.Deciding(0.05, iou, 10)
        )
        return sorted(kept.boxes[: int(kept.count), 0].numpy().tolist())

    assert tops(look.Look(), 0.5) == [4, 54]
    assert tops(look.Look(refine=True), 0.5) == [4, 8, 54, 58]
    assert tops(look.Look(refine=True), 0.3) == [4, 54]


def test_voting_is_over_both_rounds():
    """Boxes of 20 px, moved by 4 and by 8: an IoU of 16/24, so they become their mean."""
    proposals = tf.constant([[0, 0, 20, 20]], tf.float32)
    how = look.Look(refine=True, vote=True)
    kept = look.of_picture(shifting, proposals, 1, HEIGHT_WIDTH, how, decide.Deciding(0.05, 0.3, 9))
    np.testing.assert_allclose(kept.boxes[0], [6, 0, 26, 20], atol=1e-5)


def test_one_scale_given_twice_changes_no_bit(source):
    """With context, so of the whole picture's region too."""
    described, model = built(context=True)
    once = evaluation.see(*judged(described, model, source), limit=3)
    how = look.Look(scales=(96, 96))
    twice = evaluation.see(*judged(described, model, source), how, limit=3)
    assert len(once.found.scores) > 10
    np.testing.assert_array_equal(twice.found.boxes, once.found.boxes)
    np.testing.assert_array_equal(twice.found.scores, once.found.scores)


def judged(described, model, source):
    return model, manifest(described), source


def manifest(described):
    return archive.Manifest(
        kind="detector",
        network=described,
        input=CONTRACT,
        class_names=tuple(map(str, range(10))),
        data={"name": "scenes", "seed": 0},
        step=7,
    )


def test_a_region_takes_the_greater_of_its_two_scales(source, ours):
    """By the parts themselves, one region at a time: bins 8 of 2 px, so regions are best at 16."""
    described, model = ours
    (image, _) = source.fetch([0])
    image = tf.cast(image, tf.float32)
    others = [
        (tf.image.resize(image, (side, side)), tf.constant([[side, side]]))
        for side in (48, 96, 192)
    ]
    # Sides of 8 at 96 px: best at 192. 32: at 48. 12: between 96 and 192. 24: between 48 and 96.
    regions = [[0, 0, 8, 8], [10, 10, 42, 42], [30, 50, 42, 62], [60, 60, 84, 84]]
    lower = [1, 0, 1, 0]
    regions = tf.constant([regions], tf.float32)
    probabilities, deltas = scales.reading(model, described)(tf.constant([96, 96]), others)(regions)
    before = keras.Model(model.inputs, model.get_layer("avg_pool").input)
    for row, first in enumerate(lower):
        box = regions[:, row : row + 1]
        seen = [
            before([others[n][0], box * (others[n][1][0, 0].numpy() / 96)])
            for n in (first, first + 1)
        ]
        assert not np.array_equal(*seen)
        pooled = tf.reduce_mean(tf.maximum(*seen), axis=(1, 2))
        expected = model.get_layer("class_logits")(pooled)
        np.testing.assert_allclose(probabilities[0, row], tf.nn.softmax(expected[0]), atol=1e-4)
    assert deltas.shape == (1, 4, 10, 4)


def test_other_sizes_are_bounded_in_proportion():
    found = scales.contracts(DetectionInput(600, 1000), (200, 600, 1000))
    assert [(c.shorter_px, c.longer_px) for c in found] == [(200, 334), (600, 1000), (1000, 1667)]


def test_any_batch_size_finds_the_same_and_the_last_is_not_full(source, ours):
    one, four = (
        evaluation.see(*judged(*ours, source), batch_size=size, limit=6) for size in (1, 4)
    )
    assert len(one.truth.pictures) == 6 and len(one.found.scores) > 10
    np.testing.assert_array_equal(one.found.picture, four.found.picture)
    np.testing.assert_allclose(one.found.boxes, four.found.boxes, atol=1e-3)
    np.testing.assert_allclose(one.found.scores, four.found.scores, atol=1e-5)
    np.testing.assert_allclose(one.overlap, four.overlap, atol=1e-5)
    assert one.overlap.shape == one.truth.classes.shape
    assert np.isin(one.truth.picture, one.truth.pictures).all()


def test_a_network_that_has_diverged_is_told_of(source):
    described, model = built()
    kernel = model.get_layer("class_logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(ScoreError, match="not finite"):
        evaluation.see(*judged(described, model, source), limit=1)


def test_the_program_judges_a_run_and_refuses_what_it_cannot(tmp_path, ours):
    described, model = ours
    archive.save(model, manifest(described), tmp_path / "run")
    words = [f"--run_dir={tmp_path / 'run'}", "--limit=5", "--metric=voc07", "--refine"]
    result = evaluate(*words, f"--output_dir={tmp_path / 'out'}")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert "resnet8 at step 7 on 5 pictures of scenes (validation)" in result.stdout
    assert "weights model, refine" in result.stdout
    found = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert found["metric"] == "voc07" and found["pictures"] == 5
    assert (tmp_path / "out" / "misses.png").stat().st_size > 1000
    assert not (tmp_path / "run" / "evaluation.json").exists()


def evaluate(*words):
    return programs.run("trainers.evaluate_detections", *words)


def test_rounds_see_the_pictures_again_without_tracing_them(source, monkeypatch):
    monkeypatch.setattr(rounds.look, "detecting", lambda model, detector: None)
    numbers = []
    monkeypatch.setattr(
        rounds.evaluation, "seen_by", lambda _, source, seen: numbers.append(next(iter(seen))[3])
    )
    traced = unittest.mock.Mock(wraps=evaluation.pipelines.evaluate)
    monkeypatch.setattr(evaluation.pipelines, "evaluate", traced)
    judge = rounds.Rounds(None, None, source, DetectionInput(96, 96), 2)
    judge(), judge()
    assert [number.numpy().tolist() for number in numbers] == [[0, 1]] * 2
    assert traced.call_count == 1
