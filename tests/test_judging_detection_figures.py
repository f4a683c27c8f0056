"""Figures of detections: by hand, by pycocotools as its users call it, by faster-coco-eval."""

import contextlib
import io
import json

import numpy as np
import pytest
from detections import NAMES, found, moved, truth

from trainers.judging.detection import coco, objects, recall, results, voc

# Two cats on two pictures, 10 x 10 px. Right, then wrong, then right: precisions 1, 1/2, 2/3 at
# recalls 1/2, 1/2, 1.
TWO = truth([(4, moved(0), 0, False), (9, moved(0), 0, False)])
THREE = found([(4, moved(0), 0, 0.9), (9, moved(50), 0, 0.8), (9, moved(0), 0, 0.7)])


def curve_of(labels, them, number=0):
    verdicts, _ = voc.match(labels, them)
    return voc.curves(labels, them, verdicts)[number]


def test_average_precision_by_hand():
    curve = curve_of(TWO, THREE)
    assert curve.recall.tolist() == [0.5, 0.5, 1] and curve.precision.tolist() == [1, 0.5, 2 / 3]
    assert voc.area(curve) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert voc.eleven_points(curve) == pytest.approx((6 * 1 + 5 * 2 / 3) / 11)  # 0 to .5, .6 to 1
    figures, classes = coco.judge(TWO, THREE)
    assert figures["ap50"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)  # 101 points
    assert figures["ap"] == pytest.approx(figures["ap50"])  # the right boxes are exact
    assert [figures[f"ar{n}"] for n in (1, 10, 100)] == [0.5, 1, 1]  # .8 hides .7
    assert figures["ap_small"] == figures["ap"]
    assert figures["ap_medium"] is None and figures["ar_large"] is None
    assert classes[0] == figures


def test_a_recall_of_three_tenths_is_reached_by_three_of_ten():
    """np.linspace(0, 1, 11)[3] is .30000000000000004."""
    labels = truth([(n, moved(0), 0, False) for n in range(10)])
    them = found([(n, moved(0), 0, 0.9) for n in range(3)])
    assert voc.eleven_points(curve_of(labels, them)) == pytest.approx(4 / 11)


def test_a_box_found_twice_is_wrong_once_and_half_an_overlap_is_enough():
    """(0,0,10,10) and (0,5,10,15) share a third; (0,0,10,10) and (0,0,10,20) a half."""
    labels = truth([(0, moved(0), 0, False)])
    boxes = [((0, 5, 10, 15), 0.9), ((0, 0, 10, 20), 0.8), (moved(0), 0.7)]
    verdicts, whose = voc.match(labels, found([(0, box, 0, score) for box, score in boxes]))
    assert verdicts.tolist() == [voc.WRONG, voc.RIGHT, voc.WRONG]
    assert whose.tolist() == [voc.NOBODY, 0, 0]
    shared = objects.overlaps(np.array([moved(0)], np.float32), np.array([(0, 5, 10, 15)]))
    assert shared[0, 0] == pytest.approx(1 / 3)
    assert objects.overlaps(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0] == 0


def test_what_is_difficult_is_neither_counted_nor_punished():
    labels = truth([(0, moved(0), 0, False), (0, moved(50), 0, True)])
    them = found([(0, moved(50), 0, 0.9), (0, moved(51), 0, 0.8), (0, moved(0), 0, 0.7)])
    verdicts, _ = voc.match(labels, them)
    assert verdicts.tolist() == [voc.PASSED, voc.PASSED, voc.RIGHT]
    assert voc.area(curve_of(labels, them)) == 1
    figures, _ = coco.judge(labels, them)
    assert figures["ap50"] == pytest.approx(1) and figures["ar100"] == 1
    assert figures["ap"] == pytest.approx(0.95)  # at .95 the second, 9/10 of it in there, is wrong
    assert labels.counted.tolist() == [1, 0, 0]


def test_in_a_crowd_many_may_be_found():
    """COCO's rule for crowds: what lies inside, for the larger part of itself, is passed over."""
    labels = truth([(0, moved(0), 0, False), (0, (0, 40, 100, 140), 0, True)])
    inside = [(0, (y, 50, y + 10, 60), 0, 0.9) for y in (0, 30, 60)]
    figures, _ = coco.judge(labels, found([*inside, (0, moved(0), 0, 0.5)]))
    assert figures["ap"] == pytest.approx(1)


def test_nothing_found_is_a_result():
    figures, classes = coco.judge(TWO, objects.found([]))
    assert figures["ap"] == figures["ap50"] == figures["ar100"] == figures["ap_small"] == 0
    assert classes[1] == dict.fromkeys(coco.FIGURES)
    curve = curve_of(TWO, objects.found([]))
    assert voc.area(curve) == voc.eleven_points(curve) == 0


def test_a_class_that_is_nowhere_has_no_figure_and_no_say():
    """Detections of it would be wrong, but COCO asks no question that they could answer."""
    more = found([(4, moved(0), 0, 0.9), (9, moved(0), 0, 0.7), (9, moved(0), 2, 1.0)])
    figures, classes = coco.judge(TWO, more)
    assert figures["ap"] == pytest.approx(1) and classes[2]["ap"] is None
    assert voc.area(curve_of(TWO, more, 2)) is None
    assert voc.eleven_points(curve_of(TWO, more, 2)) is None
    assert coco.mean([]) is None


def random_set(rng, pictures=30, per_picture=5, spread=1.0):
    """Objects of all sizes, some ignored, and three doubtful detections of each."""
    count = pictures * per_picture
    picture = np.sort(rng.integers(0, pictures, count))
    corner, sides = rng.uniform(0, 300 * spread, (count, 2)), rng.uniform(8, 180, (count, 2))
    boxes = np.concatenate([corner, corner + sides], axis=1)
    ignore = rng.random(count) < 0.1
    labels = truth(
        list(zip(picture, boxes, rng.integers(0, 3, count), ignore)), np.arange(pictures)
    )
    which = np.repeat(np.arange(count), 3)
    near = labels.boxes[which] + rng.normal(0, 10, (len(which), 4))
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    classes = np.where(rng.random(len(which)) < 0.8, labels.classes[which], 2)
    scores = rng.random(len(which))
    return labels, found(list(zip(labels.picture[which], near, classes, scores)))


def in_json(labels):
    """The truth as COCO's file of annotations has it."""
    boxes = coco.as_xywh(labels.boxes).tolist()
    rows = zip(labels.picture, labels.classes, boxes, labels.area, labels.ignore)
    return {
        "images": [{"id": int(i), "width": 800, "height": 800} for i in labels.image_ids],
        "categories": [{"id": int(i), "name": n} for i, n in zip(labels.category_ids, NAMES)],
        "annotations": [
            {
                "id": number,
                "image_id": int(labels.image_ids[picture]),
                "category_id": int(labels.category_ids[kind]),
                "bbox": box,
                "area": float(area),
                "iscrowd": int(ignore),
            }
            for number, (picture, kind, box, area, ignore) in enumerate(rows, start=1)
        ],
    }


def pycocotools_says(folder):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return summary(COCO, COCOeval, folder)


def faster_says(folder):
    import faster_coco_eval

    return summary(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, folder)


def summary(api, evaluator, folder):
    """The twelve figures as the library's guide gets them: files, loadRes, summarize."""
    with contextlib.redirect_stdout(io.StringIO()):
        labelled = api(str(folder / "truth.json"))
        evaluation = evaluator(labelled, labelled.loadRes(str(folder / "results.json")), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:12]


@pytest.mark.parametrize("says", [pycocotools_says, faster_says])
def test_the_twelve_figures_are_those_of_the_libraries_over_our_file(says, tmp_path):
    """All at once and from files, where we ask class by class and from arrays."""
    labels, them = random_set(np.random.default_rng(3))
    (tmp_path / "truth.json").write_text(json.dumps(in_json(labels)))
    results.write(tmp_path / "results.json", labels, them)
    figures, _ = coco.judge(labels, them)
    ours = [figures[name] for name in coco.FIGURES]
    np.testing.assert_allclose(ours, says(tmp_path), rtol=0, atol=1e-6)  # boxes to 1e-3 px
    assert 0.1 < figures["ap"] < figures["ap50"] < 0.9


def test_voc_is_pycocotools_at_one_overlap_where_no_objects_meet(monkeypatch):
    """At the recalls that are reached its mean of precisions is the area, at eleven the others."""
    from pycocotools import cocoeval

    rng = np.random.default_rng(5)
    rows = [
        (n, (y, x, y + 40, x + 40), kind, False)
        for n in range(20)
        for y, x, kind in [(0, 0, 0), (100, 0, 1), (0, 100, 0)]
    ]
    labels = truth(rows, names=("cat", "dog"))
    which = np.repeat(np.arange(len(rows)), 4)
    near = labels.boxes[which] + rng.normal(0, 7, (len(which), 4))
    them = found(
        list(zip(labels.picture[which], near, labels.classes[which], rng.random(len(which))))
    )
    for number, recalls in [
        (0, np.arange(1, 41) / 40),
        (1, np.arange(1, 21) / 20),
        (0, np.arange(11) / 10),
        (1, np.arange(11) / 10),
    ]:

        def params(*_, recalls=recalls, made=cocoeval.Params, **__):
            found = made("bbox")
            found.recThrs = recalls
            return found

        with monkeypatch.context() as patch:
            patch.setattr(cocoeval, "Params", params)
            theirs = coco.of_class(labels, them, number)["ap50"]
        average = voc.eleven_points if len(recalls) == 11 else voc.area
        assert average(curve_of(labels, them, number)) == pytest.approx(theirs, abs=1e-9)
        assert 0.2 < theirs < 0.95


def test_recall_of_proposals_by_hand():
    """Overlaps of 1, 1/2 and 1/3 with the nearest; a crowd is not asked for."""
    labels = truth(
        [
            (0, moved(0), 0, False),
            (0, moved(50), 1, False),
            (1, (0, 0, 100, 100), 1, False),
            (1, moved(0), 1, True),
        ]
    )
    proposals = np.array([moved(0), (0, 50, 10, 70), (90, 90, 99, 99)], np.float32)
    overlap = np.concatenate(
        [
            recall.best(proposals, labels.boxes[:2]),
            recall.best(np.array([(0, 50, 100, 150)], np.float32), labels.boxes[2:3]),
            recall.best(np.zeros((0, 4), np.float32), labels.boxes[3:]),
        ]
    )
    np.testing.assert_allclose(overlap, [1, 1 / 2, 1 / 3, 0], rtol=1e-6)
    judged = recall.judge(labels, overlap)
    assert judged["50"] == {"all": 2 / 3, "small": 1, "medium": None, "large": 0}
    assert judged["70"]["small"] == 0.5


def test_results_are_read_as_they_were_written(tmp_path):
    labels, them = random_set(np.random.default_rng(1), pictures=5)
    results.write(tmp_path / "d.json", labels, them)
    first = json.loads((tmp_path / "d.json").read_text())[0]
    assert list(first) == ["image_id", "category_id", "bbox", "score"]
    assert first["image_id"] == 1000 + 7 * them.picture[0]
    assert first["category_id"] == (3, 17, 90)[them.classes[0]]
    y1, x1, y2, x2 = them.boxes[0].tolist()
    np.testing.assert_allclose(first["bbox"], [x1, y1, x2 - x1, y2 - y1], atol=1e-3)
    again = results.read(tmp_path / "d.json", labels)
    np.testing.assert_array_equal(again.scores, them.scores)
    np.testing.assert_array_equal(again.picture, them.picture)
    np.testing.assert_array_equal(again.classes, them.classes)
    np.testing.assert_allclose(again.boxes, them.boxes, atol=2e-3)


def test_no_results_are_written_and_read_too(tmp_path):
    results.write(tmp_path / "d.json", TWO, objects.found([]))
    assert json.loads((tmp_path / "d.json").read_text()) == []
    assert len(results.read(tmp_path / "d.json", TWO).scores) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "expected an object with image_id"),
        ("3", "expected an array"),
        ("[", "Expecting value"),
        ('[{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3], "score": 1}]', "expected an obj"),
        ('[{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 1}]', "image_id 1 is"),
        ('[{"image_id": 1028, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 1}]', "category_id"),
        ('[{"image_id": 1028, "category_id": 3, "bbox": [1, 2, 3, "a"], "score": 1}]', "a"),
    ],
)
def test_what_are_no_results_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(results.ResultsError, match=sentence) as error:
        results.read(tmp_path / "d.json", TWO)
    assert len(str(error.value)) < 300 + len(str(tmp_path))
