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
from zoo import archive, files
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
        (lambda m: m["network"].update(depth=2), "unknown key network.depth"),
        (lambda m: m["input"].pop("resize_px"), "missing key input.resize_px"),
        (lambda m: m.pop("network"), "expected an object at 'network'"),
        (lambda m: m.update(format=2), "has format 2, this program reads 1"),
        (lambda m: m["class_names"].pop(), "2 class names for a network of 3 classes"),
        (lambda m: m["network"].update(name="resnet9"), "unknown network 'resnet9'"),
        (lambda m: m.update(weights=[]), r"expected an object at 'weights', got \[\]"),
        (lambda m: m["weights"].update({"model.weights.h5": 5}), "an object at 'weights.model.w"),
        (lambda m: m.update(data="x"), "expected an object at 'data', got 'x'"),
        (lambda m: m["data"].update(imported=[]), "expected an object at 'data.imported'"),
        (lambda m: m["data"].update(name=7), "expected a text or null at 'data.name', got 7"),
        (lambda m: m["class_names"].append(7), "expected a text at 'class_names', got 7"),
        (lambda m: m.update(class_names={"a": 1}), "expected a list at 'class_names'"),
        (lambda m: m.update(step=True), "expected a whole number at 'step', got True"),
        (
            lambda m: m["input"].update(image_size=10**6),
            "image_size: .* at most 8,192, got 1000000",
        ),
        (lambda m: m["input"].update(resize_px=9.5), "resize_px: expected a whole .* got 9.5"),
        (lambda m: m["network"].update(image_size=10**6), "image_size: .* at most 8,192"),
        (lambda m: m["network"].update(hidden=10**9), "hidden: .* at most 16,384, got 1000000000"),
        (lambda m: m["network"].update(width=17), "width: expected a number from 0.0625 to 16"),
        (lambda m: m.update(kind=["a"]), r"has kind \['a'\], expected one of classifier"),
        (lambda m: m.update(format=[[1]]), "has format .*, this program reads 1"),
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


# -- files from strangers


def rewritten(run_dir, change):
    """Changes the weights file, and its record with it, as who means harm would."""
    path = run_dir / archive.WEIGHTS
    with h5py.File(path, "r+") as file:
        change(file)
    facts = {"sha256": files.sha256(path), "bytes": path.stat().st_size}
    edit(run_dir, lambda fields: fields["weights"].update({archive.WEIGHTS: facts}))


KERNEL = "layers/conv2d/vars/0"


def external(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 3, 3, 16), "f4", external=[("/etc/passwd", 0, 1728)])


def virtual(file):
    layout = h5py.VirtualLayout((3, 3, 3, 16), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 3, 3, 16))
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def linked(file):
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink("other.h5", "x")


def looped(file):
    file["layers/again"] = file["layers"]


def grouped(file):
    del file[KERNEL]
    file.create_group(KERNEL)


def sparse(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (2**40,), "f4")


def packed(file):
    del file[KERNEL]
    file.create_dataset(KERNEL, (2**22,), "f4", data=np.zeros(2**22), compression="gzip")


@pytest.mark.parametrize(
    "change, words",
    [
        (external, "has its numbers in another file"),
        (virtual, "has its numbers in another file"),
        (linked, "is a link: expected arrays in the file itself"),
        (looped, "there twice, too deep, or one of too many"),
        (grouped, "arrays numbered from 0|does not fit"),
        (sparse, "claims 4,398,046,511,104 bytes, and has 0"),
        (packed, "claims 16,777,216 bytes, and has"),
    ],
)
def test_weights_that_are_elsewhere_are_refused_before_anything_is_built(
    saved, change, words, monkeypatch
):
    rewritten(saved[1], change)
    monkeypatch.setitem(archive.BUILDERS, "classifier", lambda network: pytest.fail("built"))
    with pytest.raises(archive.ArchiveError, match=words):
        archive.load(saved[1])


@pytest.mark.parametrize(
    "network",
    [{"name": "resnet9998"}, {"num_classes": 100_000}, {"image_size": 8192}, {"width": 16}],
)
def test_a_network_that_the_weights_do_not_have_is_not_built(saved, network, monkeypatch):
    def change(fields):
        fields["network"].update(network)
        fields["class_names"] = list(map(str, range(fields["network"]["num_classes"])))

    edit(saved[1], change)
    monkeypatch.setitem(archive.BUILDERS, "classifier", lambda network: pytest.fail("built"))
    with pytest.raises(archive.ArchiveError, match="does not fit resnet.* at layer"):
        archive.load(saved[1])


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "is nested more than 32 deep"),
        ('{"format": ' + "[" * 40 + "]" * 40 + "}", "is nested more than 32 deep"),
        (
            '{"format": 1, "class_names": [' + '"abcdefgh", ' * 2_000_000,
            "more than 8,388,608 bytes",
        ),
        ('{"format": 1' + "0" * 5000 + "}", "is not a readable manifest"),
        (b"\xff\xfe{}", "is no text in UTF-8"),
    ],
)
def test_a_manifest_that_nobody_writes_is_one_sentence(text, words, tmp_path):
    (tmp_path / archive.MANIFEST).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(archive.ArchiveError, match=words) as failure:
        archive.load_manifest(tmp_path)
    assert len(str(failure.value)) < 300


def test_a_width_comes_back_and_the_papers_goes_without_saying(saved, tmp_path):
    written = json.loads((saved[1] / archive.MANIFEST).read_text())["network"]
    assert not {"width", "stem_filters", "hidden"} & written.keys()
    network = zoo.Network("resnet8", 1, None, "A", width=0.25)
    described = archive.Manifest(network, InputContract(8, 9), ("a",))
    archive.save(zoo.build_network(network), described, tmp_path / "narrow")
    model, manifest = archive.load(tmp_path / "narrow")
    assert manifest.network.width == 0.25
    assert model.get_layer("conv4_block1_2_conv").kernel.shape == (3, 3, 16, 16)
