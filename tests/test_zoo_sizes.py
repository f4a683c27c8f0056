"""Inputs that are no squares: sizes as written, boxes cut out by hand's reckoning, a whole run."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from pictures_in_folders import fill

import trainers
import zoo
from trainers.data.augment import windows
from trainers.judging import pictures, scores
from trainers.plan import images as run_images
from zoo import archive, limits, manifest, preprocess, sizes

WIDE = preprocess.InputContract((4, 8), 4)


def test_sizes_as_a_person_writes_them():
    for text, value in {"192x256": (192, 256), "64": 64, "64x64": 64}.items():
        assert limits.read("image_size", text) == value
        assert sizes.read(sizes.shown(value)) == value
    for text in ("192x", "x256", "3x64", "64x9000", "192X256", "1x2x3", "192*256"):
        with pytest.raises(limits.LimitError, match="height x width such as 192x256"):
            limits.read("image_size", text)
    assert limits.check("image_size", [np.int64(8), 16]) == (8, 16)


def test_squares_are_numbers_in_manifests_as_before():
    square = preprocess.InputContract((8, 8), 8)
    assert dataclasses.asdict(square)["image_size"] == 8 and square.bound_px == 8
    assert zoo.Network("resnet8", 10, [8, 8], "A").image_size == 8
    there = json.loads(json.dumps(dataclasses.asdict(WIDE)))
    assert preprocess.InputContract(**there) == WIDE


@pytest.mark.parametrize(
    ("height_width", "scaled"),
    [
        ((40, 80), (4, 8)),  # the box's own shape: all of it
        ((40, 40), (8, 8)),  # a square must become 8 wide
        ((20, 100), (4, 20)),  # wider than the box: as high as it
        ((90, 30), (24, 8)),
    ],
)
def test_a_picture_just_covers_its_box(height_width, scaled):
    found = preprocess.resized_size(tf.constant(height_width), WIDE)
    assert tuple(found.numpy()) == scaled
    wider = dataclasses.replace(WIDE, resize_px=8)  # twice as large before the crop
    assert tuple(preprocess.resized_size(tf.constant(height_width), wider)) == tuple(
        2 * side for side in scaled
    )


def test_the_boxs_centre_is_cut_out():
    """Rows 2 to 5 of 8, all 8 columns; pixels tell where they were."""
    image = np.stack(np.meshgrid(range(8), range(8), [0], indexing="ij"), axis=-1)[:, :, 0]
    found = preprocess.resize_crop(tf.constant(image, tf.uint8), WIDE).numpy()
    np.testing.assert_array_equal(found, image[2:6])


def test_a_random_window_is_within_and_has_the_boxs_shape():
    """At scale s of the shorter side 4, 4 / s of the largest box that the picture holds."""
    rng = np.random.default_rng(0)
    for height_width in ((60, 60), (40, 200), (200, 40)):
        largest = min(height_width[0], height_width[1] / 2)
        for shorter in (4, 5, 8):
            uniforms = tf.constant(rng.uniform(size=4), tf.float32)
            window = windows.box_window(tf.constant(height_width), shorter, (4, 8), uniforms)
            top, left, rows, columns = window.numpy()
            assert abs(rows - largest * 4 / shorter) <= 0.5
            assert abs(columns - 2 * largest * 4 / shorter) <= 0.5
            assert 0 <= top <= height_width[0] - rows and 0 <= left <= height_width[1] - columns


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    root = tmp_path_factory.mktemp("wide")
    fill(root / "photos", count=6)
    trainers.train(
        **dict(model="resnet8", data_dir=str(root / "photos"), image_size="16x32", steps=6),
        **dict(round_steps=3, batch_size=4, run_dir=root / "run", verbose=False),
        **dict(augmentation="scale_jitter", mean="pixel", color=True, pictures=False),
    )
    return root / "run"


def test_a_run_is_resumed_judged_and_asked_at_its_size(run_dir):
    described = manifest.load_manifest(run_dir)
    assert described.input.image_size == described.network.image_size == (16, 32)
    assert json.loads((run_dir / "manifest.json").read_text())["input"]["image_size"] == [16, 32]
    assert "--image_size=16x32" in (run_dir / "flags.txt").read_text().splitlines()
    photos = run_dir.parent / "photos"
    again = dict(model="resnet8", data_dir=str(photos), image_size=(16, 32), steps=6)
    again |= dict(round_steps=3, batch_size=4, augmentation="scale_jitter", mean="pixel")
    trained = trainers.train(**again, color=True, pictures=False, run_dir=run_dir, verbose=False)
    assert trained.step == 6
    with pytest.raises(ValueError, match="--image_size differ"):
        changed = again | dict(image_size=(32, 16), color=True)
        trainers.train(**changed, run_dir=run_dir, verbose=False)
    judged = trainers.evaluate(run_dir, output_dir=run_dir.parent / "judged")
    assert judged["loss"] == pytest.approx(trained.last["validation_loss"], rel=1e-5)
    files = sorted(map(str, photos.rglob("*.png")))[:3]
    model, described = archive.load(run_dir)
    assert model.input_shape == (None, 16, 32, 3)
    batch = tf.stack([pictures.read(file, described.input) for file in files])
    rows = tf.nn.softmax(model(batch)).numpy()
    for guess, row in zip(trainers.predict(run_dir, files), rows, strict=True):
        assert dict(guess.top) == pytest.approx(dict(zip(described.class_names, row)), rel=1e-4)


def test_views_of_squares_are_refused(run_dir):
    model, described = archive.load(run_dir)
    source = run_images.source_of(described, run_dir=run_dir)
    for view in ("ten_crop", "multi_scale"):
        with pytest.raises(scores.ScoreError, match="sees 16x32 px: --views=.* is of squares"):
            look = scores.Look(view)
            scores.of_network(model, described, source, look, tf.distribute.get_strategy())


def test_an_artifact_is_of_the_same_size(run_dir, tmp_path):
    """Its own preparation of bytes included; in the exporter's program it is compared."""
    from export import classifier, formats, images, publish

    form = formats.find("saved_model")
    source = classifier.from_run(run_dir, "model")
    asked = images.Asked(run_dir=run_dir)
    held_out = images.of_run(source, "validation", 4, asked)
    target, proof = publish.publish(source, form, images.Evidence(held_out), tmp_path)
    assert set(proof) == {"pixels", "bytes"}
    loaded = tf.saved_model.load(str(target)).signatures["serving_default"]
    assert loaded.structured_input_signature[1]["images"].shape == (None, 16, 32, 3)
    assert "becomes 16 x 32" in (target / "MODEL_CARD.md").read_text()
