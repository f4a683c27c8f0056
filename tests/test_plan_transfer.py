"""--init_from: what a run takes from its source, what it trains, and what it refuses."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from export_networks import NAMES, save_run, trained_on_digits
from keras.ops import convert_to_numpy as convert
from runs_on_digits import records, run, weights

import zoo
from trainers.data import pipelines, sources
from trainers.engine import optim, steps
from trainers.plan import images as run_images
from trainers.plan import transfer
from trainers.plan.flags import Run
from trainers.plan.recipes import RECIPES, default_for
from trainers.run import classification
from zoo import archive
from zoo.preprocess import InputContract
from zoo.surgery import head

FINETUNE = RECIPES["finetune"]
SHORT = ("--data=digits", "--nomirror", "--augmentation=pad_crop", "--pad_px=1", "--batch_size=32")
STATISTICS = ("/moving_mean", "/moving_variance", "/gamma", "/beta")
ODD = zoo.Network(
    "resnet8", 10, 8, "A", mean="pixel", bn_epsilon=3e-4, zeros="split"
)  # every trait that a recipe does not set


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A run directory: resnet8, right on about 97 % of digits' held-out images."""
    return save_run(tmp_path_factory.mktemp("runs") / "source")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """An import-like source with random numbers for all weights, means and scales included."""
    run_dir = tmp_path_factory.mktemp("runs") / "odd"
    model = zoo.build_network(ODD)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    contract = InputContract(8, 10, method="bicubic", antialias=False, rounding="torch")
    archive.save(model, archive.Manifest(ODD, contract, NAMES), run_dir)
    return run_dir


def run_from(source, **changes):
    """The Run that `--init_from` makes of the recipe."""
    recipe = dataclasses.replace(FINETUNE, mean="pixel", batch_size=32, mirror=False, **changes)
    return Run("resnet8", "A", "1x1", "digits", 0, "float32", recipe, str(source))


def started(this_run, class_names=None):
    """(data, state) at step 0, with other names for the classes if asked."""
    data = run_images.load(this_run, None)
    if class_names:
        train = dataclasses.replace(data.train, class_names=class_names)
        data = dataclasses.replace(data, train=train)
    state = classification.build(this_run, data, tf.distribute.get_strategy())
    classification.begin(state, data, this_run)
    return data, state


def values(model):
    return {v.path: convert(v) for v in model.variables}


# -- what is taken over


def test_the_network_and_its_eyes_are_the_sources(odd):
    data, state = started(run_from(odd), ("cat",) * 9 + ("dog",))
    manifest = classification.network(run_from(odd), data)
    assert dataclasses.replace(manifest, num_classes=10) == ODD
    model, _ = archive.load(odd)
    ours, theirs = values(state.model), values(model)
    assert ours.keys() == theirs.keys()
    differ = {path for path in ours if not np.array_equal(ours[path], theirs[path])}
    assert {path.split("/")[0] for path in differ} == {head.HEAD}
    assert data.input == InputContract(8, 10, "bicubic", False, "torch", "exif")


def test_another_image_size_keeps_the_crops_share(odd):
    contract = transfer.contract(run_from(odd, image_size=16))
    assert contract == InputContract(16, 20, "bicubic", False, "torch", "exif")
    assert transfer.contract(run_from(odd, image_size=16, resize_px=17)).resize_px == 17


def test_classes_are_told_apart_by_name(odd):
    backwards = NAMES[::-1]
    _, state = started(run_from(odd), backwards)
    model, _ = archive.load(odd)
    images = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype("float32")
    expected = convert(model(images))[:, ::-1]
    np.testing.assert_allclose(convert(state.model(images)), expected, rtol=1e-5)
    assert "its head kept" in transfer.describe(run_from(odd), backwards)
    assert "a new head for 10 classes" in transfer.describe(run_from(odd), ("x", *NAMES[1:]))


# -- what is trained


def one_step(this_run):
    """What one step adds to each variable: {path: array}."""
    data, state = started(this_run)
    before = values(state.model)
    options = dict(batch_size=32, seed=0, steps=(0, 1))
    batches = pipelines.train(data.train, data.input, pipelines.NO_AUGMENTATION, **options)
    strategy = tf.distribute.get_strategy()
    steps.trainer(state.model, state.optimizer, strategy)(iter(batches), 1)
    after = values(state.model)
    return {path: after[path] - before[path] for path in after}


def test_the_backbone_goes_slower_by_its_rate(source):
    """One step from rest is -rate * (gradient + decay * w), so a tenth of the rate is a tenth."""
    slow, fast = (one_step(run_from(source)), one_step(run_from_rate_one(source)))
    moved = [path for path, change in fast.items() if change.any()]
    assert any(path.startswith("conv1") for path in moved) and "logits/kernel" in moved
    for path in moved:
        share = 1.0 if path.startswith("logits") else 0.1
        largest = np.abs(fast[path]).max()
        np.testing.assert_allclose(slow[path], share * fast[path], atol=2e-4 * largest)


def run_from_rate_one(source):
    this_run = run_from(source)
    return dataclasses.replace(
        this_run, recipe=dataclasses.replace(this_run.recipe, backbone_rate=1.0)
    )


def test_rates_by_hand():
    """Two steps of v <- m v - r lr (g + l w), w <- w + v, with g = 1: l on the matrix alone."""
    import keras

    variables = [keras.Variable(np.full((1, 1), 2.0)), keras.Variable(np.full((1,), 2.0))]
    optimizer = optim.CoupledSGD(0.1, 0.5, coupled_decay=0.25, rates=[0.1, 1.0])
    optimizer.build(variables)
    for _ in range(2):
        optimizer.apply([tf.ones(v.shape) for v in variables])
    # Matrix: v = -0.01 * 1.5 = -0.015, w = 1.985; v = -0.0075 - 0.01 * (1 + 0.49625), w = 1.9625375
    # Vector: v = -0.1, w = 1.9; v = -0.05 - 0.1, w = 1.75
    assert convert(variables[0]).item() == pytest.approx(1.9625375, abs=1e-6)
    assert convert(variables[1]).item() == pytest.approx(1.75, abs=1e-6)
    again = optim.CoupledSGD.from_config(optimizer.get_config())
    assert again.rates == [0.1, 1.0]


def test_by_default_statistics_stay_and_told_to_they_move(source):
    still = one_step(run_from(source))
    assert not any(change.any() for path, change in still.items() if path.endswith(STATISTICS))
    moving = one_step(run_from(source, freeze_bn=False))
    for path, change in moving.items():
        assert change.any() or not path.endswith(STATISTICS), path


# -- as a user runs it


@pytest.fixture(scope="module")
def frozen(source, tmp_path_factory):
    """Frozen through conv3, on three replicas, 12 steps; the directory and what was said."""
    run_dir = tmp_path_factory.mktemp("runs") / "frozen"
    options = ["--batch_size=33", "--logical_devices=3", "--steps=12", "--round_steps=6"]
    options = [*SHORT, *options, "--freeze=conv3", f"--init_from={source}", f"--run_dir={run_dir}"]
    result = run("classify", *options)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return run_dir, options, result


def test_frozen_stages_and_statistics_are_the_sources_to_the_bit(frozen, source):
    run_dir, _, result = frozen
    ours, theirs = weights(run_dir), weights(source)
    for path in theirs:
        learning = path.startswith("logits") or (path.startswith("conv4") and "_bn" not in path)
        assert np.array_equal(ours[path], theirs[path]) != learning, path
    assert "starting from resnet8 in " in result.stdout and "its head kept" in result.stdout
    assert "frozen all through conv3 and batch normalisation, the backbone at 0.1" in result.stdout
    found = archive.load_manifest(run_dir)
    assert found.data["init_from"]["head"] == "kept"
    sha256 = archive.load_manifest(source).weights[archive.WEIGHTS]["sha256"]
    assert found.data["init_from"]["sha256"] == sha256
    assert found.recipe["freeze"] == "conv3" and found.recipe["freeze_bn"] is True


def test_the_same_command_resumes_to_the_bit(frozen, tmp_path):
    """The source's weights are for step 0 alone: a resumed run must not take them again."""
    run_dir, options, _ = frozen
    again = tmp_path / "again"
    shutil.copytree(run_dir, again)
    for path in (again / "checkpoints").glob("ckpt-12.*"):
        path.unlink()
    result = run("classify", *options[:-1], f"--run_dir={again}")
    assert "resuming at step 6" in result.stdout, result.stderr
    ours, theirs = weights(again), weights(run_dir)
    for path in theirs:
        np.testing.assert_array_equal(ours[path], theirs[path])
    assert records(again) == records(run_dir)


def test_without_learning_the_source_is_judged_as_it_is(source, tmp_path):
    """A rate of 0 leaves every weight, so the first round's error is the source's own."""
    options = ["--learning_rate=0", "--steps=1", f"--init_from={source}", f"--run_dir={tmp_path}"]
    result = run("classify", *SHORT, *options)
    assert result.returncode == 0, result.stderr
    held_out = sources.load("digits", "validation")
    images, labels = held_out.fetch(np.arange(held_out.length))
    called = convert(trained_on_digits()(images, training=False)).argmax(axis=1)
    assert records(tmp_path)[0]["validation_error"] == pytest.approx(np.mean(called != labels))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--init_from={source}", "--model=resnet20"], "--model=resnet20 is not that of"),
        (["--init_from={source}", "--shortcut=B"], "A: leave --shortcut out"),
        (["--init_from={source}", "--mean=channel"], "pixel: leave --mean out"),
        (["--init_from={source}/nowhere"], "holds no trained network"),
        (["--freeze=conv3"], "--freeze=conv3: meant for weights that are there"),
        (["--recipe=finetune"], "give --init_from"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(options, sentence, source):
    result = run("classify", *[option.format(source=source) for option in options])
    assert result.returncode == 2 and sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_stage_that_is_not_there_is_named(source):
    with pytest.raises(head.HeadError, match="one of conv1, conv2, conv3, conv4"):
        started(run_from(source, freeze="conv5"))


def test_images_in_folders_are_not_fine_tuned_by_default():
    assert default_for("folder", "imagenet") == "folder"
    assert default_for("folder", "cifar") == "folder"


# -- the study's images


def test_tiles_share_no_pixel_and_fill_both_splits(tmp_path):
    from trainers.studies import jobs, photographs

    px = photographs.TILE_PX
    # 7 x 5 tiles and a remainder; every pixel is its own colour
    numbers = np.arange((7 * px + 11) * (5 * px + 7)).reshape(7 * px + 11, 5 * px + 7)
    image = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], -1).astype(np.uint8)
    path = tmp_path / "photo.png"
    path.write_bytes(tf.io.encode_png(image).numpy())
    photographs.write(tmp_path / "set", {"photo": path}, per_class=5, seed=3)
    files = {s: sorted((tmp_path / "set" / s / "photo").glob("*.png")) for s in sources.SPLITS}
    assert [len(found) for found in files.values()] == [5, photographs.HELD_OUT]
    seen = [tf.io.decode_png(p.read_bytes()).numpy() for f in files.values() for p in f]
    colours = np.concatenate([tile.reshape(-1, 3) for tile in seen])
    assert len(np.unique(colours, axis=0)) == len(colours) == 29 * px * px
    with pytest.raises(jobs.StudyError, match="35 tiles"):
        photographs.write(tmp_path / "set", {"photo": path}, per_class=12, seed=3)
