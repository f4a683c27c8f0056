"""A run directory: whose it is, who is in it, what a refused, killed or damaged one is worth."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading

import numpy as np
import programs
import pytest
from runs_on_digits import SHORT, records, run, wait_for, weights

import trainers
from trainers.run import lock
from trainers.studies import jobs
from zoo import archive


def train(run_dir, **more):
    """As the program with SHORT, in this process: it starts in a fifth of the time."""
    call = dict(steps=60, round_steps=20, batch_size=16, pictures=False, verbose=False)
    return trainers.train(**{**call, **more}, run_dir=run_dir)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("directory") / "whole"
    train(run_dir)
    return run_dir


def copied(whole, tmp_path):
    subprocess.run(["cp", "-a", whole, tmp_path / "run"], check=True)
    return tmp_path / "run"


def test_metrics_are_the_same_bits_however_steps_are_grouped(whole, tmp_path):
    """Sums of float64 depend on their order; a clock sizes the calls of the whole run."""
    train(tmp_path, steps_per_execution=3)
    assert records(tmp_path) == records(whole)


def test_a_second_process_is_refused_and_a_reader_is_not(whole, tmp_path):
    run_dir = copied(whole, tmp_path)
    with lock.held(run_dir):
        refused = run("classify", *SHORT, f"--run_dir={run_dir}")
        read = run("evaluate", f"--run_dir={run_dir}", "--limit=10")
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"by process {os.getpid()} on {socket.gethostname()}" in refused.stderr
    assert read.returncode == 0, read.stderr
    train(run_dir)
    assert not (run_dir / lock.NAME).exists()


def test_a_killed_holder_leaves_no_lock(tmp_path):
    words = [*SHORT, "--checkpoint_steps=1", f"--run_dir={tmp_path}"]
    process = programs.Started("trainers.classify", *words)
    wait_for(tmp_path / "checkpoints" / "ckpt-*.index", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / lock.NAME).exists()  # the file is there, and nobody holds it
    with lock.held(tmp_path):
        pass


def test_who_waits_for_a_lock_that_goes_away_gets_the_next(tmp_path):
    """Of many that come and go, one at a time is in; who is refused leaves no file open."""
    before = len(os.listdir("/proc/self/fd"))
    inside, most = 0, 0

    def come_and_go():
        nonlocal inside, most
        done = 0
        while done < 50:
            try:
                with lock.held(tmp_path):
                    inside += 1
                    most = max(most, inside)
                    inside -= 1
                    done += 1
            except lock.LockError:
                pass

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("name", ["manifest.json", "metrics.jsonl", "checkpoints/ckpt-60.index"])
def test_a_run_is_finished_when_all_three_say_so(whole, tmp_path, name):
    """Killed before the last of them was written, it is taken up by the same command."""
    run_dir = copied(whole, tmp_path)
    assert jobs.is_finished(run_dir)
    (run_dir / name).unlink()
    if name == "manifest.json":
        manifest = json.loads((whole / name).read_text())
        (run_dir / name).write_text(json.dumps({**manifest, "step": 40}))
    if name == "metrics.jsonl":
        lines = (whole / name).read_text().splitlines(keepends=True)
        (run_dir / name).write_text("".join(lines[:-1]))
    assert not jobs.is_finished(run_dir)
    (run_dir / "checkpoints" / "ckpt-60.index").unlink(missing_ok=True)
    train(run_dir)
    assert jobs.is_finished(run_dir) and records(run_dir) == records(whole)


def test_a_refused_start_does_not_block_its_correction(tmp_path):
    """Without a picture that can be read there is no run; the directory is free for another."""
    run_dir, images = tmp_path / "run", tmp_path / "photos"
    for name in ("a", "b"):
        (images / name).mkdir(parents=True)
        (images / name / "1.png").write_bytes(b"no picture")
        (images / name / "2.png").write_bytes(b"no picture")
    folder = dict(data="folder", data_dir=images, recipe="cifar10", model="resnet8", image_size=8)
    with pytest.raises(ValueError, match="none of the 2 pictures of train can be read"):
        train(run_dir, **folder, batch_size=2)
    assert not run_dir.exists()
    assert train(run_dir, steps=20).step == 20


def test_a_damaged_manifest_is_written_anew_with_its_best_weights(whole, tmp_path):
    run_dir = copied(whole, tmp_path)
    for name in ("ckpt-60.index", "ckpt-60.data-00000-of-00001"):
        (run_dir / "checkpoints" / name).unlink()
    (run_dir / "manifest.json").write_text('{"format": 1, "netw')
    train(run_dir)
    for kind in ("model", "best"):
        expected = weights(whole, kind)
        for path, value in weights(run_dir, kind).items():
            np.testing.assert_array_equal(value, expected[path])
    assert archive.load_manifest(run_dir).weights == archive.load_manifest(whole).weights


def test_a_start_sweeps_what_a_killed_writer_left(whole, tmp_path):
    run_dir = copied(whole, tmp_path)
    host = re.sub(r"[^\w-]", "_", socket.gethostname())[:40]
    left = [run_dir / f".{host}-{2**22}-5.model.weights.h5", run_dir / "checkpoints/writing-ckpt-7"]
    for path in left:
        pathlib.Path(path).write_bytes(b"half")
    train(run_dir)
    assert not any(path.exists() for path in left)
