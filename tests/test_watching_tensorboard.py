"""What TensorBoard shows of a run, by its own HTTP server, and that a kill doubles nothing."""

import io
import json
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import numpy as np
import programs
import pytest
from PIL import Image
from runs_on_digits import both, free_ports, records, run, wait_for

from trainers.plan.recipes import RECIPES
from trainers.watching import pictures, tensorboard

ARGUMENTS = ("--steps=40", "--round_steps=10", "--batch_size=16", "--checkpoint_steps=3")


class Board:
    """TensorBoard's server on a folder of runs, asked for JSON."""

    def __init__(self, logdir):
        (port,) = free_ports(1)
        self.base = f"http://127.0.0.1:{port}/data/"
        words = ["tensorboard.main", f"--logdir={logdir}", f"--port={port}", "--host=127.0.0.1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words, "--load_fast=false"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.time() + 60
        while not self.loaded():
            assert time.time() < end, "TensorBoard does not answer"
            time.sleep(0.2)

    def loaded(self):
        try:
            tags = self.ask("plugin/scalars/tags")
        except OSError:
            return False
        return len([name for name in tags if name.endswith("hparams")]) == 2

    def get(self, path, **query):
        address = f"{self.base}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.read()

    def ask(self, path, **query):
        return json.loads(self.get(path, **query))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that nothing disturbed, and one that was killed and resumed, with two devices."""
    root = tmp_path_factory.mktemp("board")
    whole = run("classify", *ARGUMENTS, f"--run_dir={root / 'whole'}", "--profile_steps=12,15")
    assert whole.returncode == 0, whole.stderr
    killed = [*ARGUMENTS, f"--run_dir={root / 'killed'}", "--logical_devices=2"]
    process = programs.Started("trainers.classify", *killed)
    wait_for(root / "killed" / "pictures" / "*.step20", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = run("classify", *killed)
    assert resumed.returncode == 0, resumed.stderr
    return root


@pytest.fixture(scope="module")
def board(runs):
    found = Board(runs)
    yield found
    found.process.kill()
    found.process.wait()


BOTH = pytest.mark.parametrize("name", ["whole", "killed"])


@BOTH
def test_curves_are_the_history(board, runs, name):
    lines = records(runs / name)
    for tag, folder, key in (
        ("loss", "train", "loss"),
        ("gradient_norm", "train", "gradient_norm"),
        ("weight_norm", "train", "weight_norm"),
        ("learning_rate", "train", "learning_rate"),
        ("error", "validation", "validation_error"),
    ):
        points = board.ask("plugin/scalars/scalars", run=f"{name}/{folder}", tag=tag)
        assert [step for _, step, _ in points] == [10, 20, 30, 40]
        found = [value for *_, value in points]
        np.testing.assert_allclose(found, [r[key] for r in lines], rtol=1e-6)
    for tag in ("images_per_second", "input_wait"):
        assert board.ask("plugin/scalars/scalars", run=f"{name}/train", tag=tag)


OF_ROUNDS = ("worst mistakes", "worst mistakes, Grad-CAM", "confusion")
PICTURES = [("augmented", [0]), *((tag, [10, 20, 30, 40]) for tag in OF_ROUNDS)]


@BOTH
@pytest.mark.parametrize("tag, steps", PICTURES)
def test_pictures_are_there_once_a_step(board, name, tag, steps):
    query = {"run": f"{name}/pictures", "tag": tag, "sample": 0}
    found = board.ask("plugin/images/images", **query)
    assert [image["step"] for image in found] == steps
    png = board.get(f"plugin/images/individualImage?{found[-1]['query']}&")
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert min(pixels.shape[:2]) > 100 and pixels.std() > 10  # not blank


@BOTH
def test_histograms_of_the_responses_of_every_3x3_layer(board, name):
    """resnet8 has a first convolution and three blocks of two."""
    tags = sorted(board.ask("plugin/histograms/tags")[f"{name}/pictures"])
    assert [tag.split()[0] for tag in tags] == [f"responses/{n:03}" for n in range(1, 8)]
    points = board.ask("plugin/histograms/histograms", run=f"{name}/pictures", tag=tags[0])
    assert [step for _, step, _ in points] == [10, 20, 30, 40]
    total = sum(count for *_, count in points[-1][2])
    assert total == pictures.RESPONDING * 8 * 8 * 16


def test_the_graph_has_the_layers_as_scopes(board):
    graph = board.get("plugin/graphs/graph", run="whole/pictures").decode()
    for layer in ("conv1_conv", "conv2_block1_1_conv", "conv4_block1_2_conv", "logits"):
        assert f"/{layer}" in graph
    assert graph.count('op: "Conv2D"') == 7


def test_hyper_parameters_stand_beside_the_error(board, runs):
    request = urllib.request.Request(
        f"{board.base}plugin/hparams/session_groups",
        data=json.dumps(
            {
                "experimentName": "",
                "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
                "colParams": [],
                "startIndex": 0,
                "sliceSize": 10,
            }
        ).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        groups = json.loads(answer.read())["sessionGroups"]
    assert len(groups) == 2
    found = {round(group["metricValues"][0]["value"], 5) for group in groups}
    assert found == {
        round(records(runs / n)[-1]["validation_error"], 5) for n in ("whole", "killed")
    }
    assert {group["hparams"]["batch_size"] for group in groups} == {16.0}
    assert {group["hparams"]["recipe"] for group in groups} == {"digits"}


def test_a_profile_has_the_operations_of_its_steps(runs):
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    (path,) = (runs / "whole" / "plugins" / "profile").rglob("*.xplane.pb")
    space = xplane_pb2.XSpace.FromString(path.read_bytes())
    names = {m.name for plane in space.planes for m in plane.event_metadata.values()}
    assert any("Conv2DBackpropFilter" in name for name in names)


@pytest.mark.parametrize(
    "steps, sentence",
    [
        ("5", "two steps such as 100,110, got '5'"),
        ("7,3", "two steps such as 100,110, got '7,3'"),
        ("a,b", "a whole number from 1 to 1000000000, got 'a'"),
        ("0,4", "a whole number from 1 to 1000000000, got '0'"),
    ],
)
def test_steps_of_a_profile_that_cannot_be_meant(steps, sentence):
    result = run("classify", f"--profile_steps={steps}")
    assert result.returncode == 2
    assert f"--profile_steps: expected {sentence}" in result.stderr


def test_pictures_of_a_long_run_are_few_and_of_its_end():
    recipe = RECIPES["imagenet"]
    rounds = range(recipe.round_steps, recipe.steps + 1, recipe.round_steps)
    due = [step for step in rounds if pictures.is_due(step, recipe)]
    assert due == [150_000, 300_000, 450_000, 600_000]


def test_a_cluster_has_one_set_of_pictures(tmp_path):
    chief, other = both(tmp_path, "--steps=4", "--round_steps=4", "--batch_size=8")
    assert (chief[0], other[0]) == (0, 0), (chief, other)
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    assert tensorboard.FOLDERS == ("train", "validation")
