"""python -m trainers.predict on a detector's run: its answers beside evaluation's."""

import numpy as np
import programs
import pytest
from PIL import Image
from small_detectors import NAMES, save_run

from trainers.data import boxes
from trainers.judging.detection import asking, drawing, evaluation
from zoo import archive

UPRIGHT = {"a": (40, 48), "b": (60, 36), "c": (70, 52), "d": (40, 40)}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def seen(run_dir):
    """What evaluation finds on the same files."""
    model, manifest = archive.load(run_dir, kind="detector")
    source = boxes.load("coco", "validation", data_dir=manifest.data["data_dir"])
    return evaluation.see(model, manifest, source).found


def predict(*arguments):
    return programs.run("trainers.predict", *arguments)


def test_what_is_found_is_drawn_told_and_written(run_dir, seen, tmp_path):
    """Of a folder with pictures, one of them on its side, and a file that is none."""
    folder, out = run_dir.parent / "data" / "val2017", tmp_path / "out"
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    result = predict(
        f"--run_dir={run_dir}", f"--output_dir={out}", "--least_score=0.3", folder, bad
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"{bad}: no picture") and result.stderr.count("\n") == 1
    *lines, last = result.stdout.splitlines()
    assert last.startswith(f"written: {out}/detections.json, images.json")
    for number, line in enumerate(lines):
        own = seen.picture == number
        sure = [(k, s) for k, s in zip(seen.classes[own], seen.scores[own]) if s >= 0.3]
        assert len(sure) > 0
        counted = f"{len(sure)} object{'s' * (len(sure) != 1)}"
        listed = ", ".join(f"{NAMES[kind]} {score:.0%}" for kind, score in sure)
        assert line == f"{folder / sorted(p.name for p in folder.iterdir())[number]}: " + (
            f"{counted}: {listed}"
        )
    assert len(lines) == 4
    assert sorted(p.stem for p in out.glob("*.png")) == sorted(UPRIGHT)
    for name, (height, width) in UPRIGHT.items():
        drawn = Image.open(out / f"{name}.png")
        assert drawn.height * width == pytest.approx(drawn.width * height)
        colours = set(map(tuple, np.asarray(drawn).reshape(-1, 3).tolist()))
        assert colours & {drawing.colour(number) for number in range(3)}
    check_files(out, folder, seen)


def check_files(out, folder, seen):
    """As COCO's own tools read them: numbers of categories with gaps, boxes as x, y, w, h."""
    from pycocotools.coco import COCO

    known = COCO(out / "images.json")
    sizes = {x["file_name"]: (x["height"], x["width"]) for x in known.imgs.values()}
    assert sizes == {
        str(folder / f"{n}.{'jpg' if n == 'b' else 'png'}"): s for n, s in UPRIGHT.items()
    }
    assert [x["name"] for x in known.cats.values()] == list(NAMES)
    found = known.loadRes(str(out / "detections.json")).anns.values()
    assert [x["image_id"] for x in found] == (seen.picture + 1).tolist()
    assert [x["category_id"] for x in found] == [(5, 6, 9)[kind] for kind in seen.classes]
    y1, x1, y2, x2 = seen.boxes.T
    expected = np.stack([x1, y1, x2 - x1, y2 - y1], axis=1)
    np.testing.assert_allclose([x["bbox"] for x in found], expected, atol=2e-3)
    np.testing.assert_allclose([x["score"] for x in found], seen.scores, atol=1e-5)


def test_what_a_kind_does_not_have_is_misused(run_dir):
    result = predict(f"--run_dir={run_dir}", "--top=3", "a.jpg")
    assert result.returncode == 2
    assert result.stderr == "trainers.predict: --top has no meaning for a detector: leave it out\n"


def test_no_picture_has_anothers_name():
    taken, files = set(), ["a/x.jpg", "b/x.png", "x-2.jpg", "x.gif", "y.jpg"]
    names = [asking.own_name(file, taken) for file in files]
    assert names == ["x.png", "x-2.png", "x-2-2.png", "x-3.png", "y.png"]


def test_cocos_own_numbers_are_kept():
    assert asking.image_ids(["d/000000397133.jpg", "000000000139.png"]) == [397133, 139]
    assert asking.image_ids(["7.jpg", "a.jpg"]) == [1, 2]
    assert asking.image_ids(["d/7.jpg", "e/007.jpg"]) == [1, 2]


def test_a_line_for_each_picture():
    sight = asking.Sight(
        "a.jpg", (8, 9), np.zeros((3, 4)), np.array([0.9, 0.5, 0.2]), np.array([2, 0, 1])
    )
    assert asking.as_text(sight, NAMES, 0.5) == "a.jpg: 2 objects: pen 90%, cup 50%"
    assert asking.as_text(sight, NAMES, 0.6) == "a.jpg: 1 object: pen 90%"
    assert asking.as_text(sight, NAMES, 0.95) == "a.jpg: no object"
    fields = asking.as_fields(sight, NAMES, 0.5)
    assert [x["class"] for x in fields["objects"]] == ["pen", "cup"]
    failed = asking.Sight("b.jpg", error="no such file")
    assert asking.as_fields(failed, NAMES, 0.5) == {"file": "b.jpg", "error": "no such file"}
