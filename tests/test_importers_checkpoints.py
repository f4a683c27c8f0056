"""Checkpoints as training scripts leave them: the same network, whatever is around its weights."""

import argparse
import json

import importers_oracles as oracles
import numpy as np
import pytest

from zoo.importers import ImportFailed, assemble, fit

torch = pytest.importorskip("torch")


def understood(path, model="resnet8", **more):
    return assemble.understood(assemble.Request("torch", str(path), model, **more))


@pytest.fixture(scope="module")
def net():
    return oracles.common_cifar(1)


@pytest.fixture
def saved(tmp_path):
    def save(value, **how):
        torch.save(value, tmp_path / "w.pth", **how)
        return tmp_path / "w.pth"

    return save


def holds(found, net):
    """Whether every tensor is the network's own, under the layout's name."""
    state = net.state_dict()
    for name, array in found.arrays.items():
        np.testing.assert_array_equal(array, state[name.replace("fc.", "linear.")].numpy())
    return len(found.arrays) >= len(state) - 7


def training(net):
    """What a script saves: weights, an optimizer with momentum, arguments, figures."""
    optimizer = torch.optim.Adam(net.parameters())
    sum(parameter.sum() for parameter in net.parameters()).backward()
    optimizer.step()
    optimizer.zero_grad()
    return {
        "epoch": 90,
        "arch": "resnet8",
        "best_acc1": torch.tensor(91.5),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, path=np.float64(3)),
    }


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("key", ["state_dict", "model", "net", "weights.inner"])
def test_a_training_scripts_dictionary(key, new, saved):
    other, around = oracles.common_cifar(1), {}
    more = training(other)
    oracles.randomise(other)
    value = other.state_dict()
    for part in reversed(key.split(".")):
        around = {part: value}
        value = around
    found = understood(saved(more | around, _use_new_zipfile_serialization=new))
    assert found.arrays.entry == key and holds(found, other)


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema"])
def test_the_average_is_taken_and_told(key, net, saved):
    other = oracles.randomise(oracles.common_cifar(1), seed=5)
    average = {"module": net.state_dict(), "updates": 3} if key == "ema" else net.state_dict()
    path = saved({"state_dict": other.state_dict(), key: average})
    found = understood(path)
    assert holds(found, net)
    assert found.arrays.entry.startswith(key) and found.arrays.others == ("state_dict",)
    assert holds(understood(path, entry="state_dict"), other)
    with pytest.raises(ImportFailed, match="has no --entry=x; it has state_dict"):
        understood(path, entry="x")


PREFIXES = [
    "module.", "_orig_mod.", "model.", "net.", "backbone.", "module._orig_mod.", "model.model.",
    "_orig_mod.module.net.backbone.", "encoder.trunk.",
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_stands_before_each_name(prefix, net, saved):
    state = {prefix + name: tensor for name, tensor in net.state_dict().items()}
    state["n_averaged"] = torch.tensor(3)
    state["criterion.weight"] = torch.ones(10)
    assert holds(understood(saved({"state_dict": state})), net)


@pytest.mark.parametrize(
    "head", ["fc.1", "fc.0", "fc.3", "head", "classifier", "dense", "predictions", "model.fc.1"]
)
def test_heads_of_other_names(head, net, saved):
    state = {}
    for name, tensor in net.state_dict().items():
        is_head = name.startswith("linear")
        state[name.replace("linear", head) if is_head else f"model.backbone.{name}"] = tensor
    found = understood(saved(state))
    assert holds(found, net)


def test_a_head_without_bias_has_one_of_zeros(net, saved):
    state = dict(net.state_dict())
    del state["linear.bias"]
    found = understood(saved(state))
    weights = fit.convert(found.arrays, found.layout, found.network)
    assert weights["logits"]["bias"].tolist() == [0.0] * 10


@pytest.fixture(scope="module")
def deep_headed():
    """The CIFAR net under a head as tutorials make them; 64 units: shapes tell no order."""
    net = oracles.common_cifar(1)
    nn = torch.nn
    net.linear = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 5))
    return oracles.randomise(net)


@pytest.mark.parametrize("names", ["fc.0 fc.3", "fc1 fc2", "head.dense head.out_proj", "fc.1 fc"])
def test_a_head_of_two_layers_with_a_relu(names, deep_headed, saved):
    first, second = names.split()
    state = {
        name.replace("linear.0", first).replace("linear.3", second): tensor
        for name, tensor in deep_headed.state_dict().items()
    }
    mean, std = (0.4, 0.5, 0.6), (0.3, 0.2, 0.1)
    request = assemble.Request("torch", str(saved(state)), "resnet8", mean=mean, std=std)
    model, manifest = assemble.load(request)
    pixels = oracles.pixels(32)
    theirs = oracles.torch_logits(deep_headed, pixels, mean, std)
    assert oracles.difference(oracles.ours(model, pixels), theirs) < oracles.TOLERANCE
    assert (manifest.network.hidden, manifest.network.num_classes) == (64, 5)


def test_what_lightning_saves(deep_headed, saved):
    """The keys of a checkpoint that Lightning 2.6 wrote; its head tells whose layout it is."""
    loss = torch.nn.CrossEntropyLoss(weight=torch.ones(5))
    state = {f"model.{name}": x for name, x in deep_headed.state_dict().items()}
    state |= {f"criterion.{name}": x for name, x in loss.state_dict().items()}
    others = {
        "epoch": 1, "global_step": 2, "pytorch-lightning_version": "2.6.6", "callbacks": {},
        "loops": {"fit_loop": {}}, "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1},
        "lr_schedulers": [{"base_lrs": [0.1]}],
        "optimizer_states": [{"state": {0: {"momentum_buffer": torch.ones(3)}}}],
    }  # fmt: skip
    found = understood(saved({"state_dict": state} | others))
    assert (found.layout.name, found.network.hidden) == ("common CIFAR", 64)
    for layer, name in (("hidden layer", "linear.0"), ("linear", "linear.3")):
        theirs = deep_headed.state_dict()[f"{name}.weight"]
        np.testing.assert_array_equal(found.arrays[f"{layer}.weight"], theirs)


@pytest.mark.parametrize(
    "head",
    [
        {"fc.0": (32, 64), "fc.1": (10, 32)},  # nothing between them: no ReLU
        {"fc.0": (32, 64), "fc.2": (16, 32), "fc.4": (10, 16)},
        {"fc.0": (32, 64), "fc.2": (10, 16)},
    ],
)
def test_other_heads_are_named_and_can_be_left(head, net, saved):
    state = {k: v for k, v in net.state_dict().items() if not k.startswith("linear")}
    for name, shape in head.items():
        state |= {f"{name}.weight": torch.ones(shape), f"{name}.bias": torch.ones(shape[0])}
    path = saved(state)
    named = ", ".join(f"{name}.weight" for name in head)
    with pytest.raises(ImportFailed, match=f"has a head of other layers .{named}.*: --headless"):
        understood(path)
    found = understood(path, headless=True)
    assert not fit.convert(found.arrays, found.layout, found.network)["logits"]["kernel"].any()


def test_a_network_saved_as_an_object(tmp_path, saved):
    """What `torch.save(model)` writes, by the names of classes that nobody here can import."""
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    from zoo.importers import pth

    arrays = pth.read_zip(saved({"model": net, "epoch": 3}))
    assert arrays.entry == "model" and arrays.keys() == net.state_dict().keys()
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(arrays[name], tensor.numpy())


def test_children_of_a_sequential(saved):
    net = oracles.torchvision_like((2, 2, 2, 2))
    places = {"conv1": "0", "bn1": "1"} | {f"layer{i}": str(i + 3) for i in (1, 2, 3, 4)}
    state = {}
    for name, tensor in net.state_dict().items():
        first, _, rest = name.partition(".")
        state[f"features.{places[first]}.{rest}" if first != "fc" else name] = tensor
    found = understood(saved(state), "resnet18")
    assert found.faults == 0 and found.layout.name == "torchvision in a Sequential"


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((64, 3, 3, 3), r"is resnet18 but for its first convolution of 3x3 \(a CIFAR stem"),
        ((64, 1, 7, 7), r"is resnet18 for pictures of 1 channel \(conv1.weight"),
    ],
)
def test_other_stems_are_named_for_what_they_are(shape, words, saved):
    state = dict(oracles.torchvision_like((2, 2, 2, 2)).state_dict())
    state["conv1.weight"] = torch.zeros(shape)
    with pytest.raises(ImportFailed, match=words) as failure:
        understood(saved(state), "resnet18")
    assert len(str(failure.value)) < 300


def test_half_a_network_is_known_by_its_first_convolution(net, saved):
    state = {}
    for name, tensor in net.state_dict().items():
        half = [side // 2 if side in (16, 32, 64) else side for side in tensor.shape]
        state[name] = torch.ones(half) if half else tensor
    found = understood(saved(state))
    assert (found.network.width, found.network.num_classes, found.faults) == (0.5, 10, 0)


# -- files around the file


def test_shards_with_an_index(net, tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    state = {k: v for k, v in net.state_dict().items() if v.ndim}
    names, placed = sorted(state), {}
    for i in range(3):
        part = f"model-0000{i + 1}-of-00003.safetensors"
        save_file({name: state[name] for name in names[i::3]}, tmp_path / part)
        placed |= dict.fromkeys(names[i::3], part)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    for file in (index, tmp_path / "model-00002-of-00003.safetensors"):
        assert holds(understood(file), net)
    (tmp_path / "model-00003-of-00003.safetensors").unlink()
    with pytest.raises(ImportFailed, match="1 of 3 parts are missing: model-00003"):
        understood(index)
    index.write_text(json.dumps({"weight_map": {"x": "../secret.safetensors"}}))
    with pytest.raises(ImportFailed, match="expected files beside it"):
        understood(index)


def test_a_git_lfs_pointer_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 102\n")
    with pytest.raises(ImportFailed, match="is a git-lfs pointer and not the weights: run git lfs"):
        understood(path)


def test_preparation_is_as_asked_or_as_a_file_beside_says(net, saved):
    path = saved(net.state_dict())

    def prepared(**more):
        request = assemble.Request("torch", str(path), "resnet8", **more)
        model, manifest = assemble.load(request)
        pixels = model.get_layer("pixels")
        return manifest.input, np.array(pixels.mean).ravel(), np.array(pixels.scale)

    contract, mean, scale = prepared(mean=(0.5,), std=(0.25, 0.5, 1.0), image_size=28)
    assert (contract.image_size, contract.resize_px) == (28, 28)
    np.testing.assert_allclose(mean, [127.5] * 3)
    np.testing.assert_allclose(scale, [1 / 63.75, 1 / 127.5, 1 / 255])
    config = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5], "resample": 3}
    config |= {"size": {"shortest_edge": 28}, "crop_pct": 0.875}
    path.with_name("preprocessor_config.json").write_text(json.dumps(config))
    contract, mean, scale = prepared()
    assert (contract.image_size, contract.resize_px, contract.method) == (28, 32, "bicubic")
    np.testing.assert_allclose(mean, [25.5, 51, 76.5], rtol=1e-6)
    assert prepared(evaluation="cifar10")[0].image_size == 32
    for wrong in (
        {"image_mean": [1]},
        {"size": "large"},
        {"resample": 9},
        {"image_std": [0, 1, 1]},
    ):
        path.with_name("preprocessor_config.json").write_text(json.dumps(config | wrong))
        with pytest.raises(ImportFailed, match="preprocessor_config.json: .*give --evaluation"):
            prepared()
