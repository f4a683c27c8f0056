"""A full disk is one sentence, and nothing half written stays: whoever writes, and where."""

import hashlib
import os

import export_networks
import numpy as np
import programs
import pytest
import tensorflow as tf
from runs_on_digits import SHORT, run
from small_disks import left, small_disk

import zoo
from export import formats, images, publish
from trainers.engine import checkpoints, optim
from trainers.engine.state import State
from trainers.judging import embeddings, evaluation, options, projector
from trainers.plan.recipes import RECIPES
from zoo import archive, disks


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "No space left on the disk of here: "),
        (OSError(122, "Disk quota exceeded"), "No space left on the disk of here: "),
        (tf.errors.ResourceExhaustedError(None, None, "a; No space left on device"), "No space "),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"), None),
        (OSError(13, "Permission denied"), "here may not be written to (Permission denied): "),
        (OSError(2, "No such file or directory"), None),
        (ValueError("other"), None),
    ],
)
def test_which_errors_say_so(error, told):
    with pytest.raises(disks.DiskError if told else type(error)) as caught, disks.told("here"):
        raise error
    assert told is None or str(caught.value).startswith(told)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return export_networks.save_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.mark.parametrize("size", ["60k", "300k"])
@pytest.mark.parametrize("form", ["saved_model", "tflite-none", "onnx"])
def test_an_export(form, size, tmp_path):
    source = export_networks.digits_classifier()
    evidence = images.Evidence(images.of_run(source, "validation", 20))
    with small_disk(tmp_path / "disk", size) as disk:
        with pytest.raises(disks.DiskError, match=f"No space left on the disk of {disk}/out"):
            publish.publish(source, formats.find(form), evidence, disk / "out")
        assert left(disk) == ["out"]


@pytest.mark.parametrize("size", ["8k", "40k"])
def test_an_evaluation(run_dir, size, tmp_path):
    judging = options.Judging(
        *((run_dir,), "model", "center", True, None, None, "validation", 64, 40, "none", 1),
        tmp_path / "disk" / "out",
    )
    with small_disk(tmp_path / "disk", size) as disk:
        with pytest.raises(disks.DiskError, match="No space left"):
            evaluation.evaluate(judging, tf.distribute.get_strategy())
        assert not [name for name in left(disk) if "/." in name]


WRITERS = {
    "npz": embeddings.write_npz,
    "tfrecord": embeddings.write_tfrecord,
    "projector": lambda path, found: projector.write(path, "x", found),
}


@pytest.mark.parametrize("made", ["npz", "tfrecord", "projector"])
def test_features(made, tmp_path):
    rows = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    ids = np.array([f"validation/{n}" for n in range(500)])
    small = np.zeros((0, 1, 1, 3), np.uint8)
    found = embeddings.Embeddings(rows, np.zeros(500, np.int32), ids, ("a",), small)
    with small_disk(tmp_path / "disk", "64k") as disk:
        with pytest.raises(disks.DiskError), disks.told(disk):
            WRITERS[made](disk / f"validation.{made}", found)
        assert not [name for name in left(disk) if (disk / name).is_file()]


@pytest.mark.parametrize("pages", [20, 95])  # of 4 kB: weights need 95, their manifest one more
def test_weights_and_manifest_are_both_new_or_both_old(run_dir, pages, tmp_path):
    model, manifest = archive.load(run_dir)
    with small_disk(tmp_path / "disk", "2m") as disk:
        archive.save(model, manifest, disk)
        fill(disk, pages)
        before = {path.name: digest(path) for path in disk.iterdir()}
        changed = model.get_layer("logits").bias
        changed.assign(changed.value + 1)
        for write in (archive.save, lambda *_: archive.add(model, disk, "precise")):
            with pytest.raises(disks.DiskError), disks.told(disk):
                write(model, manifest, disk)
            assert {path.name: digest(path) for path in disk.iterdir()} == before
        archive.load(disk)


def fill(disk, pages):
    """Leaves so many pages of the disk free."""
    free = os.statvfs(disk)
    (disk / "x").write_bytes(bytes((free.f_bavail - pages) * free.f_frsize))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", ["1100k", "1500k"])
def test_training(size, tmp_path):
    """Weights in HDF5 find no room, or a checkpoint that is written in the background."""
    with small_disk(tmp_path / "disk", size) as disk:
        result = run("classify", *SHORT, f"--run_dir={disk / 'run'}")
        (sentence,) = result.stderr.splitlines()
        assert result.returncode == 1 and "No space left on the disk of" in sentence
        names = [name.rpartition("/")[2] for name in left(disk)]
        assert not [name for name in names if name.startswith((".", checkpoints.WRITING))]
        if "model.weights.h5" in names:
            archive.load(disk / "run")


def test_the_last_checkpoint_in_the_background_is_not_lost_in_silence(tmp_path):
    """What fails in it is raised by whoever waits for it; TensorFlow's `sync` does not."""
    state = fresh()
    saver = checkpoints.Saver(state, tmp_path / "disk" / "run", None, background=True)
    with small_disk(tmp_path / "disk", "100k"):
        state.step = 1
        with pytest.raises(tf.errors.ResourceExhaustedError, match="No space left"):
            saver.save()
            saver.finish()
        saver.give_up()
        saver.finish()  # told once


def fresh():
    model = zoo.build("resnet8", image_size=8)
    optimizer = optim.momentum_sgd(RECIPES["digits"])
    optimizer.build(model.trainable_variables)
    return State(model, optimizer)


def test_precise_statistics(run_dir, tmp_path):
    room = sum(path.stat().st_size for path in run_dir.iterdir()) // 1024
    with small_disk(tmp_path / "disk", f"{room + 60}k") as disk:
        for path in run_dir.iterdir():
            (disk / path.name).write_bytes(path.read_bytes())
        before = left(disk)
        result = programs.run("trainers.precise_bn", f"--run_dir={disk}", "--batches=2")
        (sentence,) = result.stderr.splitlines()
        assert result.returncode == 1 and "No space left on the disk of" in sentence
        assert left(disk) == before
        archive.load(disk)
