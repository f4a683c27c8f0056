"""A network on disk: the way there and back, and one sentence for each way it can be broken."""

import dataclasses
import json
import pathlib

import h5py
import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as convert

import zoo
from zoo import archive
from zoo import manifest as manifest_module
from zoo.preprocess import InputContract

NETWORK = zoo.Network("resnet8", 3, 8, "B", mean="pixel")
MANIFEST = archive.Manifest(
    NETWORK, InputContract(8, 9), ("a", "b", "ç"), data={"name": "digits"}, seed=3, step=7
)


@pytest.fixture
def saved(tmp_path):
    model = zoo.build_network(NETWORK)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    archive.save(model, MANIFEST, tmp_path)
    return model, tmp_path


def edit(run_dir, change):
    path = run_dir / archive.MANIFEST
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_network_and_manifest_come_back(saved):
    model, run_dir = saved
    loaded, manifest = archive.load(run_dir)
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(convert(ours), convert(theirs))
    written = {"versions": manifest.versions, "weights": manifest.weights}
    assert manifest == dataclasses.replace(MANIFEST, **written)
    assert manifest.versions["keras"] == keras.__version__
    assert sorted(p.name for p in run_dir.iterdir()) == ["manifest.json", "model.weights.h5"]


@pytest.fixture
def bfloat16():
    """Somebody's global policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def test_a_loaded_network_computes_what_was_saved_under_any_policy(saved, bfloat16):
    model, run_dir = saved
    loaded, _ = archive.load(run_dir)
    pixels = np.random.default_rng(1).uniform(0, 255, (3, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(loaded(pixels), model(pixels))
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_another_precision_is_asked_for_by_name(saved):
    _, run_dir = saved
    loaded, _ = archive.load(run_dir, dtype="mixed_bfloat16")
    assert loaded.get_layer("conv2_block1_1_conv").compute_dtype == "bfloat16"
    assert loaded.get_layer("conv2_block1_1_conv").kernel.dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("dtype", ["float32", "single"])
def test_the_global_policy_outlives_a_failed_load(saved, bfloat16, monkeypatch, dtype):
    def broken(network):
        raise MemoryError

    monkeypatch.setitem(archive.BUILDERS, "classifier", broken)
    with pytest.raises((MemoryError, ValueError)):
        archive.load(saved[1], dtype=dtype)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_keras_itself_reads_the_weights(saved):
    model, run_dir = saved
    other = zoo.build_network(NETWORK)
    other.load_weights(run_dir / archive.WEIGHTS)
    np.testing.assert_array_equal(other.get_weights()[5], model.get_weights()[5])


def test_an_optimizer_stays_out_of_the_file_and_in_the_model(tmp_path):
    model = zoo.build_network(NETWORK)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer)
    archive.save(model, MANIFEST, tmp_path)
    assert model.optimizer is optimizer
    with h5py.File(tmp_path / archive.WEIGHTS) as file:
        assert "optimizer" not in file
        assert "layers" in file


def test_a_model_that_was_never_compiled_is_left_as_it_was(saved):
    model, _ = saved
    assert not hasattr(model, "optimizer")


def test_directory_without_a_network(tmp_path):
    with pytest.raises(archive.ArchiveError, match="holds no trained network: expected manifest"):
        archive.load(tmp_path)


def test_weights_cut_short(saved):
    _, run_dir = saved
    path = run_dir / archive.WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(archive.ArchiveError, match=r"not the file its manifest.*cut short"):
        archive.load(run_dir)


def test_one_flipped_byte_of_the_weights(saved):
    _, run_dir = saved
    path = run_dir / archive.WEIGHTS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(archive.ArchiveError, match="not the file its manifest describes"):
        archive.load(run_dir)


def test_weights_missing(saved):
    _, run_dir = saved
    (run_dir / archive.WEIGHTS).unlink()
    with pytest.raises(archive.ArchiveError, match=r"model.weights.h5 is missing"):
        archive.load(run_dir)


def test_manifest_cut_short(saved):
    _, run_dir = saved
    path = run_dir / archive.MANIFEST
    path.write_text(path.read_text()[:100])
    with pytest.raises(archive.ArchiveError, match="is not a readable manifest"):
        archive.load(run_dir)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda m: m.update(extra=1), "unknown key extra"),
        (lambda m: m["network"].update(width=2), "unknown key network.width"),
        (lambda m: m["input"].pop("resize_px"), "missing key input.resize_px"),
        (lambda m: m.pop("network"), "expected an object at 'network'"),
        (lambda m: m.update(format=2), "has format 2, this program reads 1"),
        (lambda m: m["class_names"].pop(), "2 class names for a network of 3 classes"),
        (lambda m: m["network"].update(name="resnet9"), "unknown network 'resnet9'"),
    ],
)
def test_manifest_that_does_not_fit(saved, change, sentence):
    _, run_dir = saved
    edit(run_dir, change)
    with pytest.raises(archive.ArchiveError, match=sentence):
        archive.load(run_dir)


@pytest.mark.parametrize(
    "change, layer",
    [
        (lambda m: (m["class_names"].append("d"), m["network"].update(num_classes=4)), "logits"),
        (lambda m: m["network"].update(shortcut="A"), "conv3_block1_0_bn"),
        (lambda m: m["network"].update(name="resnet14"), "conv2_block2_1_bn"),
        (lambda m: m["network"].update(mean="channel"), "pixels"),
    ],
)
def test_weights_of_another_network_are_named_by_layer(saved, change, layer):
    _, run_dir = saved
    edit(run_dir, change)
    with pytest.raises(archive.ArchiveError, match=f"does not fit .* at layer '{layer}'"):
        archive.load(run_dir)


def test_a_failed_save_leaves_the_earlier_one_whole(saved, monkeypatch):
    model, run_dir = saved
    before = (run_dir / archive.WEIGHTS).read_bytes()

    def broken(path, content):
        with open(path, "wb") as file:
            file.write(bytes(content)[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", broken)
    with pytest.raises(OSError, match="No space left"):
        archive.save(model, MANIFEST, run_dir)
    assert (run_dir / archive.WEIGHTS).read_bytes() == before
    assert sorted(p.name for p in run_dir.iterdir()) == ["manifest.json", "model.weights.h5"]


@dataclasses.dataclass(frozen=True)
class Line:
    """Another kind of network than a classifier, as a manifest describes it."""

    num_classes: int
    slope: float


def build_line(line):
    x = keras.Input((1,))
    return keras.Model(x, keras.layers.Dense(1, name="line")(x))


def test_another_kind_of_network_has_its_own_description(tmp_path, monkeypatch):
    monkeypatch.setitem(manifest_module.KINDS, "line", (Line, InputContract))
    monkeypatch.setitem(archive.BUILDERS, "line", build_line)
    described = archive.Manifest(Line(1, 0.5), InputContract(8, 8), ("a",), kind="line")
    model = build_line(described.network)
    model.set_weights([np.float32([[2.0]]), np.float32([3.0])])
    archive.save(model, described, tmp_path)
    archive.copy(tmp_path, "model", "best")
    loaded, manifest = archive.load(tmp_path, "best", kind="line")
    assert manifest.network == Line(1, 0.5)
    assert convert(loaded(np.float32([[1.0]]))) == 5.0
    with pytest.raises(archive.ArchiveError, match="holds a line, expected a classifier"):
        archive.load(tmp_path)


def test_a_kind_that_nobody_knows_is_named(saved):
    _, run_dir = saved
    assert "kind" not in json.loads((run_dir / archive.MANIFEST).read_text())
    edit(run_dir, lambda fields: fields.update(kind="oracle"))
    with pytest.raises(archive.ArchiveError, match="kind 'oracle', expected one of classifier"):
        archive.load(run_dir)
