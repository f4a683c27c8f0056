"""What is said of pictures besides the network's answers."""

import shutil

from pictures_in_folders import fill

from trainers.data import sources, split
from trainers.judging import pictures


def test_pictures_that_were_trained_on_and_those_left_out_are_counted(tmp_path):
    """By contents: a copy under another name counts, a held-out picture does not."""
    root = fill(tmp_path / "pictures", 6)
    both = {s: sources.load("folder", s, data_dir=str(root)) for s in ("train", "validation")}
    split.write(tmp_path, split.of(both, str(root), 0))
    given = tmp_path / "given"
    (given / "deep").mkdir(parents=True)
    for number, file in enumerate(both["train"].files[:3]):
        shutil.copy(file, given / "deep" / f"copy-{number}.png")
    shutil.copy(both["validation"].files[0], given / "unseen.png")
    for name in ("a.tif", "deep/b.HEIC", "deep/c.tif"):
        (given / name).write_bytes(b"II")
    assert list(pictures.notes([given], tmp_path)) == [
        f"{given}: 2 .tif, 1 .heic left out",
        f"3 of the 4 pictures given are among those that {tmp_path} was trained on: what it says "
        "of them is no proof",
    ]
    unseen = [given / "unseen.png", given / "none.png"]
    assert list(pictures.notes(unseen, tmp_path)) == []
    assert list(pictures.notes([given], tmp_path / "imported"))[1:] == []


def test_a_folder_of_nothing_but_others_is_an_error(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II")
    (guess,) = pictures.find([tmp_path])
    assert guess.error.endswith("in it, found 1 .tif")
    assert list(pictures.notes([tmp_path], tmp_path)) == []
