"""Precise statistics: numpy's over all values at once, kept beside the moving ones."""

import json
import shutil

import keras
import numpy as np
import programs
import pytest
from export_networks import randomised, save_run
from keras.ops import convert_to_numpy as convert
from PIL import Image

import zoo
from trainers.judging import statistics
from zoo import archive
from zoo.preprocess import InputContract


def batches_of(count=5, size=8, side=8):
    """Batches that differ: each has a brightness of its own."""
    rng = np.random.default_rng(3)
    return [
        np.float32(np.clip(rng.normal(40 * i + 40, 20, (size, side, side, 3)), 0, 255))
        for i in range(count)
    ]


def fresh():
    keras.utils.set_random_seed(1)
    return randomised(zoo.build("resnet8", image_size=8))


def expected_of_two_layers(model, batches):
    """By numpy: statistics of conv1's output and of the first block's, over all batches."""
    conv1 = zoo.features(model, ["conv1_conv"])
    norm, second = model.get_layer("conv1_bn"), model.get_layer("conv2_block1_1_conv")
    gamma, beta = convert(norm.gamma), convert(norm.beta)
    firsts = [np.float64(convert(conv1(batch)["conv1_conv"])) for batch in batches]
    seconds = []
    for x in firsts:  # in training a batch is normalised by its own statistics
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        x = np.maximum(gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta, 0)
        seconds.append(np.float64(convert(second(np.float32(x)))))
    return np.concatenate(firsts), np.concatenate(seconds)


def test_statistics_are_those_of_all_values_together():
    model, batches = fresh(), batches_of()
    values = expected_of_two_layers(model, batches)
    statistics.recompute(model, batches)
    for name, x in zip(("conv1_bn", "conv2_block1_1_bn"), values, strict=True):
        norm = model.get_layer(name)
        np.testing.assert_allclose(
            convert(norm.moving_mean), x.mean((0, 1, 2)), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(convert(norm.moving_variance), x.var((0, 1, 2)), rtol=1e-4)
    # The mean of the variances is another number here, or the test would show nothing.
    of_batches = np.mean([b.var((0, 1, 2)) for b in np.split(values[0], len(batches))], axis=0)
    assert (of_batches < 0.9 * values[0].var((0, 1, 2))).any()


def test_nothing_else_changes_and_the_result_depends_on_the_images_alone():
    model, batches = fresh(), batches_of()
    momentum = model.get_layer("conv1_bn").momentum
    others = [v for v in model.variables if "moving" not in v.path]
    before = [convert(v) for v in others]
    moved = statistics.recompute(model, batches)
    for variable, value in zip(others, before, strict=True):
        np.testing.assert_array_equal(convert(variable), value)
    assert model.get_layer("conv1_bn").momentum == momentum
    assert len(moved) == 7 and max(moved.values()) > 0.1
    once = [convert(v) for v in model.variables]
    again = statistics.recompute(model, batches[::-1])  # another order: rounding alone
    assert max(again.values()) < 1e-4
    for variable, value in zip(model.variables, once, strict=True):
        np.testing.assert_allclose(convert(variable), value, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run of 30 steps at a high rate, so that its moving averages do lag."""
    run_dir = tmp_path_factory.mktemp("runs") / "digits"
    arguments = ["--steps=30", "--round_steps=30", f"--run_dir={run_dir}"]
    assert programs.run("trainers.classify", *arguments).returncode == 0
    result = programs.run("trainers.precise_bn", f"--run_dir={run_dir}", "--batches=20")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert result.stdout.startswith(
        "resnet8: 7 normalisations, true averages over 20 batches of 64"
    )
    return run_dir


def test_the_moving_statistics_are_kept(run_dir):
    moving, _ = archive.load(run_dir)
    precise, manifest = archive.load(run_dir, weights="precise")
    names = {f"model{kind}.weights.h5" for kind in ("", ".best", ".precise")}
    assert set(manifest.weights) == names
    for ours, theirs in zip(precise.variables, moving.variables, strict=True):
        same = np.array_equal(convert(ours), convert(theirs))
        assert same == ("moving" not in ours.path)


def test_evaluation_takes_the_weights_it_is_told_to(run_dir):
    errors = {}
    for weights in ("model", "precise"):
        words = [f"--run_dir={run_dir}", f"--weights={weights}"]
        assert programs.run("trainers.evaluate", *words).returncode == 0
        result = json.loads((run_dir / "evaluation.json").read_text())
        assert result["weights"] == weights
        errors[weights] = result["error"]
    assert errors["precise"] < errors["model"]  # after 30 steps the moving averages lag


def test_unreadable_pictures_are_passed_over_and_counted(tmp_path):
    rng = np.random.default_rng(0)
    for split in ("train", "validation"):
        for name in ("cat", "dog"):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            for number in range(4):
                picture = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
                picture.save(tmp_path / "photos" / split / name / f"{number}.png")
    broken = tmp_path / "photos" / "train" / "cat" / "2.png"
    broken.write_bytes(b"no picture")
    network = zoo.Network("resnet8", 2, 8, "A")
    facts = {"name": "folder", "data_dir": str(tmp_path / "photos")}
    manifest = archive.Manifest(network, InputContract(8, 8), ("cat", "dog"), data=facts)
    archive.save(zoo.build_network(network), manifest, tmp_path / "run")
    arguments = [f"--run_dir={tmp_path / 'run'}", "--batches=4", "--batch_size=4"]
    result = programs.run("trainers.precise_bn", *arguments)
    assert result.returncode == 0, result.stderr
    assert f"passed over 1 image that cannot be read: train\t{broken}" in result.stdout
    archive.load(tmp_path / "run", weights="precise")


def test_weights_that_are_not_there(tmp_path):
    save_run(tmp_path)
    with pytest.raises(archive.ArchiveError, match="has no 'precise' weights: expected model.pre"):
        archive.load(tmp_path, weights="precise")


def test_new_weights_forget_what_was_made_of_the_old(run_dir, tmp_path):
    copy = shutil.copytree(run_dir, tmp_path / "copy")
    model, manifest = archive.load(copy)
    archive.save(model, manifest, copy)
    with pytest.raises(archive.ArchiveError, match="has no 'precise' weights"):
        archive.load(copy, weights="precise")
