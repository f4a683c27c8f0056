"""Every contender of the input benchmarks makes the pictures that it is timed for; no times."""

import numpy as np
import pytest

from benchmarks import harness, noise, photographs
from benchmarks.input import cifar, crops, jpeg

IN_THIS_PROCESS = {"torch_dataloader": 0}  # it forks its workers, which TensorFlow's threads forbid


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("benchmark")
    photographs.write(root / "photos", count=40)
    return root


def first_batch(clock, contender, monkeypatch, *arguments):
    """The images, float32, of what the module `clock` would have timed."""
    monkeypatch.setattr(clock, "rate", lambda batches: next(iter(batches)))
    batch = contender(*arguments)
    images = batch[0] if isinstance(batch, (tuple, list)) else batch
    return np.asarray(images, np.float32)


@pytest.mark.parametrize("contender", jpeg.CONTENDERS)
def test_crops_are_of_the_photographs(folder, contender, monkeypatch):
    monkeypatch.setattr(harness, "CORES", IN_THIS_PROCESS.get(contender, 2))
    found = first_batch(crops, jpeg.CONTENDERS[contender], monkeypatch, str(folder))
    if contender == "raw_decode":
        assert found.tolist() == [[400, 500, 3]] * 32
        return
    side = 256 if contender == "image_dataset_from_directory" else 224
    assert found.shape == (32, side, side, 3)
    assert len(np.unique(found.reshape(32, -1), axis=0)) == 32  # no two are the same
    assert 90 < found.mean() < 160  # of 255; all photographs together 107, their middles lighter
    blueness = found[..., 2] - found[..., 0]  # of all pixels 20 % are red, 10 % blue
    assert (blueness < -60).mean() > 1.3 * (blueness > 60).mean() > 0


@pytest.mark.parametrize("contender", cifar.CONTENDERS)
def test_cifars_crops_are_shifts_and_mirrors_of_the_images(contender, monkeypatch):
    """By noise, of which no two windows are alike."""
    monkeypatch.setattr(cifar, "IMAGES", 128)
    found = first_batch(cifar, cifar.CONTENDERS[contender], monkeypatch)
    assert found.shape == (128, 32, 32, 3)
    images = np.float32(noise.images(128))
    windows = {
        crop.tobytes()
        for y in range(9)
        for x in range(9)
        for crop in images[:, y : y + 24, x : x + 24]
    }
    inner = found[:, 4:28, 4:28]  # which no padding reaches
    straight = np.array([crop.tobytes() in windows for crop in inner])
    mirrored = np.array([crop[:, ::-1].tobytes() in windows for crop in inner])
    assert (straight ^ mirrored).all()
    assert 30 < mirrored.sum() < 98  # a half: six standard deviations to either side
