"""Batches as a pure function of (seed, step); evaluation that counts each example once."""

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from trainers.data import pipelines, skipped, sources
from trainers.data.pipelines import Augmentation, Slice
from trainers.data.stream import finish, stream
from zoo import preprocess

CONTRACT = preprocess.InputContract(image_size=8, resize_px=8)
CROP = Augmentation("pad_crop", pad_px=2)


def synthetic(length):
    return sources.load("synthetic", "train", image_size=8, num_classes=5, length=length)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 12 PNGs of different sizes."""
    root = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(12):
        path = root / "train" / f"class{i % 3}" / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (12 + i, 20 - i, 3)).astype(np.uint8)
        path.write_bytes(tf.io.encode_png(pixels).numpy())
        other = root / "val" / path.parent.name / path.name
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(path.read_bytes())
    return root


@pytest.fixture(params=["arrays", "files"])
def source(request, photos):
    if request.param == "arrays":
        return synthetic(12)
    return sources.load("folder", "train", data_dir=str(photos))


def batches(source, augmentation=CROP, *, batch_size=4, seed=1, steps=(0, 6), part=None):
    dataset = pipelines.train(
        source,
        CONTRACT,
        augmentation,
        batch_size=batch_size,
        seed=seed,
        steps=steps,
        part=part or Slice(),
    )
    return list(dataset.as_numpy_iterator())


def assert_same(left, right):
    assert len(left) == len(right) > 0
    for a, b in zip(left, right, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)


JITTER = Augmentation("scale_jitter", scale_range=(8, 12), color=True)


@pytest.mark.parametrize("augmentation", [CROP, JITTER, Augmentation()], ids=lambda a: a.kind)
def test_a_batch_is_a_function_of_seed_and_step(source, augmentation):
    whole = batches(source, augmentation, steps=range(0, 9))
    assert_same(whole, batches(source, augmentation, steps=(0, 9)))
    assert_same(whole[7:], batches(source, augmentation, steps=(7, 9)))
    other = batches(source, augmentation, seed=2, steps=(0, 9))
    assert any((a[0] != b[0]).any() for a, b in zip(whole, other, strict=True))


def test_randomness_differs_between_steps_and_examples():
    source = synthetic(1)  # one image: whatever differs is the augmentation's doing
    images = np.concatenate([b[0] for b in batches(source, Augmentation("pad_crop"))])
    assert len({image.tobytes() for image in images}) > 15  # of 24 draws of 162


def test_a_far_step_reads_nothing_before_it():
    """A thousand million batches would not end; the first of the epoch holds its images anew."""
    far = batches(synthetic(12), steps=(3 * 10**9, 3 * 10**9 + 3))
    seen = np.concatenate([index for _, _, index in far])
    assert sorted(seen) == list(range(12))  # three batches of four: one whole epoch


@pytest.mark.parametrize(
    "augmentation", [CROP, pytest.param(JITTER, marks=pytest.mark.exhaustive)], ids=lambda a: a.kind
)
def test_replicas_share_the_global_batch(source, augmentation):
    whole = batches(source, augmentation, steps=(2, 5))
    for replicas in (2, 4):
        parts = batches(source, augmentation, steps=(2, 5), part=Slice(replicas, 0, replicas))
        joined = [
            tuple(np.concatenate(x) for x in zip(*parts[i : i + replicas], strict=True))
            for i in range(0, len(parts), replicas)
        ]
        assert_same(whole, joined)
    both = batches(source, augmentation, steps=(2, 5), part=Slice(4, 0, 4))
    second = batches(source, augmentation, steps=(2, 5), part=Slice(4, 2, 2))
    assert_same(second, [b for i, b in enumerate(both) if i % 4 >= 2])


@pytest.mark.parametrize(("length", "batch_size"), [(10, 4), (12, 4), (3, 8), (1, 2), (7, 7)])
def test_every_example_once_an_epoch(length, batch_size):
    epochs = 8
    steps = -(-length * epochs // batch_size)
    made = batches(synthetic(length), batch_size=batch_size, steps=(0, steps))
    index = np.concatenate([b[2] for b in made])[: length * epochs].reshape(epochs, length)
    np.testing.assert_array_equal(np.sort(index), np.tile(np.arange(length), (epochs, 1)))
    if length > 3:
        assert len({tuple(order) for order in index.tolist()}) == epochs  # shuffled anew


def test_images_and_labels_belong_to_the_index(source):
    known, labels = source.fetch(tf.range(source.length, dtype=tf.int64))
    for images, got, index in batches(source, Augmentation()):
        np.testing.assert_array_equal(got, labels.numpy()[index])
        for image, i in zip(images, index, strict=True):
            raw = known[i] if source.image_shape else preprocess.decode(known[i])
            np.testing.assert_array_equal(image, preprocess.resize_crop(raw, CONTRACT).numpy())


def test_arrays_stay_uint8_unless_something_makes_fractions():
    assert batches(synthetic(12))[0][0].dtype == np.uint8
    assert batches(synthetic(12), Augmentation(color=True))[0][0].dtype == np.float32


def test_arrays_of_another_size_are_resized_first():
    source = sources.load("synthetic", "train", image_size=6, num_classes=5, length=12)
    images, _, index = batches(source, Augmentation())[0]
    raw = source.fetch(index)[0]
    expected = [preprocess.resize_crop(image, CONTRACT) for image in raw]
    np.testing.assert_array_equal(images, np.stack(expected))


@pytest.mark.parametrize(("length", "batch_size", "replicas"), [(11, 4, 2), (9, 8, 4), (8, 4, 2)])
def test_evaluation_counts_each_example_once(length, batch_size, replicas):
    source = synthetic(length)
    counted, numbers = [], []
    for first in range(replicas):
        part = Slice(replicas, first, 1)
        made = list(
            pipelines.evaluate(
                source, CONTRACT, batch_size=batch_size, part=part
            ).as_numpy_iterator()
        )
        numbers.append(len(made))
        for images, labels, weights, index in made:
            assert len(images) == len(labels) == len(weights) == batch_size // replicas
            assert weights.dtype == np.float32
            np.testing.assert_array_equal(images, source.fetch(index)[0])
            np.testing.assert_array_equal(labels, source.fetch(index)[1])
            counted += index[weights == 1].tolist()
            assert set(weights.tolist()) <= {0.0, 1.0}
    assert sorted(counted) == list(range(length))
    assert set(numbers) == {-(-length // batch_size)}


def test_evaluation_of_files_is_the_contract(photos):
    source = sources.load("folder", "validation", data_dir=str(photos))
    contract = preprocess.InputContract(image_size=8, resize_px=10)
    seen = []
    for images, labels, weights, index in pipelines.evaluate(source, contract, batch_size=5):
        for image, label, i in zip(images, labels, index, strict=True):
            data = pathlib.Path(source.files[int(i)]).read_bytes()
            np.testing.assert_array_equal(image, preprocess.prepare(data, contract))
            assert source.class_names[int(label)] in source.files[int(i)]
        seen += index.numpy()[weights.numpy() > 0].tolist()
    assert seen == list(range(12))


def test_a_limit_takes_a_sample_of_all():
    made = pipelines.evaluate(synthetic(50), CONTRACT, batch_size=4, limit=10).as_numpy_iterator()
    index = np.concatenate([i[w > 0] for _, _, w, i in made])
    assert len(set(index.tolist())) == 10 and index.max() > 20


@pytest.mark.parametrize(
    ("damage", "where"), [(b"", "first"), (b"text", "last"), ("truncated", "first")]
)
def test_a_file_that_does_not_decode_is_named(tmp_path, where, damage):
    jpeg = tf.io.encode_jpeg(np.full((40, 50, 3), 128, np.uint8)).numpy()
    for split in ("train", "val"):
        for i in range(6):
            (tmp_path / split / "a").mkdir(parents=True, exist_ok=True)
            (tmp_path / split / "a" / f"{i}.jpg").write_bytes(jpeg)
    bad = tmp_path / "val" / "a" / ("0.jpg" if where == "first" else "5.jpg")
    bad.write_bytes(jpeg[:-200] if damage == "truncated" else damage)
    source = sources.load("folder", "validation", data_dir=str(tmp_path))
    for dataset in (
        pipelines.evaluate(source, CONTRACT, batch_size=2),
        pipelines.train(source, CONTRACT, CROP, batch_size=2, seed=0, steps=(0, 3)),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=str(bad)):
            list(dataset)


def test_mean_image_and_mean_colour(source):
    images = []
    for i in range(source.length):
        raw = source.fetch([i])[0][0]
        raw = raw if source.image_shape else preprocess.decode(raw)
        images.append(preprocess.resize_crop(raw, CONTRACT).numpy())
    pixel = pipelines.mean(source, CONTRACT, "pixel")
    channel = pipelines.mean(source, CONTRACT, "channel")
    assert pixel.dtype == channel.dtype == np.float32
    np.testing.assert_allclose(pixel, np.mean(images, axis=0), rtol=1e-6)
    np.testing.assert_allclose(channel, np.mean(images, axis=(0, 1, 2))[None, None], rtol=1e-6)
    with pytest.raises(ValueError, match="'pixel' or 'channel'"):
        pipelines.mean(source, CONTRACT, "image")


def test_batches_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiple of 2"):
        batches(synthetic(12), batch_size=3, part=Slice(2, 0, 2))
    with pytest.raises(ValueError, match="part of 2"):
        Slice(2, 1, 2)
    with pytest.raises(ValueError, match="found none|got none"):
        batches(synthetic(12).__class__("empty", "train", ("a",), 0, None, (8, 8, 3)))


def boxed(photos, broken=()):
    """The photographs with a box each, the third with two; some unreadable."""
    plain = sources.load("folder", "train", data_dir=str(photos))

    def fetch(indices):
        images, labels = plain.fetch(indices)
        images = tf.where(tf.reduce_any(indices[:, None] == broken, axis=1), "", images)
        count = 1 + tf.cast(indices[0] == 2, tf.int64)
        boxes = tf.tile(tf.cast(indices, tf.float32)[:, None, None], (1, count, 4))
        return images, {"boxes": boxes, "classes": labels}

    return dataclasses.replace(plain, fetch=fetch, skipped=skipped.Skipped())


def test_labels_may_be_boxes_and_sizes_differ_from_batch_to_batch(photos):
    """By hand: batch b holds examples 2 b and 2 b + 1 on a canvas of its own."""
    canvases = tf.constant([(6, 9), (9, 6), (5, 5)])

    def plan(number):
        index = 2 * number + tf.range(2, dtype=tf.int64)
        return {"index": index, "canvas": tf.repeat(canvases[number][None], 2, axis=0)}

    def prepare(rows):
        canvas = rows["canvas"][0]
        pixels = tf.map_fn(
            lambda image: tf.image.resize(preprocess.decode(image), canvas),
            rows["images"],
            fn_output_signature=tf.TensorSpec((None, None, 3), tf.float32),
        )
        return {**rows, "images": pixels}

    source = boxed(photos, broken=[3])
    made = stream(source, prepare, plan, range(3))
    found = list(finish(made, "images", "labels", "index").as_numpy_iterator())
    assert [images.shape for images, *_ in found] == [(2, 6, 9, 3), (2, 9, 6, 3), (2, 5, 5, 3)]
    assert [labels["boxes"].shape for _, labels, _ in found] == [(2, 1, 4), (2, 2, 4), (2, 1, 4)]
    # Example 3 cannot be read: another stands in, and its boxes came along, filled up with zeros.
    _, labels, index = found[1]
    assert index[0] == 2 and index[1] == 4 and source.skipped.indices == {3}
    assert labels["boxes"][..., 0].tolist() == [[2, 2], [4, 0]]
