"""Proposals judged anew: in the picture's own pixels, of guessed classes, none told in secret."""

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf
from test_judging_localisation_guessing import CONTRACT, CORNER, LESS, MORE, find
from test_judging_localisation_guessing import source as files

from trainers.judging.localisation import errors, guessing, refining

__all__ = ["files"]  # the fixture: "a" at the corner, "b" in the middle, seen at half of 40 x 80
CENTRE = (6.0, 16.0, 14.0, 24.0)
ELSEWHERE = (0.0, 20.0, 8.0, 40.0)


def by_class(pixels, sizes, kinds):
    """Of each class first a box elsewhere, then the right one, then one that does not count."""
    right = tf.gather(tf.constant([CORNER, CENTRE]), kinds)
    row = tf.stack([tf.broadcast_to(tf.constant(ELSEWHERE), right.shape), right, 0 * right], axis=2)
    return row, tf.fill(kinds.shape, 2)


def for_all(pixels, sizes, kinds):
    row = tf.constant([[[ELSEWHERE, CORNER, CENTRE]]])
    return tf.tile(row, (pixels.shape[0], 1, 1, 1)), tf.fill(kinds.shape, 3)


def proposer(propose):
    localiser = types.SimpleNamespace(by_class=propose is by_class)
    return types.SimpleNamespace(model=None, localiser=localiser, input=CONTRACT, propose=propose)


def refine(picture, regions, count):
    """Takes the last that counts for "b", the one before for "a"; surer of "a"."""
    assert picture.shape == (40, 80, 3)
    chosen = [count - 2, count - 1] if count == 3 else [count - 1] * 2
    return tf.cast(tf.gather(regions, chosen), tf.float32), tf.constant([0.9, 0.8])


@pytest.fixture(scope="module")
def source(files):
    """The same as arrays, whose pipelines take a third of the time to trace."""
    grey = tf.fill((2, 40, 80, 3), tf.constant(128, tf.uint8))

    def fetch(indices):
        return tf.gather(grey, indices), files.fetch(indices)[1]

    return dataclasses.replace(files, fetch=fetch, files=(), image_shape=(40, 80, 3))


@pytest.fixture(autouse=True)
def knows_where(monkeypatch):
    monkeypatch.setattr(guessing, "finding", lambda model, localiser: find)


def test_the_guessed_classes_proposals_are_judged_anew(source):
    """The localiser is surer of "b", R-CNN of "a"; both classes' boxes are right."""
    assert LESS < MORE
    seen = refining.see(proposer(by_class), refine, source, guessing.Look())
    assert seen.guesses.classes.tolist() == [[0, 1]] * 2
    np.testing.assert_array_equal(seen.guesses.boxes, [[[0, 0, 16, 16], [12, 32, 28, 48]]] * 2)
    np.testing.assert_array_equal(seen.guesses.told, [[0, 0, 16, 16], [12, 32, 28, 48]])
    figures = errors.judge(seen.truth, seen.guesses)
    assert (figures["gt_class_error"], figures["error"], figures["error_top5"]) == (0, 0.5, 0)


def test_the_class_told_is_no_guess(source, monkeypatch):
    """One guess, "b" by the localiser: that R-CNN likes "a" better, where it is, helps nobody."""
    monkeypatch.setattr(errors, "GUESSES", 1)
    seen = refining.see(proposer(by_class), refine, source, guessing.Look())
    assert seen.guesses.classes.tolist() == [[1], [1]]
    figures = errors.judge(seen.truth, seen.guesses)
    assert (figures["gt_class_error"], figures["class_error"]) == (0, 0.5)


def test_a_classifier_guesses_in_its_own_order(source):
    told = np.array([[0.9, 0.1], [0.2, 0.8]])
    seen = refining.see(proposer(by_class), refine, source, guessing.Look(), told)
    assert errors.judge(seen.truth, seen.guesses)["error"] == 0


def test_one_box_for_all_classes_becomes_a_box_of_each(source):
    seen = refining.see(proposer(for_all), refine, source, guessing.Look())
    np.testing.assert_array_equal(seen.guesses.told, [[0, 0, 16, 16], [12, 32, 28, 48]])
    assert errors.judge(seen.truth, seen.guesses)["error_top5"] == 0


@pytest.mark.parametrize("propose", [by_class, for_all])
def test_a_round_asks_for_proposals_once(source, propose):
    """By class the class told alone is refined, so nothing is said of guesses."""
    asked = []

    def counted(*given):
        asked.append(given)
        return propose(*given)

    who = proposer(propose)
    who.propose = counted
    judge = refining.Rounds(who, refine, source, 1)
    first, again = judge(), judge()
    assert first == again and len(asked) == source.length  # a picture a batch
    expected = errors.FIGURES[:1] if propose is by_class else errors.FIGURES
    assert tuple(first) == expected and first["gt_class_error"] == 0
    judge.refine = lambda *given: (refine(*given)[0] * np.nan, refine(*given)[1])
    assert judge() == dict.fromkeys(expected) and judge.seen is None
