"""trainers.train, evaluate and predict: what the programs do, in a process that goes on."""

import json
import os
import random
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import programs
import pytest
from runs_on_digits import records, run, wait_for, weights

import trainers
import zoo
from trainers.plan.recipes import RECIPES
from trainers.run import keywords

SHORT = dict(steps=40, round_steps=20, batch_size=16, pictures=False)
FLAGS = ("--steps=40", "--round_steps=20", "--batch_size=16", "--nopictures")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(scope="module")
def by_program(tmp_path_factory):
    """The run of a process of its own."""
    run_dir = tmp_path_factory.mktemp("program") / "run"
    result = run("classify", *FLAGS, "--ema=0.9", f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    return run_dir


def assert_same(run_dir, expected):
    assert records(run_dir) == records(expected)
    for kind in ("model", "ema"):
        theirs = weights(expected, kind)
        for path, value in weights(run_dir, kind).items():
            np.testing.assert_array_equal(value, theirs[path], err_msg=path)


def settings():
    """What a notebook may have chosen, and would miss."""
    handlers = [signal.getsignal(number) for number in SIGNALS]
    return keras.config.dtype_policy().name, handlers, sys.getrecursionlimit()


def test_a_second_run_has_the_bits_of_a_process_of_its_own(by_program, tmp_path, capsys):
    before = settings()
    first = trainers.train(
        **SHORT, precision="mixed_bfloat16", seed=3, run_dir=tmp_path / "other", verbose=False
    )
    assert first.step == 40 and capsys.readouterr().out == ""
    second = trainers.train("digits", **SHORT, ema=0.9, run_dir=tmp_path / "run")
    assert settings() == before
    assert_same(tmp_path / "run", by_program)
    assert second.stopped_by is None and second.last == second.history[-1]
    out = capsys.readouterr().out.splitlines()
    assert "recipe digits; starting" in out[0] and out[-1].startswith("step     40 / 40")
    model, _ = zoo.load(tmp_path / "run")
    assert model.get_layer("conv1_conv").compute_dtype == "float32"


def test_in_a_thread_it_is_the_same(by_program, tmp_path):
    recipe = RECIPES["digits"]
    results = []

    def work():
        done = trainers.train(recipe, **SHORT, ema=0.9, run_dir=tmp_path, verbose=False)
        results.append((done, keras.config.dtype_policy().name))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results[0][0].step == 40 and results[0][1] == "float32"
    assert_same(tmp_path, by_program)


def test_it_takes_up_what_the_program_began(by_program, tmp_path):
    arguments = [*FLAGS, "--ema=0.9", "--checkpoint_steps=1", "--steps_per_execution=1"]
    process = programs.Started("trainers.classify", *arguments, f"--run_dir={tmp_path}")
    wait_for(tmp_path / "checkpoints" / "ckpt-*.index", process)
    process.kill()
    process.wait()
    trainers.train(**SHORT, ema=0.9, run_dir=tmp_path, verbose=False)
    assert_same(tmp_path, by_program)


def test_ctrl_c_stops_it_and_the_same_call_goes_on(by_program, tmp_path):
    def interrupt():
        wait_for(tmp_path / "checkpoints" / "ckpt-*.index")
        os.kill(os.getpid(), signal.SIGINT)

    before = settings()
    call = dict(**SHORT, ema=0.9, run_dir=tmp_path, verbose=False)
    thread = threading.Thread(target=interrupt)
    thread.start()
    stopped = trainers.train(**call, checkpoint_steps=1, steps_per_execution=1)
    thread.join()
    assert stopped.stopped_by == signal.SIGINT and 0 < stopped.step < 40
    assert settings() == before
    assert trainers.train(**call).step == 40
    assert_same(tmp_path, by_program)


def test_a_run_that_fails_leaves_nothing_behind(tmp_path):
    before = settings()
    with pytest.raises(ValueError, match="the loss of step .* is nan: stopped"):
        trainers.train(**SHORT, learning_rate=1e30, run_dir=tmp_path, verbose=False)
    assert settings() == before


def test_the_seed_is_the_networks_alone(tmp_path):
    """Two notebooks with another state of Python's generator get the same network, and keep it."""
    from trainers.run.reproducible import weights_of

    random.seed(5)
    expected = random.random()
    random.seed(5)
    with weights_of(0):
        inside = random.random()
    assert random.random() == expected
    assert inside == random.Random(0).random()


def test_evaluate_is_the_program(by_program, tmp_path):
    result = run("evaluate", f"--run_dir={by_program}", f"--output_dir={tmp_path}", "--limit=100")
    assert result.returncode == 0, result.stderr
    expected = json.loads((tmp_path / "evaluation.json").read_text())
    found = trainers.evaluate(by_program, output_dir=tmp_path / "again", limit=100)
    assert json.loads(json.dumps(found)) == expected
    assert (tmp_path / "again" / "worst.png").read_bytes() == (tmp_path / "worst.png").read_bytes()


def test_predict_is_the_program(by_program, tmp_path):
    picture, text = by_program / "a.png", tmp_path / "b.txt"
    keras.utils.save_img(picture, np.full((8, 8, 3), 200.0), scale=False)
    text.write_text("no picture")
    result = run("predict", f"--run_dir={by_program}", "--json", "--top=2", picture, text)
    found = trainers.predict(by_program, [picture, text], top=2)
    theirs = json.loads(result.stdout)
    assert [guess.file for guess in found] == [str(picture), str(text)]
    assert found[1].error == theirs[1]["error"]
    for (name, share), expected in zip(found[0].top, theirs[0]["top"], strict=True):
        assert name == expected["class"] and share == pytest.approx(expected["probability"])
    assert trainers.predict(by_program, picture, top=2) == found[:1]


@pytest.mark.parametrize(
    "call, sentence",
    [
        (dict(lerning_rate=0.1), "unknown keyword 'lerning_rate': expected one of accept_"),
        (dict(steps="many"), "steps"),
        (dict(steps=-1), "steps: expected"),
        (dict(recipe="cifar"), "recipe"),
        (dict(strategy="multiworker"), "start python -m trainers.classify"),
        (dict(model="resnet21"), "resnet21"),
        (dict(logical_devices=5), "in a new process"),
    ],
)
def test_what_a_command_line_is_refused_for_is_a_value_error(tmp_path, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        trainers.train(**call, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_keywords_are_what_a_command_line_says():
    def define(values):
        from absl import flags

        flags.DEFINE_multi_string("many", [], "", flag_values=values)
        flags.DEFINE_list("list", [], "", flag_values=values)
        flags.DEFINE_bool("mirror", None, "", flag_values=values)
        flags.DEFINE_string("text", "default", "", flag_values=values)

    given = dict(many=["a", "b,c"], list=(0.5, 0.75), mirror=np.bool_(False), text=None)
    values = keywords.parse("here", [define], given)
    assert values.many == ["a", "b,c"] and values.list == ["0.5", "0.75"]
    assert values.mirror is False and values.text == "default"
    assert keywords.parse("here", [define], dict(text="--mirror=x y")).text == "--mirror=x y"


def test_the_door_shows_its_names_and_brings_no_tensorflow():
    code = (
        "import sys, trainers; assert {'train', 'evaluate', 'predict'} <= set(dir(trainers)); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules); trainers.trian"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "has no attribute 'trian': expected one of evaluate, predict, train" in result.stderr
