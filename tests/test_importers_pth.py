"""PyTorch's file formats: the same arrays as torch.load's, no code run, damage in one sentence."""

import pickle
import zipfile

import importers_oracles as oracles
import numpy as np
import pytest

from zoo.importers import ImportFailed, assemble, pth, reading

torch = pytest.importorskip("torch")


def imported(path, model):
    return assemble.load(assemble.Request("torch", str(path), model))


def saved(net, path, **how):
    torch.save(net.state_dict(), path, **how)
    return path


@pytest.mark.parametrize("kind", ["zip", "stream", "safetensors"])
def test_each_format_reads_the_same_arrays(kind, tmp_path):
    net = oracles.common_cifar(1)
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    state["module.conv1.weight"] = state["module.conv1.weight"].to(
        memory_format=torch.channels_last
    )
    path = tmp_path / "w.x"  # the ending does not matter
    if kind == "safetensors":
        pytest.importorskip("safetensors.torch").save_file(
            {name: tensor.contiguous() for name, tensor in state.items()}, path
        )
    else:
        checkpoint = {"epoch": 3, "state_dict": state, "best": 0.5, "args": ["--a", None]}
        torch.save(checkpoint, path, _use_new_zipfile_serialization=kind == "zip")
    arrays = reading.read(path, "torch")
    assert set(arrays) == set(state)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, state[name].numpy())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int32"])
def test_other_number_types_keep_their_values(dtype, tmp_path):
    tensor = torch.arange(-6, 6).reshape(3, 4).to(getattr(torch, dtype)) / 2
    tensor = tensor.to(getattr(torch, dtype)).t()  # strides that are not C's
    for new in (True, False):
        torch.save({"x": tensor}, tmp_path / "x", _use_new_zipfile_serialization=new)
        read = pth.read_zip if new else pth.read_stream
        array = read(tmp_path / "x")["x"]
        np.testing.assert_array_equal(array.astype("float64"), tensor.double().numpy())
    torch_file = pytest.importorskip("safetensors.torch")
    torch_file.save_file({"x": tensor.contiguous()}, tmp_path / "x")
    array = reading.read(tmp_path / "x", "torch")["x"]
    np.testing.assert_array_equal(array.astype("float64"), tensor.double().numpy())


class Touch:
    """Pickled, it asks to call `open(path, "w")`: code, harmless here, that must not run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("new", [True, False])
def test_no_code_in_a_file_is_run(new, tmp_path):
    path, made = tmp_path / "evil.pth", tmp_path / "made"
    state = {"x": torch.zeros(2), "y": Touch(str(made))}
    torch.save(state, path, _use_new_zipfile_serialization=new)
    read = pth.read_zip if new else pth.read_stream
    with pytest.raises(ImportFailed, match=r"wants to call (_io|io|builtins)\.open"):
        read(path)
    assert not made.exists()
    pickle.loads(pickle.dumps(Touch(str(made)))).close()
    assert made.exists()  # the same file, read by pickle, does run it


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((4,), (1,), 1),
        ((2, 2), (1000, 1), 0),
        ((1 << 40,), (0,), 0),
        ((2,), (-1,), 1),
        ((2,), (1,), -1),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(size, stride, offset):
    tensor = pth.Tensor(pth.Storage("0", "f4", 4), offset, size, stride)
    with pytest.raises(ImportFailed, match="reaches outside its storage"):
        pth._arrays({"x": tensor}, lambda storage: bytes(16), "f.pth")


def test_a_damaged_file_is_one_sentence(tmp_path):
    net = oracles.common_cifar(1)
    for new in (True, False):
        whole = saved(net, tmp_path / "w.pth", _use_new_zipfile_serialization=new).read_bytes()
        for size in (16, 200, len(whole) // 2, len(whole) - 9):
            (tmp_path / "cut.pth").write_bytes(whole[:size])
            with pytest.raises(ImportFailed, match="cut.pth"):
                imported(tmp_path / "cut.pth", "resnet8")


@pytest.mark.parametrize("new", [True, False])
def test_flipped_bytes_never_raise_anything_else(new, tmp_path):
    path = tmp_path / "w.pth"
    torch.save(
        {"x": torch.ones(3), "y": torch.zeros(2, 2)}, path, _use_new_zipfile_serialization=new
    )
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[rng.integers(32, len(whole))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            reading.read(path, "torch")
        except ImportFailed:
            refused += 1
    assert refused > 50


def test_other_contents_are_named(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"a": {"x": torch.zeros(1)}, "b": {"x": torch.zeros(1)}}, path)
    with pytest.raises(
        ImportFailed, match="expected one dictionary of tensors, found several: a, b: choose"
    ):
        imported(path, "resnet8")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("w/data.pkl", b"")
        file.writestr("w/code/net.py", b"")
    with pytest.raises(ImportFailed, match="TorchScript"):
        imported(path, "resnet8")
    path.write_text("hello")
    with pytest.raises(ImportFailed, match="no file of --source=torch; it looks unknown"):
        imported(path, "resnet8")
