"""A miss publishes nothing, a version is never overwritten, and a wrong net fails every format."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import export_networks
import keras
import numpy as np
import programs
import pytest

from export import by_class, classifier, formats, images, publish
from export.classifier import Classifier
from export.errors import ExportError
from zoo import archive, files

ROOT = pathlib.Path(__file__).resolve().parents[1]
FORMATS = ["saved_model", "tflite-none", "tflite-float16", "tflite-dynamic", "tflite-int8", "onnx"]


@pytest.fixture(scope="module")
def evidence():
    source = export_networks.digits_classifier()
    training = images.of_run(source, "train", 400)
    return images.Evidence(
        images.of_run(source, "validation", 200), by_class.stratified(training, 100)
    )


def perturbed(model, form):
    """A copy with the mistake that a format must not hide: 1 part in 1000 of one kernel, or more.

    Quantised files are coarser, so theirs is a layer that lost its bias, which no rounding does.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    if form in ("saved_model", "tflite-none", "onnx"):
        layer = copy.get_layer("conv3_block1_1_conv")
        layer.set_weights([layer.kernel.numpy() * 1.001])
    elif form == "tflite-float16":
        layer = copy.get_layer("conv3_block1_1_conv")
        layer.set_weights([layer.kernel.numpy() * 1.1])
    else:
        layer = copy.get_layer("conv2_block1_2_bn")
        gamma, beta, mean, variance = layer.get_weights()
        layer.set_weights([gamma, beta + 1.0, mean, variance])
    return copy


@pytest.mark.parametrize("form", FORMATS)
def test_a_perturbed_network_is_not_published(form, evidence, tmp_path):
    """The file is written from the perturbed copy and compared with the network itself."""
    source = export_networks.digits_classifier()
    wrong = dataclasses.replace(source, model=perturbed(source.model, form))
    real = formats.find(form)
    broken = dataclasses.replace(real, write=lambda _, *rest: real.write(wrong, *rest))
    with pytest.raises(ExportError, match="is not the network it came from") as error:
        publish.publish(source, broken, evidence, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    if form in ("tflite-dynamic", "tflite-int8"):
        table = [line.split() for line in str(error.value).splitlines() if line.startswith("  ")]
        errors = {name: float(value) for value, name in table}
        # The layer whose bias was changed stands out against the one before it.
        assert errors["conv2_block1_2_conv"] > 5 * errors["conv2_block1_1_relu"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_right_network_is(form, evidence, tmp_path):
    source = export_networks.digits_classifier()
    target, proof = publish.publish(source, formats.find(form), evidence, tmp_path / "out")
    assert target == tmp_path / "out" / "1" and (target / "MODEL_CARD.md").is_file()
    assert proof["pixels"].images == 200
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1"]


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    for expected in ("1", "2"):
        with publish.version_directory(tmp_path) as (temporary, target):
            (temporary / "file").write_text(expected)
            assert not target.exists()
        assert (tmp_path / expected / "file").read_text() == expected
    with publish.version_directory(tmp_path, 40) as (_, target):
        pass
    with pytest.raises(ExportError, match="40 exists"), publish.version_directory(tmp_path, 40):
        pass
    with publish.version_directory(tmp_path) as (_, target):
        pass
    assert target.name == "41"


def test_a_crash_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), publish.version_directory(tmp_path) as (temporary, _):
        (temporary / "half").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_blocks_nobody_and_is_swept(tmp_path):
    """In a container the next one has the same PID. One that is at work is left alone."""
    own = files.temporary_name(tmp_path / "1").name
    dead = own.replace(files.started(os.getpid()), "1")
    for name in (f".{os.getpid()}.1", dead):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("x")
    with publish.version_directory(tmp_path) as (first, _):
        assert not (tmp_path / dead).exists()
        with publish.version_directory(tmp_path, 2) as (second, _):
            assert first != second and first.is_dir() and second.is_dir()
            (second / "file").write_text("second")
        (first / "file").write_text("first")
    for version, content in (("1", "first"), ("2", "second")):
        assert (tmp_path / version / "file").read_text() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{os.getpid()}.1", "1", "2"]


def test_a_killed_process_holds_nothing(tmp_path):
    code = (
        "import os, signal, sys; from export import publish\n"
        "with publish.version_directory(sys.argv[1]) as (temporary, _):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL)
    (dead,) = tmp_path.iterdir()
    with publish.version_directory(tmp_path):
        assert not dead.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_version_that_another_process_published_first_stays(tmp_path):
    with pytest.raises(OSError), publish.version_directory(tmp_path, 1) as (temporary, target):
        (temporary / "file").write_text("ours")
        target.mkdir()
        (target / "file").write_text("theirs")
    assert (tmp_path / "1" / "file").read_text() == "theirs"


def test_any_set_of_a_runs_weights(tmp_path):
    """Each file is read, and a run without them says which file it lacks."""
    run = export_networks.save_run(tmp_path / "run")
    with pytest.raises(archive.ArchiveError, match=r"expected model\.ema\.weights\.h5 to be one"):
        classifier.from_run(run, "ema")
    other = keras.models.clone_model(export_networks.trained_on_digits())
    other.set_weights([w + 1 for w in export_networks.trained_on_digits().get_weights()])
    archive.add(other, run, "ema")
    for weights, model in (("ema", other), ("model", export_networks.trained_on_digits())):
        found = classifier.from_run(run, weights)
        pairs = zip(found.model.get_weights(), model.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
        assert found.facts["exported_weights"] == archive.weights_file(weights)


def test_names_and_classes_must_agree():
    model = export_networks.trained_on_digits()
    with pytest.raises(ExportError, match="2 class names for a network of 10 classes"):
        Classifier(model, export_networks.DIGITS, ("a", "b"))


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--run_dir=nowhere"], 1, "nowhere holds no trained network"),
        ([], 2, "run_dir"),
        (["--run_dir=x", "stray"], 2, "unexpected arguments: stray"),
    ],
)
def test_a_misused_command_line_gets_one_sentence(arguments, code, sentence, tmp_path):
    done = programs.run("export.saved_model", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


WRITE_ALL = """
import pathlib, sys
from export import classifier, formats, images
source = classifier.from_run(sys.argv[1])
training = images.of_run(source, "train", 20)
for count, place in ((20, sys.argv[2]), (40, sys.argv[2] + "again")):
    evidence = images.Evidence(images.of_run(source, "validation", count), training)
    for form in ("saved_model", "saved_model-constants", "onnx", "tflite-int8"):
        directory = pathlib.Path(place) / form
        directory.mkdir(parents=True)
        formats.find(form).write(source, directory, evidence)
"""


def test_same_network_same_bytes(tmp_path):
    """Two processes whose sets are in another order write the same files, twice, of any images."""
    run = export_networks.save_run(tmp_path / "run")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE_ALL, run, tmp_path / seed],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stderr=subprocess.DEVNULL,
        )
        for seed in ("1", "2")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    names = {p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*") if p.is_file()}
    assert {"saved_model.pb", "fingerprint.pb", "model.onnx", "model.tflite"} < {
        name.name for name in names
    }
    for name in names:
        contents = {(tmp_path / x / name).read_bytes() for x in ("1", "2", "1again", "2again")}
        assert len(contents) == 1, name
