"""The power goes: what the disk has then is enough to go on with, and ends the same.

Needs root, for a file system of its own in a file. A copy of that file is what a disk holds at that
moment: whatever the system keeps in memory for later is not in it.
"""

import contextlib
import os
import re
import signal
import subprocess

import numpy as np
import programs
import pytest
from runs_on_digits import SHORT, records, run, wait_for, weights

from trainers.engine import checkpoints

RUN = (*SHORT, "--checkpoint_steps=2", "--steps_per_execution=1")


@contextlib.contextmanager
def mounted(image, place):
    """Inside, the file system that `image` holds is at `place`; its journal is played back."""
    place.mkdir(exist_ok=True)
    mount = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"needs the right to mount a file system, as root has: {mount.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("power") / "whole"
    result = run("classify", *RUN, f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    return run_dir


def cut(image, copy, process):
    """A copy of the disk as it is while the process stands still; then the process is gone."""
    process.send_signal(signal.SIGSTOP)
    before = b""
    while before != (now := image.read_bytes()):  # the system's own writing is over
        before = now
    copy.write_bytes(now)
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, 46])
def test_a_run_goes_on_at_its_newest_checkpoint(whole, tmp_path, step):
    image, copy = tmp_path / "disk", tmp_path / "disk-after"
    with open(image, "wb") as file:
        os.truncate(file.fileno(), 64 << 20)
    if subprocess.run(["mkfs.ext4", "-q", "-F", image], capture_output=True).returncode:
        pytest.skip("needs mkfs.ext4")
    with mounted(image, tmp_path / "before") as disk:
        arguments = [*RUN, f"--run_dir={disk / 'run'}"]
        process = programs.Started("trainers.classify", *arguments)
        wait_for(disk / "run" / "checkpoints" / f"ckpt-{step}.index", process)
        _, safe, *_ = checkpoints.steps_saved(disk / "run")  # the newest may be on its way
        cut(image, copy, process)
    with mounted(copy, tmp_path / "after") as disk:
        result = run("classify", *RUN, f"--run_dir={disk / 'run'}")
        assert result.returncode == 0 and result.stderr == "", result.stderr
        resumed = int(re.search(r"resuming at step (\d+)", result.stdout)[1])
        assert resumed >= safe
        assert records(disk / "run") == records(whole)
        expected = weights(whole)
        for path, value in weights(disk / "run").items():
            np.testing.assert_array_equal(value, expected[path], err_msg=path)
