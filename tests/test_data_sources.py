"""Sources by name: digits, synthetic, folders, and what each says when it cannot."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from sklearn import datasets

from trainers.data import sources


def fetch_all(source):
    """Every example, eagerly and inside Dataset.map, which must agree."""
    images, labels = source.fetch(tf.range(source.length, dtype=tf.int64))
    dataset = tf.data.Dataset.range(source.length).batch(7).map(source.fetch)
    batches = list(dataset.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), images.numpy())
    np.testing.assert_array_equal(np.concatenate([b[1] for b in batches]), labels.numpy())
    assert labels.dtype == tf.int32
    return images.numpy(), labels.numpy()


def write_png(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((5, 7, 3), value, np.uint8)
    path.write_bytes(tf.io.encode_png(image).numpy())


def test_digits_hold_out_every_fifth_of_each_class():
    real = datasets.load_digits()
    train, held_out = (sources.load("digits", split) for split in sources.SPLITS)
    assert (train.length, held_out.length) == (1442, 355)
    assert train.num_classes == 10 and train.image_shape == (8, 8, 3)
    for label in range(10):
        both = [s.fetch(tf.range(s.length))[1].numpy() for s in (train, held_out)]
        assert np.sum(both[1] == label) == np.sum(real.target == label) // 5
    images, labels = fetch_all(held_out)
    ninth = np.flatnonzero(real.target == 3)[9]  # the second held-out 3, 0-16 scaled to 0-255
    np.testing.assert_allclose(
        images[labels == 3][1, ..., 1], real.images[ninth] * 15.9375, atol=0.5
    )
    assert images.dtype == np.uint8 and images.max() == 255
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    together = np.concatenate([images, fetch_all(train)[0]])[..., 0].reshape(-1, 64)
    whole = np.round(real.images * 15.9375).astype(np.uint8).reshape(-1, 64)
    assert sorted(map(bytes, together)) == sorted(map(bytes, whole))  # each image once


def test_synthetic_is_a_function_of_the_index():
    first, again = (sources.load("synthetic", "train", image_size=4, length=100) for _ in "ab")
    assert first.num_classes == 1000 and first.image_shape == (4, 4, 3)
    images, labels = fetch_all(first)
    np.testing.assert_array_equal(images, fetch_all(again)[0])
    np.testing.assert_array_equal(labels, np.arange(100))
    assert len({image.tobytes() for image in images}) > 32
    assert sources.load("synthetic", "train").image_shape == (224, 224, 3)
    with pytest.raises(ValueError, match="held-out|'train', 'validation'"):
        sources.load("synthetic", "test")


def test_folder_splits_each_class_by_seed(tmp_path):
    for i in range(10):
        write_png(tmp_path / "cat" / f"{i}.PNG", i)
    for i in range(2):
        write_png(tmp_path / "dog" / f"{i}.png", 100 + i)
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden").mkdir()
    train, held_out = (
        sources.load("folder", split, data_dir=str(tmp_path), seed=3) for split in sources.SPLITS
    )
    assert train.class_names == held_out.class_names == ("cat", "dog")
    assert not set(train.files) & set(held_out.files)
    assert len(train.files) + len(held_out.files) == 10 + 2
    for source in (train, held_out):  # at least one of each class on both sides
        assert {pathlib.Path(file).parent.name for file in source.files} == {"cat", "dog"}
    assert (
        held_out.files == sources.load("folder", "validation", data_dir=str(tmp_path), seed=3).files
    )
    others = [
        sources.load("folder", "validation", data_dir=str(tmp_path), seed=s).files for s in range(5)
    ]
    assert len(set(others)) > 1
    encoded, labels = fetch_all(train)
    assert train.image_shape is None
    for path, data, label in zip(train.files, encoded, labels, strict=True):
        assert data == pathlib.Path(path).read_bytes()
        assert train.class_names[label] in path


@pytest.mark.parametrize("name", ["validation", "val"])
def test_folder_takes_splits_that_are_there(tmp_path, name):
    for split, count in (("train", 3), (name, 1)):
        for label in ("a", "b"):
            for i in range(count):
                write_png(tmp_path / split / label / f"{i}.jpg")
    train, held_out = (
        sources.load("folder", split, data_dir=str(tmp_path)) for split in sources.SPLITS
    )
    assert (train.length, held_out.length) == (6, 2)
    assert train.class_names == ("a", "b")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["readme.txt"], "found no folder"),
        (["cat/1.png", "cat/2.png", "empty/readme.txt"], "empty"),
        (["cat/1.png"], "at least 2 images of 'cat'"),
        (
            ["train/a/1.png", "train/b/1.png", "val/a/1.png"],
            "'b' of .* in train and not in val",
        ),
        (
            ["train/a/1.png", "val/a/1.png", "val/c/1.png"],
            "'c' of .* in validation and not in",
        ),
    ],
)
def test_folder_errors_name_what_is_wrong(tmp_path, files, message):
    for name in files:
        write_png(tmp_path / name)
    for split in sources.SPLITS:
        with pytest.raises(sources.DataError, match=message):
            sources.load("folder", split, data_dir=str(tmp_path))


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(sources.DataError, match="nowhere"):
        sources.load("folder", "train", data_dir=str(tmp_path / "nowhere"))
    with pytest.raises(sources.DataError, match="--data_dir"):
        sources.load("folder", "train")
