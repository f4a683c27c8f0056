"""What cannot be learned from is said in a sentence, before anything is trained or written."""

import pytest
from pictures_in_folders import fill

import trainers

SMALL = dict(model="resnet8", recipe="cifar10", image_size=8, steps=2, round_steps=2)


def refused(root, run_dir, **given):
    """The sentence; nothing is left behind."""
    chosen = SMALL | dict(batch_size=2, pictures=False, verbose=False) | given
    with pytest.raises(ValueError) as caught:
        trainers.train(data="folder", data_dir=root, run_dir=run_dir, **chosen)
    assert not run_dir.exists() and len(str(caught.value)) <= 300
    return str(caught.value)


def test_one_class_is_none_to_tell_apart(tmp_path):
    root = fill(tmp_path / "pictures", 4, ["blue"])
    assert "expected at least two classes" in refused(root, tmp_path / "run")


def test_one_picture_of_a_class_can_be_trained_on_or_held_out(tmp_path):
    root = fill(tmp_path / "pictures", 1)
    assert "expected at least 2 images of 'blue'" in refused(root, tmp_path / "run")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_of_which_nothing_can_be_read(tmp_path, split):
    for name in ("train", "validation"):
        fill(tmp_path / "pictures" / name, 2)
    for path in (tmp_path / "pictures" / split).rglob("*.png"):
        path.write_bytes(b"no picture")
    told = refused(tmp_path / "pictures", tmp_path / "run", max_skipped=1.0)
    assert f"none of the 4 pictures of {split} can be read, the first is" in told


def test_one_value_cannot_be_normalised(tmp_path):
    """At 4 px the last of three stages has 1 x 1 positions, at 8 px four."""
    root = fill(tmp_path / "pictures", 3)
    told = refused(root, tmp_path / "run", image_size=4, batch_size=1)
    assert told.startswith("batch normalisation needs more than one value a channel: at 4 px")
    given = SMALL | dict(batch_size=1, pictures=False, verbose=False)
    assert trainers.train(data_dir=root, data="folder", run_dir=tmp_path / "run", **given).step == 2
