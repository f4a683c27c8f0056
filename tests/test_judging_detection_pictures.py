"""Pictures, tables and files of an evaluation of detections, read again."""

import csv
import json

import matplotlib
import numpy as np
import pytest
from detections import found, moved, truth
from PIL import Image, ImageDraw
from test_judging_detection_figures import THREE, TWO

from trainers.data import sources
from trainers.judging.detection import curves, drawing, mistakes, objects, sheets, verdict, voc
from zoo import writing

RED, GREEN = (250, 10, 10), (10, 250, 10)


def plain(height, width, value=128):
    return np.full((height, width, 3), value, np.uint8)


def extent(image, colour):
    """Where a colour's pixels are: -> (y1, x1, y2, x2), edges."""
    rows, columns = np.nonzero((np.asarray(image) == colour).all(axis=-1))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


@pytest.mark.parametrize(
    ("size", "scale"), [((96, 96), 5), ((64, 96), 5), ((400, 1000), 1), ((1000, 2000), 0.5)]
)
def test_a_box_is_drawn_where_it_lies(size, scale):
    """Small pictures are enlarged by whole numbers to 480 px or more, large ones shrunk to 1000."""
    edges = (10, 20, 60, 90)
    image = drawing.draw(plain(*size), [drawing.Box(edges, "", RED)])
    assert image.size == (size[1] * scale, size[0] * scale)
    np.testing.assert_allclose(extent(image, RED), np.multiply(edges, scale), atol=1)
    inside = np.asarray(image)[round(30 * scale), round(50 * scale)]
    assert inside.tolist() == [128] * 3


def test_pixels_of_small_pictures_stay_what_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (96, 80, 3), np.uint8)
    image = np.asarray(drawing.draw(pixels, []))
    np.testing.assert_array_equal(image, pixels.repeat(5, axis=0).repeat(5, axis=1))


def test_a_box_outside_or_inside_out_is_still_drawn_within():
    boxes = [drawing.Box((-50, -50, 500, 500), "", RED), drawing.Box((60, 60, 40, 40), "", GREEN)]
    image = drawing.draw(plain(96, 96), boxes)
    assert extent(image, RED) == (0, 0, 480, 480)
    np.testing.assert_allclose(extent(image, GREEN), (200, 200, 300, 300), atol=5)


def test_names_do_not_cover_one_another_and_stay_within():
    """Three boxes on one place in the corner, whose names all want to stand above it."""
    colours = [RED, GREEN, (10, 10, 250)]
    boxes = [drawing.Box((0, 0, 60, 60), "name 99%", colour) for colour in colours]
    bare = drawing.draw(plain(200, 200), [drawing.Box(b.edges, "", b.colour) for b in boxes])
    image = drawing.draw(plain(200, 200), boxes)
    grown = [
        int((np.asarray(image) == c).all(-1).sum() - (np.asarray(bare) == c).all(-1).sum())
        for c in colours
    ]
    assert min(grown) > 200  # each has a tag of its own, less its letters and the edge beneath


def test_a_long_name_leaves_room_for_its_score():
    (box,) = drawing.of_detections([[0, 0, 9, 9]], [0.987], [0], ["n" * 300])
    assert box.text == f"{'n' * 23}… 99%"
    drawing.draw(plain(20, 4), [box])  # narrower than any letter


def test_the_best_detection_lies_on_top_and_what_is_ignored_is_grey():
    boxes = drawing.of_detections([moved(0), moved(0)], [0.9, 0.6], [1, 2], "abc")
    assert [box.text for box in boxes] == ["c 60%", "b 90%"]
    labelled = drawing.of_truth([moved(0), moved(0)], [1, 1], [False, True], "abc")
    assert [box.text for box in labelled] == ["b", "(b)"]
    assert labelled[1].colour == drawing.GREY != labelled[0].colour == boxes[1].colour


def test_colours_differ_and_none_is_dark():
    colours = np.array([drawing.colour(n) for n in range(90)])
    assert len(np.unique(colours, axis=0)) == 90
    assert min(map(drawing.luma, colours)) > 100
    apart = np.linalg.norm(colours[:10, None] - colours[None, :10], axis=-1)
    assert apart[~np.eye(10, dtype=bool)].min() > 40


def test_a_name_is_written_in_the_fonts_that_have_it():
    """U+1D49C is in STIX, which Matplotlib brings along, and not in DejaVu Sans."""
    written = writing.parts("Katze \U0001d49c", 12)
    assert [part for part, _ in written] == ["Katze ", "\U0001d49c"]
    assert [font.getname()[0] for _, font in written][0] == "DejaVu Sans"
    assert written[1][1].getname()[0] != "DejaVu Sans"
    image = Image.new("L", (200, 40))
    pen = ImageDraw.Draw(image)
    writing.write(pen, (5, 30), "Katze", 20, 255)
    left, top, right, bottom = writing.extent("Katze", 20)
    seen = image.getbbox()
    assert np.abs(np.subtract(seen, (5 + left, 30 + top, 5 + right, 30 + bottom))).max() <= 1
    short = writing.shortened("a very long name", 12, 50)
    assert short.endswith("…") and 30 < writing.length(short, 12) <= 50
    assert writing.shortened("cat", 12, 50) == "cat"


# On picture 4 a cat is called a dog, a dog is badly placed; on 9 a cat is found twice, one alone.
LABELS = truth(
    [
        (4, (0, 0, 40, 40), 0, False),
        (4, (50, 50, 70, 70), 1, False),
        (4, (80, 80, 90, 90), 2, True),
        (9, (0, 0, 20, 20), 0, False),
        (9, (50, 50, 80, 80), 0, False),
    ]
)
DETECTIONS = found(
    [
        (4, (0, 0, 40, 36), 1, 0.9),
        (4, (50, 60, 70, 80), 1, 0.8),
        (9, (0, 0, 20, 20), 0, 0.97),
        (9, (0, 0, 20, 19), 0, 0.95),
        (9, (80, 0, 90, 10), 2, 0.7),
        (9, (80, 20, 90, 30), 2, 0.4),
    ]
)


def test_mistakes_by_hand():
    """IoU .9 of another class; 200 of 600 px of the right one; 0; .95 of what has been found."""
    judged = voc.match(LABELS, DETECTIONS)
    misses = mistakes.misses(LABELS, DETECTIONS, *judged)
    assert [(one.row, one.kind, one.other) for one in misses] == [
        (0, "other class", 0),
        (4, "not found", voc.NOBODY),
        (1, "misplaced", 1),
    ]
    assert [one.overlap for one in misses] == pytest.approx([0.9, 0, 1 / 3])
    alarms = mistakes.false_alarms(LABELS, DETECTIONS, *judged)
    assert [(one.row, one.kind, one.other) for one in alarms] == [
        (3, "twice", 3),
        (0, "other class", 0),
        (1, "misplaced", 1),
        (4, "background", voc.NOBODY),
    ]
    assert sheets.lines_of_miss(misses[0], LABELS, DETECTIONS)[1] == "found as dog 90%, IoU 0.90"
    assert sheets.lines_of_alarm(alarms[0], LABELS, DETECTIONS) == ["cat 95%", "cat, found before"]
    assert sheets.lines_of_alarm(alarms[1], LABELS, DETECTIONS)[1] == "is cat, IoU 0.90"


def source(count=10, names=("cat", "dog", "owl")):
    images = np.random.default_rng(0).integers(0, 256, (count, 96, 96, 3), np.uint8)
    return sources.in_memory("x", "validation", names, images, [0] * count)


def test_a_sheet_shows_each_mistake_in_its_order_and_its_surroundings(tmp_path):
    """Pictures are read once each, in whatever order the mistakes are."""
    reads = []

    def read(number):
        reads.append(number)
        return plain(96, 96, 20 * number)

    misses = mistakes.misses(LABELS, DETECTIONS, *voc.match(LABELS, DETECTIONS))
    sheets.misses(tmp_path / "misses.png", misses, LABELS, DETECTIONS, read)
    assert reads == [4, 4, 9]
    pixels = np.asarray(Image.open(tmp_path / "misses.png"))
    wide = pixels.shape[1] // 3
    shown = [pixels[12, number * wide + 12, 0] for number in range(3)]
    assert shown == [80, 180, 80]
    assert sheets.around(np.array([50, 50, 70, 70]), (96, 96)) == (30, 30, 90, 90)
    assert sheets.around(np.array([0, 0, 4, 4]), (96, 96)) == (0, 0, 20, 20)
    assert sheets.around(np.array([-9, 99, -5, 120]), (96, 96))[0] == 0  # a box outside


def test_an_evaluation_is_files_and_a_table(tmp_path):
    overlap = np.array([1, 0.6, 0, 0.9, 0.2], np.float32)
    seen = verdict.Seen(LABELS, DETECTIONS, overlap)
    head = {"network": "resnet20", "step": 1500, "data": "x", "split": "validation"}
    head |= {"weights": "model", "how": ["vote"]}
    result = verdict.write(tmp_path / "new", head, seen, "coco", source(), None)
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(verdict.WRITTEN)
    assert json.loads((tmp_path / "new" / "evaluation.json").read_text()) == result
    assert result["objects"] == 4 and result["ignored"] == 1 and result["pictures"] == 2
    assert result["missed"] == {"not found": 1, "misplaced": 1, "other class": 1}
    assert result["false_alarms"] == dict.fromkeys(mistakes.ALARMS, 1)
    assert result["proposals"]["50"]["all"] == 0.75
    assert result["classes"][0]["voc"] == pytest.approx(1 / 3)  # one of three, found at once
    assert result["voc"] == pytest.approx((1 / 3 + 0) / 2)  # of owls there is only a doubtful one
    assert result["worst_false_alarms"][1]["other"] == "cat"
    table = verdict.as_table(result)
    assert table.startswith("resnet20 at step 1,500 on 2 pictures of x (validation) with 4 objects")
    for line in [
        "weights model, vote",
        "AP50 (VOC, area)            16.67%",
        "proposals cover             75.00% at IoU .5   50.00% at IoU .7",
        "objects missed                   3: 1 not found, 1 misplaced, 1 other class",
        "without an object         1 class, in no mean: owl",
    ]:
        assert line in table
    with open(tmp_path / "new" / "classes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["cat", "dog", "owl"]
    assert rows[0]["voc"] == "0.3333" and rows[2]["ap"] == "" and rows[1]["objects"] == "1"
    assert rows[0]["precision"] == "1.0000" and rows[0]["best_score"] == "0.9700"


def test_an_evaluation_of_nothing_found_is_written_too(tmp_path):
    seen = verdict.Seen(TWO, objects.found([]))
    result = verdict.write(tmp_path, {}, seen, "voc07", source(), None)
    assert result["ap"] == 0 and "coco" not in result
    assert result["missed"]["not found"] == 2 and result["worst_false_alarms"] == []
    pixels = np.asarray(Image.open(tmp_path / "false_alarms.png").convert("L"))
    assert pixels.min() < 100  # it says so


def test_the_balance_is_the_best_f1_by_hand():
    """F1 of .9: 2/3; of .8: 1/2; of .7: 4/5."""
    verdicts, _ = voc.match(TWO, THREE)
    line = voc.curves(TWO, THREE, verdicts)[0]
    expected = {"best_score": 0.7, "precision": 2 / 3, "recall": 1}
    assert curves.balance(line) == pytest.approx(expected)


def test_curves_of_many_classes_and_of_none_are_drawn(tmp_path, monkeypatch):
    names = tuple(f"$class_{n}\U0001d49c" for n in range(30))
    many = truth([(0, moved(12 * n), n, False) for n in range(30)], names=names)
    them = found([(0, moved(12 * n + n / 6), n, 0.5) for n in range(30)])
    verdicts, _ = voc.match(many, them)
    drawn = {}
    axes = matplotlib.axes.Axes
    plot = axes.plot
    monkeypatch.setattr(
        axes, "plot", lambda *a, **k: (drawn.update({k.get("label"): a[1:]}), plot(*a, **k))[1]
    )
    curves.draw(tmp_path / "c.png", voc.curves(many, them, verdicts), names)
    labels = [label for label in drawn if label]
    assert len(labels) == 2 * curves.ENDS and labels[0].startswith("1.00  ")
    assert sum(label.startswith("0.00") for label in labels) == curves.ENDS
    curves.draw(tmp_path / "none.png", voc.curves(many, them, verdicts)[:0], ())
    assert (tmp_path / "none.png").stat().st_size > 1000
