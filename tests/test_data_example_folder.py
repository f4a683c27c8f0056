"""The example folder has what real ones bring along, as Pillow and our own listing see it."""

import collections
import pathlib

import numpy as np
import programs
import pytest
import sklearn
from PIL import Image, ImageOps

from trainers.data import sources
from trainers.data.sources import listing

PLACES = {
    "Café – 猫 $5": ("china", 80, 40, 6),
    "flower": ("flower", 170, 90, 7),
}  # left, top, columns


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "pictures"
    for _ in range(2):
        result = programs.run("trainers.data.example_folder", f"--output_dir={folder}")
        assert result.returncode == 0, result.stderr
        content = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert content == {p: p.read_bytes() for p in content}
    return folder


def test_its_pictures_are_upright_tiles_of_the_photographs(root):
    """Turned as each EXIF says; JPEG's loss is all that differs."""
    photographs = pathlib.Path(sklearn.__file__).parent / "datasets" / "images"
    turns = collections.Counter()
    for label, (photograph, left, top, columns) in PLACES.items():
        whole = np.asarray(Image.open(photographs / f"{photograph}.jpg")).astype(int)
        for path in (root / label).rglob("[0-9]*.jpg"):
            stored, number = Image.open(path), int(path.stem)
            turns[stored.getexif().get(274, 1)] += 1
            row, column = divmod(number, columns)
            y, x = top + 40 * row, left + 40 * column
            found = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
            assert np.abs(found - whole[y : y + 40, x : x + 40]).mean() < 16, path
    assert sorted(turns) == list(range(1, 9))


def test_what_is_no_picture_is_counted_and_the_cut_one_is_trained_on(root):
    found = listing.read(root)
    assert str(found) == "166 pictures; 1 .tif left out"
    assert {p.label for p in found.pictures} == {"Café – 猫 $5", "flower", "leaves", "sky"}
    assert any(p.name.startswith("flower/second visit/") for p in found.pictures)
    train = sources.load("folder", "train", data_dir=str(root))
    broken = [p.name for p in train.pictures if not p.name[-5].isdigit()]
    assert broken == ["leaves/cut short.jpg"]
    with open(root / broken[0], "rb") as file, pytest.raises(OSError, match="truncated"):
        Image.open(file).load()
