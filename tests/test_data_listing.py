"""Folders and tables of pictures: every picture is counted, and what cannot be meant is told."""

import os

import pytest
from pictures_in_folders import picture, write

from trainers.data import sources
from trainers.data.sources import folder, listing

LONGEST = 300  # characters of a sentence


def touch(root, *names):
    """Files of these names; what is in them does not matter to who lists them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def names_of(root, split="all", **options):
    return [p.name for p in sources.load("folder", split, data_dir=str(root), **options).pictures]


def sentence_of(root, split="train"):
    with pytest.raises(sources.DataError) as caught:
        sources.load("folder", split, data_dir=str(root))
    assert len(str(caught.value)) <= LONGEST
    return str(caught.value)


def test_folders_in_a_class_are_read(tmp_path):
    touch(tmp_path, "cat/1.jpg", "cat/2019/spring/2.JPEG", "cat/x.jpg/3.png", "dog/4.webp")
    os.symlink(tmp_path / "cat", tmp_path / "cat" / "2019" / "around")  # a loop
    source = sources.load("folder", "all", data_dir=str(tmp_path))
    assert [p.name for p in source.pictures] == [
        *("cat/1.jpg", "cat/2019/spring/2.JPEG", "cat/x.jpg/3.png", "dog/4.webp"),
    ]
    assert source.fetch([0, 1, 2, 3])[1].numpy().tolist() == [0, 0, 0, 1]
    assert source.files[1] == str(tmp_path / "cat/2019/spring/2.JPEG")


def test_what_is_no_picture_is_not_counted_and_what_cannot_be_read_is(tmp_path):
    touch(tmp_path, "cat/1.jpg", "cat/._1.jpg", "cat/.DS_Store", "cat/Thumbs.db", "cat/notes.txt")
    touch(tmp_path, "cat/a.tif", "cat/b.TIFF", "dog/c.tif", "dog/d.heic", "dog/2.jpg")
    touch(tmp_path, "__MACOSX/cat/1.jpg", "dog/@eaDir/2.jpg/thumb.jpg", ".cache/x.png")
    os.symlink(tmp_path / "nowhere.jpg", tmp_path / "dog" / "dangling.jpg")
    os.symlink(tmp_path / "cat" / "1.jpg", tmp_path / "dog" / "linked.jpg")
    (tmp_path / "dog" / "empty.jpg").mkdir()
    os.mkfifo(tmp_path / "dog" / "pipe.jpg")
    assert names_of(tmp_path) == ["cat/1.jpg", "dog/2.jpg", "dog/linked.jpg"]
    found = folder.listed(str(tmp_path))
    assert str(found) == "3 pictures; 2 .tif, 1 .heic, 1 .tiff left out"
    many = listing.Listing(tmp_path, found.pictures * 480, {".heic": 3, ".tif": 12})
    assert str(many) == "1,440 pictures; 12 .tif, 3 .heic left out"


@pytest.mark.parametrize("held_out", ["validation", "val", "valid", "Valid"])
def test_splits_as_others_name_them(tmp_path, held_out):
    touch(tmp_path, "train/a/1.jpg", "train/b/2.jpg", f"{held_out}/a/3.jpg", f"{held_out}/b/4.jpg")
    touch(tmp_path, "test/a/5.jpg", "README.roboflow.txt", "labels.csv", "unsup/6.jpg")
    assert names_of(tmp_path, "train") == ["train/a/1.jpg", "train/b/2.jpg"]
    assert names_of(tmp_path, "validation") == [f"{held_out}/a/3.jpg", f"{held_out}/b/4.jpg"]
    assert names_of(tmp_path, "test") == ["test/a/5.jpg"]
    assert len(names_of(tmp_path)) == 5
    tested = sources.load("folder", "test", data_dir=str(tmp_path))
    assert tested.class_names == ("a", "b")  # a network's classes, though it lacks one
    assert str(tested.listing) == "5 pictures; 1 in unsup/ left out"


def test_without_a_split_to_validate_on_it_is_drawn_of_those_to_train_on(tmp_path):
    numbers = range(20)
    touch(tmp_path, *(f"train/{label}/{n}.jpg" for label in "ab" for n in numbers))
    touch(tmp_path, "test/1.jpg")  # as Kaggle's: no classes, so nothing to judge
    train, held_out = (names_of(tmp_path, split) for split in sources.SPLITS)
    assert len(train) + len(held_out) == 40 and not set(train) & set(held_out)
    assert str(folder.listed(str(tmp_path))) == "40 pictures; 1 in test/ left out"
    assert "expected pictures of the test split" in sentence_of(tmp_path, "test")
    touch(tmp_path, "test/a/1.jpg")
    (tmp_path / "test/1.jpg").unlink()
    assert names_of(tmp_path, "train") == train and names_of(tmp_path, "test") == ["test/a/1.jpg"]


def test_a_class_may_be_called_as_a_split(tmp_path):
    touch(tmp_path, "train/steam/1.jpg", "train/2.jpg", "car/3.jpg")
    assert sources.load("folder", "all", data_dir=str(tmp_path)).class_names == ("car", "train")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["cat/1.jpg", "dog/2.jpg", "3.jpg"], "found 1 picture (3.jpg) in"),
        (["cat/1.jpg", "dog/2.jpg", "3.tif", "4.tif"], "found 2 pictures (3.tif ...) in"),
        (["train/a/1.jpg", "val/a/2.jpg", "val/3.jpg"], "(3.jpg) in"),
        (["train/1.jpg"], "found pictures without one"),
        (["cat/1.tif", "dog/2.jpg"], "cannot decode (1 .tif): convert"),
        (["cat/notes.txt", "dog/2.jpg"], "found none: put some there"),
        (["photos/cat/1.jpg", "photos/dog/2.jpg"], "/photos meant?"),
        (["cat/train/1.jpg", "cat/val/2.jpg", "dog/train/3.jpg"], "expected train/CLASS"),
        (["train/a/1.jpg", "val/a/2.jpg", "valid/a/3.jpg"], "val and valid"),
        (["val/a/1.jpg"], "expected pictures of the train split"),
    ],
)
def test_a_picture_in_a_wrong_place_is_a_sentence(tmp_path, files, expected):
    """Nobody is told to remove a folder that holds pictures, as it once was with a train/."""
    sentence = sentence_of(touch(tmp_path, *files))
    assert expected in sentence and "remove" not in sentence


def test_no_picture_moves_another_to_the_other_split(tmp_path):
    touch(tmp_path, *(f"{label}/{n}.jpg" for label in "ab" for n in range(50)))
    before = set(names_of(tmp_path, "validation"))
    assert 10 <= len(before) <= 30  # a fifth of 100 to chance: 20, deviation 4
    touch(tmp_path, *(f"{label}/more{n}.jpg" for label in "ab" for n in range(20)))
    (tmp_path / "a/0.jpg").unlink()
    after = set(names_of(tmp_path, "validation"))
    assert {n for n in after if "more" not in n} == before - {"a/0.jpg"}
    assert set(names_of(tmp_path, "validation", seed=1)) != after


def test_two_pictures_of_a_class_are_one_to_train_on_and_one_to_hold_out(tmp_path):
    for number in range(20):
        touch(tmp_path, f"{number}/1.jpg", f"{number}/2.jpg")
    for split in sources.SPLITS:
        found = sources.load("folder", split, data_dir=str(tmp_path))
        assert len({p.label for p in found.pictures}) == len(found.pictures) == 20


def test_a_table_names_pictures(tmp_path):
    for number, colour in enumerate(["blue", "red"] * 3):
        write(tmp_path / "shots" / f"{number}.png", picture(colour, number))
    rows = [f"shots/{n}.png,{['blue', 'red'][n % 2]}" for n in range(6)]
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n" + "\n".join(rows) + "\n")
    train, held_out = (sources.load("folder", s, data_dir=str(table)) for s in sources.SPLITS)
    assert train.class_names == ("blue", "red") and train.length + held_out.length == 6
    assert set(train.files) | set(held_out.files) == {
        str(tmp_path / "shots" / f"{n}.png") for n in range(6)
    }
    splits = ["train", "train", "val", "Valid", "test", "test"]
    lines = [f"{row};{split}".replace(",", ";") for row, split in zip(rows, splits, strict=True)]
    table.write_text("\ufeffPath;Label;Split\r\n" + "\r\n".join([*lines, "shots/7.tif;red;test"]))
    touch(tmp_path, "shots/7.tif")
    assert names_of(table, "validation") == ["shots/2.png", "shots/3.png"]
    assert names_of(table, "test") == ["shots/4.png", "shots/5.png"]
    assert str(folder.listed(str(table))) == "6 pictures; 1 .tif left out"


def test_rows_of_a_table_that_cannot_be_meant_are_named(tmp_path):
    touch(tmp_path, "1.jpg", "notes.txt")
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n1.jpg,a\n2.jpg,a\n1.jpg,b\n1.jpg\nnotes.txt,a\n1.jpg,\n")
    assert sentence_of(table).endswith(
        "row 3: no file 2.jpg; row 4: 1.jpg was named before; row 5: expected as many fields as "
        "the first row has; 2 more"
    )
    table.write_text("path,label,split\n1.jpg,a,dev\n")
    assert "row 2: split dev: expected train, validation or test" in sentence_of(table)
    table.write_text("file,class\n1.jpg,a\n")
    assert "expected the columns path,label" in sentence_of(table)
    table.write_bytes("path,label\n1.jpg,caf\xe9\n".encode("latin1"))
    assert "no UTF-8 text" in sentence_of(table)
    table.write_text("")
    assert "got none" in sentence_of(table)


def test_sets_without_these_splits_say_so():
    with pytest.raises(sources.DataError, match="digits: expected one of its splits"):
        sources.load("digits", "test")
