"""ILSVRC's localisation errors by hand, as App. C and Table 13 count them."""

import numpy as np
import pytest
from detections import moved, truth

from trainers.judging.localisation import errors

CAT, DOG, OWL = range(3)


def guesses(rows, told, pictures=None):
    """[[(class, box), ...] of each picture], boxes with the class told -> Guesses."""
    each = len(rows[0])
    classes = np.array([[kind for kind, _ in row] for row in rows], np.int32)
    boxes = np.array([[box for _, box in row] for row in rows], np.float32)
    classes, boxes = classes.reshape(len(rows), each), boxes.reshape(len(rows), each, 4)
    pictures = np.arange(len(rows)) if pictures is None else np.array(pictures)
    told = np.array(told, np.float32)
    return errors.Guesses(pictures, classes, boxes, np.ones(classes.shape, np.float32), told)


def test_class_and_box_must_both_be_right_in_one_guess():
    """Squares of 10 px: moved by 3 px IoU 7/13 = .54, by 4 px 6/14 = .43.

    Right at once; right in the second guess; the class in one guess and the box in another; the
    class but no box.
    """
    there = truth([(n, moved(20), kind, False) for n, kind in enumerate((CAT, DOG, OWL, CAT))])
    said = guesses(
        [
            [(CAT, moved(23)), (DOG, moved(20))],
            [(CAT, moved(20)), (DOG, moved(23))],
            [(OWL, moved(24)), (CAT, moved(20))],
            [(CAT, moved(24)), (OWL, moved(20))],
        ],
        told=[moved(23), moved(23), moved(24), moved(24)],
    )
    assert errors.judge(there, said) == {
        "gt_class_error": 0.5,
        "error": 0.75,
        "error_top5": 0.5,
        "class_error": 0.25,
        "class_error_top5": 0.0,
    }


def test_five_guesses_count_and_no_sixth():
    there = truth([(0, moved(20), OWL, False)])
    five = [(CAT, moved(20))] * 4 + [(OWL, moved(20))]
    assert errors.judge(there, guesses([five], [moved(20)]))["error_top5"] == 0
    six = [(CAT, moved(20))] * 5 + [(OWL, moved(20))]
    assert errors.judge(there, guesses([six], [moved(20)]))["error_top5"] == 1


def test_any_of_the_objects_will_do_but_no_ignored_one():
    """Pictures 4 and 9: two cats, of which the second is hit; a dog and a difficult dog, hit."""
    rows = [(4, moved(0), CAT, False), (4, moved(40), CAT, False)]
    rows += [(9, moved(0), DOG, False), (9, moved(40), DOG, True)]
    said = guesses([[(CAT, moved(41))], [(DOG, moved(41))]], [moved(41)] * 2, [4, 9])
    assert errors.judge(truth(rows), said)["error"] == 0.5


def test_a_half_is_enough():
    """20 x 10 and its half: IoU exactly .5."""
    there = truth([(0, (0, 0, 10, 20), CAT, False)])
    assert errors.judge(there, guesses([[(CAT, (0, 0, 10, 10))]], [moved(50)]))["error"] == 0


def test_what_names_no_class_is_judged_by_the_class_told_alone():
    there = truth([(0, moved(0), CAT, False), (1, moved(0), OWL, False), (2, moved(0), OWL, False)])
    said = guesses([[], [], []], [moved(0), moved(0), moved(9)])
    assert errors.judge(there, said) == {"gt_class_error": pytest.approx(1 / 3)}
    assert errors.per_class(there, said) == [
        {"name": "cat", "pictures": 1, "gt_class_error": 0.0},
        {"name": "dog", "pictures": 0, "gt_class_error": None},
        {"name": "owl", "pictures": 2, "gt_class_error": 0.5},
    ]


def test_a_picture_without_an_object_is_refused():
    there = truth([(0, moved(0), CAT, False), (1, moved(0), CAT, True)])
    with pytest.raises(ValueError, match="an object on each picture"):
        errors.judge(there, guesses([[(CAT, moved(0))]] * 2, [moved(0)] * 2))
