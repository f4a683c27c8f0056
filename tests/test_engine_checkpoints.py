"""Checkpoints that are cut, changed, left over, or do not fit on the disk."""

import os
import shutil
import subprocess
import threading

import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as convert
from runs_on_digits import SHORT, records, run, weights

import zoo
from trainers.engine import checkpoints, loop, optim
from trainers.engine import state as state_module
from trainers.engine.state import State
from trainers.plan.recipes import RECIPES


def fresh():
    model = zoo.build("resnet8", image_size=8, mean="pixel")
    optimizer = optim.momentum_sgd(RECIPES["digits"])
    optimizer.build(model.trainable_variables)
    return State(model, optimizer)


@pytest.fixture
def saved(tmp_path):
    """Checkpoints of steps 1 to 3, told apart by the value of their first weight."""
    state = fresh()
    for step in (1, 2, 3):
        state.step = step
        state.model.variables[0].assign(tf.ones_like(state.model.variables[0].value) * step)
        checkpoints.save(state, tmp_path)
    return tmp_path


def restored_step(run_dir):
    state = fresh()
    assert checkpoints.restore(state, run_dir)
    first = convert(state.model.variables[0])
    assert np.all(first == state.step)  # all of it is of one step
    return state.step


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty])
@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_a_damaged_newest_is_named_and_the_one_before_taken(saved, damage, part, capsys):
    damage(saved / "checkpoints" / f"ckpt-3.{part}")
    assert restored_step(saved) == 2
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1
    assert "warning: " in warnings[0] and "ckpt-3 cannot be read" in warnings[0]


def test_none_readable_is_refused_and_not_a_silent_start(saved):
    for path in (saved / "checkpoints").glob("*.data-*"):
        cut(path)
    with pytest.raises(checkpoints.CheckpointError, match="none of the 3 checkpoints in"):
        checkpoints.restore(fresh(), saved)


def test_no_checkpoint_is_a_start(tmp_path):
    assert checkpoints.restore(fresh(), tmp_path) is False


def test_the_oldest_are_dropped(saved):
    state = fresh()
    for state.step in (4, 5):
        checkpoints.save(state, saved)
    assert checkpoints.steps_saved(saved) == [5, 4, 3]
    assert {p.name.split(".")[0] for p in (saved / "checkpoints").iterdir()} == {
        *("ckpt-3", "ckpt-4", "ckpt-5")
    }


def test_what_a_killed_writer_left_is_swept(saved):
    folder = saved / "checkpoints"
    (folder / "writing-ckpt-4_temp").mkdir()
    (folder / "writing-ckpt-4_temp" / "part-0").write_bytes(b"half")
    (folder / "writing-ckpt-4.index").write_bytes(b"half")
    shutil.copy(folder / "ckpt-3.data-00000-of-00001", folder / "ckpt-4.data-00000-of-00001")
    checkpoints.sweep(saved)
    assert {p.name.split(".")[0] for p in folder.iterdir()} == {"ckpt-1", "ckpt-2", "ckpt-3"}
    assert restored_step(saved) == 3


@pytest.mark.parametrize("background", [False, True])
def test_a_checkpoint_has_no_name_before_it_is_whole(tmp_path, monkeypatch, background):
    """TensorFlow's own index is there and empty for a moment; a kill then would leave it so."""
    renamed = []

    def replace(source, target):
        assert checkpoints.steps_saved(tmp_path) == []
        renamed.append((source.name, target.name))
        return rename(source, target)

    rename = os.replace
    monkeypatch.setattr(os, "replace", replace)
    checkpoint = fresh().checkpoint()
    checkpoints.write(checkpoint, 7, tmp_path, background)
    if background:
        checkpoint.sync()
    assert renamed == [
        ("writing-ckpt-7.data-00000-of-00001", "ckpt-7.data-00000-of-00001"),
        ("writing-ckpt-7.index", "ckpt-7.index"),
    ]
    assert checkpoints.restore(fresh(), tmp_path)


def test_a_full_disk_is_one_sentence_and_what_was_saved_stays(tmp_path):
    """A file system of 2 MB, which a few checkpoints of 0.6 MB fill."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount(disk):
        pytest.skip("needs the right to mount a file system, as root has")
    try:
        arguments = [*SHORT, "--checkpoint_steps=1", f"--run_dir={disk / 'run'}"]
        result = run("classify", *arguments)
        assert result.returncode == 1, result.stderr
        assert "No space left" in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        kept = checkpoints.steps_saved(disk / "run")
        assert kept
        state = fresh()
        assert checkpoints.restore(state, disk / "run") and state.step == kept[0]
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(disk / "run", elsewhere)
        again = run("classify", *SHORT, "--checkpoint_steps=1", f"--run_dir={elsewhere}")
        assert again.returncode == 0 and f"resuming at step {kept[0]}" in again.stdout
        assert records(elsewhere)[-1]["step"] == 60 and weights(elsewhere)
    finally:
        unmount(disk)


def mount(path):
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True).returncode == 0


def unmount(path):
    subprocess.run(["umount", str(path)], check=True)


def test_a_write_in_the_background_holds_one_moment(tmp_path, monkeypatch):
    """Training goes on before the file is made; weights and step are still the call's."""
    state, gone_on = fresh(), threading.Event()
    serialize = state_module._Host.serialize

    def late(host):
        assert threading.current_thread() is threading.main_thread() or gone_on.wait(60)
        return serialize(host)

    monkeypatch.setattr(state_module._Host, "serialize", late)
    saver = checkpoints.Saver(state, tmp_path, loop.Rhythm(9, 9), background=True)
    for step in range(1, 6):  # TensorFlow has a first, a second and an ever after
        gone_on.clear()
        state.step = step
        state.model.variables[0].assign(tf.ones_like(state.model.variables[0].value) * step)
        saver.save()
        state.step, state.history = step + 100, ["a later round"]
        gone_on.set()
        saver.finish()
        again = fresh()
        assert checkpoints.restore(again, tmp_path)
        assert (again.step, again.history) == (step, [])
        assert np.all(convert(again.model.variables[0]) == step)
        state.history = []
