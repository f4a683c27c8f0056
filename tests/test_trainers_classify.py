"""python -m trainers.classify and evaluate, as a user runs them."""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import numpy as np
import programs
import pytest
import tensorflow as tf
from runs_on_digits import REMEMBERING, SHORT, command, records, run, wait_for, weights

import zoo
from trainers.engine import loop, optim
from trainers.engine.state import State
from trainers.engine.task import Sums
from trainers.plan.recipes import RECIPES
from trainers.watching.console import Console
from zoo import archive


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A short run that nothing disturbed."""
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    result = run("classify", *SHORT, f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    return run_dir, result


def assert_same_weights(run_dir, other_dir, kind="model"):
    expected = weights(other_dir, kind)
    for path, value in weights(run_dir, kind).items():
        np.testing.assert_array_equal(value, expected[path], err_msg=path)


def assert_same_optimizer(run_dir, other_dir, scaled=False):
    """Every slot in the last checkpoints.

    Of 23 variables the velocity and the average; of all the steps and the gradient's square.
    """
    ours, theirs = (
        tf.train.load_checkpoint(str(path / "checkpoints" / "ckpt-60"))
        for path in (run_dir, other_dir)
    )
    names = [name for name in ours.get_variable_to_shape_map() if name.startswith("optimizer")]
    loss_scale = 4 if scaled else 0  # it, its counter, and a step and a rate of its own
    assert len(names) == 2 * 23 + 2 + loss_scale
    for name in names:
        np.testing.assert_array_equal(ours.get_tensor(name), theirs.get_tensor(name), name)


def test_the_console_is_clean_and_tells_each_round(whole):
    _, result = whole
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("resnet8 (75,290 parameters) on digits: 1,442 images to train")
    rounds = [line for line in lines if line.startswith("step ")]
    assert [int(line.split()[1]) for line in rounds] == [20, 40, 60]
    assert lines[-1].startswith("trained: validation error")


def test_the_run_directory_has_what_the_design_says(whole):
    run_dir, _ = whole
    names = {p.name for p in run_dir.iterdir()}
    assert names == {
        "flags.txt",
        "manifest.json",
        "model.weights.h5",
        "model.best.weights.h5",
        "checkpoints",
        "train",
        "validation",
        "hparams",
        "metrics.jsonl",
    }
    assert [r["step"] for r in records(run_dir)] == [20, 40, 60]
    manifest = archive.load_manifest(run_dir)
    assert manifest.step == 60
    assert manifest.recipe["batch_size"] == 16
    assert manifest.class_names == tuple("0123456789")
    assert manifest.metrics["validation_error"] == records(run_dir)[-1]["validation_error"]


def test_flags_txt_repeats_the_run(whole, tmp_path):
    run_dir, _ = whole
    result = run("classify", f"--flagfile={run_dir}/flags.txt", f"--run_dir={tmp_path / 'again'}")
    assert result.returncode == 0, result.stderr
    assert records(tmp_path / "again") == records(run_dir)
    assert_same_weights(tmp_path / "again", run_dir)


def test_tensorboard_scalars_are_the_history(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_dir, _ = whole
    for split, prefix in (("train", ""), ("validation", "validation_")):
        events = EventAccumulator(str(run_dir / split)).Reload()
        for name in ("loss", "error"):
            written = events.Tensors(name)
            assert [e.step for e in written] == [20, 40, 60]
            values = [float(tf.make_ndarray(e.tensor_proto)) for e in written]
            assert values == pytest.approx([r[prefix + name] for r in records(run_dir)])
    assert "learning_rate" in EventAccumulator(str(run_dir / "train")).Reload().Tags()["tensors"]


def test_a_finished_run_is_left_as_it_is(whole):
    run_dir, _ = whole
    before = (run_dir / "model.weights.h5").read_bytes()
    result = run("classify", *SHORT, f"--run_dir={run_dir}")
    assert result.returncode == 0
    assert "resuming at step 60" in result.stdout
    assert (run_dir / "model.weights.h5").read_bytes() == before


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_stopped_run_resumes_and_ends_the_same(whole, tmp_path, number, code):
    run_dir, _ = whole
    stopped = tmp_path / "stopped"
    arguments = [*SHORT, f"--run_dir={stopped}", "--checkpoint_steps=5"]
    process = subprocess.Popen(
        command("classify", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(stopped / "checkpoints" / "ckpt-*.index", process)
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=120)
    assert "trained: " not in output, "the run was over before it could be stopped"
    assert process.returncode == code
    resume = re.search(r"resume with: python -m (.*)", output)[1]
    assert resume.split() == ["trainers.classify", *arguments]
    result = run("classify", *arguments)
    assert result.returncode == 0, result.stderr
    assert "resuming at step" in result.stdout
    assert records(stopped) == records(run_dir)
    assert_same_weights(stopped, run_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    "devices, precision, times",
    [
        (1, "mixed_float16", 2),
        (2, "float32", 1),
        pytest.param(1, "float32", 3, marks=pytest.mark.exhaustive),
        pytest.param(2, "float32", 3, marks=pytest.mark.exhaustive),
        pytest.param(1, "mixed_bfloat16", 1, marks=pytest.mark.exhaustive),
        pytest.param(2, "mixed_float16", 1, marks=pytest.mark.exhaustive),
    ],
)
def test_killed_again_and_again_it_ends_the_same(tmp_path, devices, precision, times):
    """Kills at moments that nobody chose; a checkpoint averages the replicas' statistics."""
    arguments = [*SHORT, *REMEMBERING, "--checkpoint_steps=3", f"--precision={precision}"]
    arguments += [f"--logical_devices={devices}"]
    undisturbed = run("classify", *arguments, f"--run_dir={tmp_path / 'whole'}")
    assert undisturbed.returncode == 0, undisturbed.stderr
    killed, kills = tmp_path / "killed", 0
    for delay in random.Random(devices).choices(range(5), k=times):
        words = [*arguments, f"--run_dir={killed}", "--steps_per_execution=1"]
        process = programs.Started("trainers.classify", *words)
        saved = set(killed.glob("checkpoints/ckpt-*.index"))
        while process.poll() is None and not set(killed.glob("checkpoints/ckpt-*.index")) - saved:
            time.sleep(0.01)
        time.sleep(delay * 0.01)
        kills += process.poll() is None
        process.kill()
        process.wait()
    assert kills >= 1
    result = run("classify", *arguments, f"--run_dir={killed}")
    assert result.returncode == 0, result.stderr
    assert records(killed) == records(tmp_path / "whole")
    for kind in ("model", "ema", "best"):
        assert_same_weights(killed, tmp_path / "whole", kind)
    assert_same_optimizer(killed, tmp_path / "whole", scaled=precision == "mixed_float16")
    rates = [record["learning_rate"] for record in records(killed)]
    assert max(rates) == pytest.approx(0.1)  # the warm-up was over in time


def test_a_directory_of_another_run_is_refused(whole):
    run_dir, _ = whole
    before = (run_dir / "flags.txt").read_text()
    arguments = ("--steps=60", "--round_steps=20", "--batch_size=32", "--seed=3")
    result = run("classify", *arguments, f"--run_dir={run_dir}")
    assert result.returncode == 1
    assert "belongs to a run with other flags: --seed, --batch_size differ" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert (run_dir / "flags.txt").read_text() == before


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["--model=resnet9"], 2, "unknown network 'resnet9'"),
        (
            ["--recipe=mnist"],
            2,
            "value should be one of <cifar10|cifar10_warmup|digits|finetune|folder|imagenet|",
        ),
        (["--drops=a"], 2, "--drops: expected a number from 0 to below 1, got 'a'"),
        (["--model=plain20", "--shortcut=A"], 2, "plain20 has no shortcuts"),
        (["extra"], 2, "unexpected arguments: extra"),
        (["--logical_devices=3"], 1, "--batch_size=64 does not divide by 3 replicas"),
        (["--logical_devices=2", "--batch_size=6", "--mixup=1"], 1, "each replica 3, take 8"),
        (["--logical_devices=2", "--strategy=none"], 2, "leave one of them out"),
        (["--logical_devices=2", "--strategy=multiworker"], 2, "leave one of them out"),
        (["--cluster=a:1,b:2"], 2, "--cluster is for --strategy=multiworker: give that too"),
        (["--worker=0", "--strategy=mirrored"], 2, "--worker is for --strategy=multiworker"),
        (["--benchmark_steps=9"], 2, "--benchmark_steps is for --benchmark: give that too"),
        (["--data=digits", "--data_dir=photos"], 2, "--data_dir=photos is not for digits"),
        (["--init_from="], 2, "--init_from: expected"),
        (["--model="], 2, "--model: expected a network"),
        (["--data="], 2, "--data: expected digits, folder"),
        (["--data=folder", "--data_dir=/nowhere"], 1, "/nowhere"),
        (["--data=cifar10", "--data_dir=/nowhere"], 1, "trainers.data.prepare --data=cifar10"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(tmp_path, arguments, code, sentence):
    result = run("classify", f"--run_dir={tmp_path / 'run'}", *arguments)
    assert result.returncode == code, result.stderr
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_evaluation_counts_every_image_once(whole):
    """The record of the last round, by another batch size, one that leaves a rest, and devices."""
    run_dir, _ = whole
    last = records(run_dir)[-1]
    for arguments in (["--batch_size=7"], ["--batch_size=50", "--logical_devices=2"]):
        result = run("evaluate", f"--run_dir={run_dir}", *arguments)
        assert result.returncode == 0 and result.stderr == "", result.stderr
        found = json.loads((run_dir / "evaluation.json").read_text())
        assert found["images"] == 355  # every fifth of 1,797, class by class
        assert found["error"] == last["validation_error"]
        assert found["loss"] == pytest.approx(last["validation_loss"], rel=1e-5)
    (run_dir / "evaluation.json").unlink()


def test_evaluation_of_nothing(tmp_path):
    result = run("evaluate", f"--run_dir={tmp_path}")
    assert result.returncode == 1
    assert "holds no trained network" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_two_steps_of_a_network_of_table_1(tmp_path):
    arguments = ["--data=synthetic", "--steps=2", "--batch_size=4", "--image_size=32"]
    arguments += ["--nopictures"]
    result = run("classify", "--model=resnet18", *arguments, f"--run_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    assert "recipe imagenet" in result.stdout
    _, manifest = archive.load(tmp_path)
    assert manifest.network.name == "resnet18"
    assert pathlib.Path(tmp_path, "checkpoints", "ckpt-2.index").exists()


def test_a_validation_loss_that_is_no_number_is_null_in_json():
    """Moving statistics of a net that has hardly begun may overflow; the run goes on."""
    model = zoo.build("resnet8", image_size=8)
    optimizer = optim.momentum_sgd(RECIPES["digits"])
    optimizer.build(model.trainable_variables)
    state = State(model, optimizer)
    state.sums = Sums(2.0, (1.0, 1.0, 0.0))
    logs = loop.finish_round(state, {"loss": float("nan"), "error": 0.5}, loop.Speed())
    record = json.loads(json.dumps(state.history[-1], allow_nan=False))
    assert record["validation_loss"] is None and record["validation_error"] == 0.5
    assert np.isnan(logs["val_loss"])  # a Keras callback sees what it was
    assert "validation loss not finite" in Console(state, loop.Rhythm(9, 9), 1.0).line(
        {**record, "learning_rate": 0.1, "images_per_second": None}
    )
