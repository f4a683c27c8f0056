"""python -m zoo as a user runs it."""

import json
import os
import subprocess
import sys

import published
import pytest


def zoo(*arguments):
    return subprocess.run([sys.executable, "-m", "zoo", *arguments], capture_output=True, text=True)


def test_layers_of_one_network_as_table_1_prints_them():
    result = zoo("resnet50")
    assert result.returncode == 0 and result.stderr == ""  # none of TensorFlow's start-up lines
    lines = result.stdout.splitlines()
    assert lines[0].startswith("resnet50: 50 layers, shortcut B")
    outputs = {line.split()[0]: line.split()[1] for line in lines if line[2:6] == "conv"}
    assert outputs == dict(  # Table 1's second column
        conv1="112x112", conv2="56x56", conv3="28x28", conv4="14x14", conv5="7x7"
    )
    assert "[1x1, 64, 3x3, 64, 1x1, 256] x 2" in result.stdout


def test_json_for_machines():
    result = zoo("resnet18", "resnet20", "--json", "--shortcut=C")
    items = json.loads(result.stdout)
    assert [item["name"] for item in items] == ["resnet18", "resnet20"]
    assert items[0]["parameters"] == published.IMAGENET["resnet18", "C", "1x1"][0]


@pytest.mark.exhaustive
def test_catalogue_has_every_network_of_the_paper():
    items = {item["name"]: item for item in json.loads(zoo("--json").stdout)}
    for (name, shortcut, stride), (parameters, _) in published.IMAGENET.items():
        if (items[name]["shortcut"], stride) == (shortcut, "1x1"):
            assert items[name]["parameters"] == parameters
    for depth, (parameters, _) in published.CIFAR.items():
        assert items[f"resnet{depth}"]["parameters"] == parameters
        assert items[f"resnet{depth}"]["paper_parameters_1e6"] == pytest.approx(
            parameters / 1e6, rel=0.02
        )


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["resnet19"], "zoo: unknown network 'resnet19': expected one of plain18"),
        (["--shortcut=D"], "value should be one of <A|B|C>"),
        (["--colour"], "Unknown command line flag 'colour'"),
    ],
)
def test_misuse_is_one_sentence_and_exit_2(arguments, sentence):
    result = zoo(*arguments)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_missing_extra_is_one_sentence():
    code = "from zoo import program; program.run(lambda arguments: __import__('{}'), '')"
    for name, one_sentence in (("no_such_package", True), ("zoo.no_such_module", False)):
        result = subprocess.run(
            [sys.executable, "-c", code.format(name)], capture_output=True, text=True
        )
        assert result.returncode == 1
        assert (len(result.stderr.splitlines()) == 1) == one_sentence  # ours would be a bug
        assert ("needs the package no_such_package" in result.stderr) == one_sentence


@pytest.mark.parametrize("arguments", [["--help"], ["resnet20"]])
def test_a_reader_that_has_seen_enough_is_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as nobody:
        command = [sys.executable, "-m", "zoo", *arguments]
        result = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 0
    assert result.stderr == ""


def test_keras_starts_without_what_nobody_asks_of_it():
    code = """
import sys
from zoo import program
with program.quiet_start():
    import tensorflow
print(*{"keras", "cv2", "matplotlib", "sklearn", "scipy.stats"} & set(sys.modules))
import matplotlib.figure, sklearn.datasets
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "keras\n"
    assert result.returncode == 0 and result.stderr == ""  # they can be imported afterwards
