"""What a person may type, and the sentences for what cannot be meant."""

import os
import socket
import subprocess
import sys

import pytest
from absl import flags

from zoo import limits, texts


@pytest.mark.parametrize("text", ["a:1", "10.0.0.1:65535", "[::1]:80", "my-host.example.:5050"])
def test_addresses(text):
    host, port = texts.address(text, "cluster")
    assert (f"[{host}]:{port}" if "::" in host else f"{host}:{port}") == text


@pytest.mark.parametrize(
    "text",
    ["", ":", ":80", "a", "a:", "a:0", "a:65536", "a:١", "a:0x10", "a b:1", "a..b:1", "::1:80"]
    + ["-a:1", f"{'a' * 64}:1", f"{'a.' * 130}a:1", "a:1\n", "a:1/x", "user@a:1", "ä:1"],
)
def test_what_is_no_address(text):
    with pytest.raises(limits.LimitError, match="^--cluster: expected"):
        texts.address(text, "cluster")
    with pytest.raises(limits.LimitError, match="^--data_service: expected"):
        texts.service(f"grpc://{text}")


def test_each_worker_is_there_once():
    assert texts.cluster("a:1,a:2") == [("a", 1), ("a", 2)]
    for text in (":,:", "a:1,", "a:1,a:1", "a:1,a:01"):
        with pytest.raises(limits.LimitError, match="^--cluster: expected"):
            texts.cluster(text)


def test_names_of_sets_of_images():
    for name in ("digits", "mnist:3.0.1", "tfds:cifar10", "imagenet2012_subset/10pct:5.*.*"):
        assert texts.check("data", name) == name
    for name in ("../../etc", "/etc", "a b", "mnist:", "mnist/", "mnist/../x", "mnist:3/1", "ä"):
        with pytest.raises(limits.LimitError, match="--data: expected digits, folder"):
            texts.check("data", name)


def test_a_directory_is_no_file(tmp_path):
    (tmp_path / "file").touch()
    assert texts.check("run_dir", str(tmp_path / "new" / "run"))  # it can be made
    for name in ("file", "file/run", "x" * 300):
        with pytest.raises(limits.LimitError, match="--run_dir: expected a directory, got"):
            texts.check("run_dir", str(tmp_path / name))


def test_other_flags_than_the_command_lines():
    values = flags.FlagValues()
    limits.DEFINE_integer("steps", None, "", values)
    limits.DEFINE_numbers("drops", None, "", values, fewest=0)
    values(["call", "--steps=5", "--drops=0.5,0.75"])
    assert (values.steps, values.drops) == (5, [0.5, 0.75])
    with pytest.raises(flags.Error) as caught:
        values(["call", "--steps=1_0"])
    assert str(limits.told(caught.value)) == (
        "--steps: expected a whole number from 1 to 1000000000, got '1_0'"
    )


def program(name, *arguments, **environment):
    command = [sys.executable, "-m", name, *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--flagfile=nowhere"], "--flagfile: No such file or directory: nowhere"),
        (["--flagfile=/"], "--flagfile: Is a directory: /"),
        ([f"--flagfile={sys.executable}"], "--flagfile: expected lines of flags, got a file that"),
        (["--nojson=5"], "--nojson=5 does not take an argument"),
        (["--json=5"], "flag --json=5: value should be true or false"),
        (["--pdb_post_mortem"], "Unknown command line flag 'pdb_post_mortem'"),
        ([f"--{'x' * 100_000}"], "Unknown command line flag"),
        ([""], "unexpected empty word"),
        (["resnet" + "8" * 5000], "unknown network 'resnet888"),
        (["--verbosity=1_0"], "--verbosity: expected a whole number from -3 to 3, got '1_0'"),
    ],
)
def test_a_line_of_words_that_cannot_be_meant(words, sentence):
    result = program("zoo", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"zoo: {sentence}")
    assert result.stderr.count("\n") == 1 and len(result.stderr) <= 301


def test_tensorflows_own_errors_are_a_sentence():
    code = (
        "from zoo import program\n"
        "def main(arguments):\n"
        "    with program.quiet_start():\n"
        "        import tensorflow as tf\n"
        "    tf.io.read_file('nowhere')\n"
        "program.run(main, '')"
    )
    for words, lines in ([], 1), (["--verbosity=1"], 10):
        command = [sys.executable, "-c", code, *words]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert result.returncode == 1
        assert ("Traceback" in result.stderr) == bool(words)
        assert result.stderr.count("\n") == 1 if lines == 1 else result.stderr.count("\n") > lines
        assert "nowhere; No such file or directory" in result.stderr


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = program("trainers.data.serve", f"--port={port}")
    assert result.returncode == 1
    assert result.stderr == (
        f"trainers.data.serve: --port={port}: Address already in use; --port=0 takes a free one\n"
    )


def test_a_version_that_a_set_lacks(tmp_path):
    result = program("trainers.data.prepare", "--data=mnist:9.9.9", f"--data_dir={tmp_path}")
    assert result.returncode == 1 and list(tmp_path.iterdir()) == []
    assert result.stderr.startswith(
        "trainers.data.prepare: --data=mnist:9.9.9: Dataset mnist cannot"
    )
    assert "9.9.9" in result.stderr and result.stderr.count("\n") == 1


def test_a_tpu_that_is_not_there(tmp_path):
    result = program("trainers.classify", "--strategy=tpu", f"--run_dir={tmp_path / 'run'}")
    assert result.returncode == 1 and list(tmp_path.iterdir()) == []
    assert result.stderr.startswith("trainers.classify: --strategy=tpu: expected a TPU, found none")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "name, arguments, sentence",
    [
        ("trainers.evaluate", ["--run_dir=a", "--mirrors"], "--mirrors is for --views=ten_crop or"),
        (
            "trainers.evaluate",
            ["--run_dir=a", "--logical_devices=2", "--strategy=none"],
            "--logical_devices=2 makes replicas on the CPU, --strategy=none takes none",
        ),
        (
            "trainers.features",
            ["--run_dir=a", "--neighbours=3", "--format=npz"],
            "--neighbours is for --format=scores: give that too",
        ),
        (
            "export.tflite",
            ["--run_dir=a", "--calibration_images=3"],
            "--calibration_images is for --quantize=int8: give that too",
        ),
        ("trainers.studies.detection", ["--data_dir=a"], "--data_dir is for --scale=paper: "),
    ],
)
def test_a_flag_that_would_change_nothing(name, arguments, sentence):
    result = program(name, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{name}: {sentence}") and result.stderr.count("\n") == 1
