"""Several workers, as real processes: the same numbers, killed, told to stop, left alone."""

import json
import signal
import socket
import subprocess
import threading
import time
import unittest.mock

import numpy as np
import pytest
import tensorflow as tf
from runs_on_digits import (
    SHORT,
    both,
    command,
    free_ports,
    records,
    run,
    spoken,
    two_workers,
    wait_for,
    weights,
)

from trainers.engine import cluster

# Half as many steps as elsewhere: of two processes each waits for the other in every layer.
SYNCHRONIZED = (
    *(*SHORT, "--steps=30", "--round_steps=10"),
    *("--batch_norm=synchronized", "--ema=0.9", "--mixup=0.2"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two workers that nothing disturbed."""
    run_dir = tmp_path_factory.mktemp("cluster") / "whole"
    chief, other = both(run_dir, *SYNCHRONIZED, "--checkpoint_steps=5")
    assert (chief[0], other[0]) == (0, 0), (chief, other)
    assert chief[2] == "" and other[1:] == ("", "")  # the chief alone speaks
    assert "2 replicas on CPU, of 2 workers" in chief[1]
    return run_dir


def assert_same(run_dir, whole):
    assert records(run_dir) == records(whole)
    for kind in ("model", "ema", "best"):
        expected = weights(whole, kind)
        for path, value in weights(run_dir, kind).items():
            np.testing.assert_array_equal(value, expected[path], err_msg=path)


def test_two_workers_are_two_replicas(whole, tmp_path):
    """The same sums, but for float32's rounding of the gradients' and statistics' sums."""
    result = run("classify", *SYNCHRONIZED, "--logical_devices=2", f"--run_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    for one, two in zip(records(tmp_path), records(whole), strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-6)
        assert two["gradient_norm"] == pytest.approx(one["gradient_norm"], rel=1e-4)
        for name in ("validation_error", "validation_ema_error"):
            assert two[name] == pytest.approx(one[name], abs=1.01 / 355)  # one image at an edge
    for kind in ("model", "ema"):
        theirs = weights(whole, kind)
        for path, value in weights(tmp_path, kind).items():
            assert np.abs(value - theirs[path]).max() <= 1e-4 * np.abs(value).max(), path


def test_two_workers_are_one_device(whole, tmp_path):
    """Other sums, other rounding: 1e-8 at first, 1e-3 and more once a ReLU flips on the way.

    The first round's loss would be off by 0.1 if a worker's images or gradients were left out.
    """
    result = run("classify", *SYNCHRONIZED, f"--run_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    ours, theirs = records(tmp_path), records(whole)
    assert ours[0]["loss"] == pytest.approx(theirs[0]["loss"], rel=1e-4)
    for one, two in zip(ours, theirs, strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-2)
        for name in ("validation_error", "validation_ema_error"):
            assert two[name] == pytest.approx(one[name], abs=0.02)
    assert ours[0]["gradient_norm"] == pytest.approx(theirs[0]["gradient_norm"], rel=0.05)
    assert ours[0]["weight_norm"] == pytest.approx(theirs[0]["weight_norm"], rel=1e-4)


def test_only_the_chief_writes(whole):
    names = {p.name for p in whole.iterdir()}
    assert names == {
        *("flags.txt", "manifest.json", "metrics.jsonl", "model.weights.h5"),
        *("model.ema.weights.h5", "model.best.weights.h5"),
        *("checkpoints", "train", "validation", "hparams"),
    }
    assert len(list((whole / "train").iterdir())) == 1


@pytest.mark.parametrize("victims", [pytest.param((0, 1), marks=pytest.mark.exhaustive), (1,)])
def test_killed_workers_resume_and_end_the_same(whole, tmp_path, victims):
    with two_workers(tmp_path, *SYNCHRONIZED, "--checkpoint_steps=5") as workers:
        wait_for(tmp_path / "checkpoints" / "ckpt-*.index", *workers)
        killed_at = time.time()
        for victim in victims:
            workers[victim].kill()
        outputs = [worker.communicate(timeout=120) for worker in workers]
        if 0 not in victims:  # the one that was left does not wait for ever
            assert time.time() - killed_at < 60
            assert workers[0].returncode == 1
            last = outputs[0][1].splitlines()[-1]
            assert "a worker of the cluster is gone" in last and "Graph execution" not in last
    chief, other = both(tmp_path, *SYNCHRONIZED, "--checkpoint_steps=5")
    assert (chief[0], other[0]) == (0, 0), (chief, other)
    assert "resuming at step" in chief[1]
    assert_same(tmp_path, whole)


def test_told_to_stop_one_worker_stops_all_at_one_step(whole, tmp_path):
    arguments = (*SYNCHRONIZED, "--checkpoint_steps=5")
    with two_workers(tmp_path, *arguments, "--steps_per_execution=1") as workers:
        wait_for(tmp_path / "checkpoints" / "ckpt-*.index", *workers)
        workers[1].send_signal(signal.SIGTERM)
        outputs = [worker.communicate(timeout=120) for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert "resume with: python -m trainers.classify" in outputs[0][0]
    chief, other = both(tmp_path, *arguments)
    assert (chief[0], other[0]) == (0, 0), (chief, other)
    assert_same(tmp_path, whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_alone_says_whom_it_waits_for_and_can_be_told_to_end(number):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    own = number == signal.SIGTERM  # the chief once, once the other
    arguments = ["--strategy=multiworker", f"--cluster={','.join(addresses)}", f"--worker={own:d}"]
    process = subprocess.Popen(
        command("classify", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    silent = threading.Timer(60, process.kill)  # then there is no such line, or it goes on
    silent.start()
    try:
        assert process.stderr.readline().strip() == f"waiting for {addresses[not own]}"
        told_at = time.time()
        process.send_signal(number)
        assert process.communicate() == ("", "")  # the process that says whom is gone, too
        assert process.returncode == -number  # for a shell 130 and 143
        assert time.time() - told_at < 1
    finally:
        silent.cancel()
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [0, 1])
def test_a_frozen_worker_ends_the_other_with_a_sentence(tmp_path, frozen):
    arguments = ("--nopictures", "--steps=100000", "--checkpoint_steps=5")
    with two_workers(tmp_path, *arguments) as workers:
        wait_for(tmp_path / "checkpoints" / "ckpt-*.index", *workers)
        workers[frozen].send_signal(signal.SIGSTOP)
        _, said = workers[1 - frozen].communicate(timeout=60)
        assert workers[1 - frozen].returncode == 1
    silent = ("no answer to a heartbeat of worker 0", "no heartbeat of worker 1")[frozen]
    assert spoken(said) == (
        "trainers.classify: a worker of the cluster is gone or does not answer "
        f"({silent}); start the same command again on all of them to resume from the last "
        "checkpoint\n"
    )


def test_a_worker_that_leaves_first_in_the_end_is_no_failure():
    gone = tf.errors.UnavailableError(None, None, "Socket closed")
    with pytest.raises(tf.errors.UnavailableError):  # before all have come to their end it is
        cluster.end_together(unittest.mock.Mock(side_effect=[gone]), chief=True)
    exchange = unittest.mock.Mock(side_effect=[False, gone])
    cluster.end_together(exchange, chief=True)
    assert exchange.call_count == 2


def test_the_reason_is_found_among_the_traces():
    outside = "{{function_node __wrapped__CollectiveReduceV2}} Collective ops is aborted by: "
    inside = (
        "Graph execution error:\n\nDetected at node while/CollectiveReduceV2 defined at (most "
        'recent call last):\n  File "<frozen runpy>", line 198, in _run_module_as_main\n\n'
        "Collective ops is aborted by: "
    )
    words = (
        "recvmsg:Connection reset by peer\nAdditional GRPC error information from remote target "
        "/job:worker/replica:0/task:3 while calling /tensorflow.WorkerService/RecvBuf:\n:UNKNOWN"
    )
    for message in (outside + words, inside + words):
        assert cluster.reason(message) == "worker 3: recvmsg:Connection reset by peer"
    crashed = (
        "Collective ops is aborted by: Error reported from /job:worker/task:1: The following tasks "
        "are unhealthy (stopped sending heartbeats):\n/job:worker/replica:0/task:1\n"
        "/job:worker/replica:0/task:12\nThe tasks have crashed. Check the task logs"
    )
    assert cluster.reason(crashed) == "no heartbeat of worker 1, 12"
    asked = "Deadline Exceeded\n\nRPC: /tensorflow.CoordinationService/Heartbeat"
    assert cluster.reason(asked) == "no answer to a heartbeat of worker 0"
    assert cluster.reason("failed to connect") == "failed to connect"
    assert cluster.reason("Graph execution error:\n") == "no reason given"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ([], "needs TF_CONFIG in the environment, or --cluster"),
        (["--cluster=here"], "--cluster: expected host:port, got 'here'"),
        (["--cluster=a:1,b:2", "--worker=2"], "--worker: expected 0 to 1, a place in --cluster"),
        (["--cluster=a:1,b:2"], "--worker: expected 0 to 1, a place in --cluster, got None"),
    ],
)
def test_a_cluster_that_cannot_be_meant(arguments, sentence):
    result = run("classify", "--strategy=multiworker", *arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_explained():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        own, other = taken.getsockname()[1], free_ports(1)[0]
        addresses = f"--cluster=127.0.0.1:{own},127.0.0.1:{other}"
        result = run("classify", "--strategy=multiworker", addresses, "--worker=0")
    assert result.returncode == 1
    assert f"cannot listen at 127.0.0.1:{own}" in result.stderr.splitlines()[-1]


def test_a_broken_tf_config_is_explained(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {}}))
    with pytest.raises(cluster.ClusterError, match="TF_CONFIG: expected"):
        cluster.peers()
    config = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert cluster.peers() == ["a:1"]
