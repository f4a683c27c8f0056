"""PyTorch's files: logits as of the source, no code run, every tensor accounted for, way back."""

import dataclasses

import importers_oracles as oracles
import numpy as np
import programs
import pytest

from zoo import archive
from zoo.importers import ImportFailed, assemble, torch_layout

torch = pytest.importorskip("torch")


def imported(path, model, **more):
    return assemble.load(assemble.Request("torch", str(path), model, **more))


def saved(net, path, **how):
    torch.save(net.state_dict(), path, **how)
    return path


NETS = {
    "resnet18": dict(depths=(2, 2, 2, 2)),
    "resnet34": dict(depths=(3, 4, 6, 3)),
    "resnet50": dict(depths=(3, 4, 6, 3), bottleneck=True),
}
WRONG = {
    "resnet18": ({"pool_pad": "end"}, {"bn_epsilon": 1.01e-5}),
    "resnet34": (),
    "resnet50": ({"stride": "1x1"}, {"pool_pad": "end"}, {"bn_epsilon": 1.01e-5}),
}


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet50", pytest.param("resnet34", marks=pytest.mark.exhaustive)]
)
def test_torchvision_layout_gives_the_same_logits(name, tmp_path):
    net = oracles.torchvision_like(**NETS[name])
    model, manifest = imported(saved(net, tmp_path / "w.pth"), name)
    images = oracles.pixels()
    wanted = oracles.torch_logits(net, images)
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE
    for traits in WRONG[name]:
        wrong = oracles.mutant(model, dataclasses.replace(manifest.network, **traits))
        assert oracles.difference(oracles.ours(wrong, images), wanted) > oracles.MISTAKE, traits
    bgr = oracles.difference(oracles.ours(model, images[..., ::-1]), wanted)
    assert bgr > oracles.MISTAKE
    model.get_layer("pixels").mean.assign_add(np.full((1, 1, 3), 1.0))
    assert oracles.difference(oracles.ours(model, images), wanted) > oracles.MISTAKE


HUGGING_FACE = {
    "resnet18": dict(layer_type="basic", depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512]),
    "resnet34": dict(layer_type="basic", depths=[3, 4, 6, 3], hidden_sizes=[64, 128, 256, 512]),
    "resnet50": dict(),  # the library's own default
    "resnet50, v1": dict(downsample_in_bottleneck=True),
}


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_hugging_face_gives_the_same_logits(name, tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(num_labels=12, **HUGGING_FACE[name])
    net = oracles.randomise(transformers.ResNetForImageClassification(config))
    if name.startswith("resnet50"):  # published as safetensors, config.json beside it
        net.save_pretrained(tmp_path)
        path = tmp_path / "model.safetensors"
    else:
        path = saved(net, tmp_path / "pytorch_model.bin")
    model, manifest = imported(path, name.split(",")[0])
    images = oracles.pixels()
    wanted = oracles.torch_logits(net, images)
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE
    assert manifest.data["imported"]["layout"] == "Hugging Face"
    assert manifest.input.method == "bicubic"


@pytest.mark.parametrize("option", ["A", "B"])
def test_cifar_nets_give_the_same_logits(option, tmp_path):
    net = oracles.common_cifar(2, option=option)
    model, manifest = imported(saved(net, tmp_path / "w.th"), "resnet14")
    images = oracles.pixels(32)
    wanted = oracles.torch_logits(net, images)
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE
    assert manifest.network.shortcut == option
    assert manifest.class_names[:2] == ("airplane", "automobile")
    if option == "A":
        wrong = oracles.mutant(model, dataclasses.replace(manifest.network, zeros="end"))
        assert oracles.difference(oracles.ours(wrong, images), wanted) > oracles.MISTAKE


def test_zeros_split_are_on_both_sides():
    from zoo.layers import IdentityShortcut

    x = np.arange(1, 1 + 2 * 3 * 3 * 4, dtype="float32").reshape(2, 3, 3, 4)
    y = np.array(IdentityShortcut(9, 2, zeros="split")(x))
    assert y.shape == (2, 2, 2, 9)
    np.testing.assert_array_equal(y[..., 2:6], x[:, ::2, ::2])
    assert not y[..., :2].any() and not y[..., 6:].any()
    layer = IdentityShortcut.from_config(IdentityShortcut(9, 2, zeros="split").get_config())
    np.testing.assert_array_equal(layer(x), y)


# -- every tensor


@pytest.fixture
def state():
    return dict(oracles.common_cifar(1).state_dict())


def test_missing_and_unused_tensors_are_named(state, tmp_path):
    state["extra.weight"] = torch.zeros(3)
    state.pop("layer2.0.bn1.running_var")
    state["layer3.0.bn2.weight"] = torch.zeros(63)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ImportFailed) as failure:
        imported(tmp_path / "w.pth", "resnet8")
    text = str(failure.value)
    assert "missing: layer2.0.bn1.running_var;" in text
    assert "unused: extra.weight;" in text
    assert "of another shape: layer3.0.bn2.weight ((63,), expected (64,))" in text


def test_tensors_too_many_are_named_by_three(state, tmp_path):
    state |= {f"extra.{i}": torch.zeros(1) for i in range(30)}
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(
        ImportFailed, match="is resnet8 in the common CIFAR layout but for"
    ) as found:
        imported(tmp_path / "w.pth", "resnet8")
    assert str(found.value).endswith("unused: extra.0, extra.1, extra.10; and 27 more")
    assert len(str(found.value)) < 300


@pytest.mark.parametrize(
    ("value", "name", "words"),
    [
        (float("nan"), "conv1.weight", "not finite"),
        (-1.0, "bn1.running_var", "negative variances"),
    ],
)
def test_damaged_numbers_are_refused(value, name, words, state, tmp_path):
    state[name] = torch.full_like(state[name], value)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ImportFailed, match=f"{name} holds .*{words}"):
        imported(tmp_path / "w.pth", "resnet8")


def test_a_file_without_head_needs_to_be_announced(state, tmp_path):
    whole, body = tmp_path / "w.pth", tmp_path / "b.pth"
    torch.save(state, whole)
    torch.save({k: v for k, v in state.items() if not k.startswith("linear")}, body)
    with pytest.raises(ImportFailed, match="has no head .*--headless imports the rest"):
        imported(body, "resnet8")
    with pytest.raises(ImportFailed, match="has a head, linear"):
        imported(whole, "resnet8", headless=True)
    model, manifest = imported(body, "resnet8", headless=True)
    assert manifest.data["imported"]["head"] == "zeros"
    assert not np.array(model.get_layer("logits").kernel).any()


# -- the way back


def test_round_trip_is_bit_equal_and_loads_in_torch(tmp_path):
    net = oracles.torchvision_like((2, 2, 2, 2))
    model, manifest = imported(saved(net, tmp_path / "w.pth"), "resnet18")
    assemble.save(model, manifest, tmp_path / "run")
    model, manifest = archive.load(tmp_path / "run")
    torch_layout.save(model, manifest.network, tmp_path / "back.safetensors")

    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(tmp_path / "back.safetensors", "pt") as file:
        back = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        mean = [float(x) for x in file.metadata()["pixel_mean"].split(",")]
    np.testing.assert_allclose(mean, [123.675, 116.28, 103.53], rtol=1e-6)
    before = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert back.keys() == before.keys()
    for name, tensor in before.items():
        assert tensor.numpy().tobytes() == back[name].numpy().tobytes(), name
    images = oracles.pixels()
    wanted = oracles.torch_logits(net, images)
    oracles.randomise(net, seed=5)
    net.load_state_dict(back)  # strict: nothing missing, nothing unexpected
    np.testing.assert_array_equal(oracles.torch_logits(net, images), wanted)


def test_a_network_that_torchvision_lacks_is_not_exported():
    import zoo

    for network, words in (
        (zoo.Network("resnet50", 10, None, "B"), "stride 1x1, there 3x3"),
        (zoo.Network("resnet18", 10, None, "A"), "shortcut A, there B"),
        (zoo.Network("resnet20", 10, None, "C"), "shortcut C, there B"),
        (zoo.Network("plain20", 10, None, None), "plain20 has no shortcuts"),
        (zoo.Network("resnet18", 10, None, "B", width=0.5), "width 0.5, there 1"),
        (zoo.Network("resnet18", 10, None, "B", hidden=32), "a hidden layer of 32 units"),
        (zoo.Network("resnet18", 10, None, "B", bn_epsilon=1e-3), "bn_epsilon 0.001"),
    ):
        with pytest.raises(ImportFailed, match=words):
            torch_layout.state_dict(None, network)


@pytest.mark.parametrize("zeros", ["end", "split"])
def test_a_cifar_net_of_ours_computes_the_same_in_torch(zeros):
    import zoo

    network = zoo.Network("resnet14", 10, None, "A", zeros=zeros)
    model, rng = zoo.build_network(network), np.random.default_rng(0)
    model.set_weights([rng.uniform(0.2, 1, w.shape) * 0.1 for w in model.get_weights()])
    pixels = model.get_layer("pixels")
    pixels.set_weights([np.zeros((1, 1, 3)), np.full(3, 1 / 255)])
    net = oracles.common_cifar(2)
    state = {k: torch.tensor(v) for k, v in torch_layout.state_dict(model, network).items()}
    left = net.load_state_dict(state, strict=False)
    assert not left.unexpected_keys and all("num_batches" in x for x in left.missing_keys)
    images = oracles.pixels(32)
    wanted = oracles.torch_logits(net, images, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE


def test_the_missing_directory_is_named(tmp_path):
    flags = [f"--run_dir={tmp_path}", f"--file={tmp_path}/no/such/out.safetensors"]
    done = programs.run("zoo.importers.to_torch", *flags)
    assert done.returncode == 2 and f"the directory {tmp_path}/no/such is missing" in done.stderr


def test_command_imports_a_file(state, tmp_path):
    torch.save(state, tmp_path / "w.th")

    def run(*flags):
        return programs.run("zoo.importers", "--source=torch", *flags)

    out = tmp_path / "run"
    done = run(f"--file={tmp_path}/w.th", "--model=resnet8", f"--output_dir={out}")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"{out}: resnet8, 10 classes, from w.th (common CIFAR layout)")
    _, manifest = archive.load(out)
    assert manifest.network.zeros == "split"
    misused = run("--model=resnet8")
    assert (misused.returncode, misused.stderr) == (2, "zoo.importers: missing --file\n")


def test_a_trained_run_is_not_overwritten(state, tmp_path):
    torch.save(state, tmp_path / "w.th")
    model, manifest = imported(tmp_path / "w.th", "resnet8")
    assemble.save(model, manifest, tmp_path / "run")
    assemble.save(model, manifest, tmp_path / "run")  # the same import again
    archive.save(model, dataclasses.replace(manifest, data={}), tmp_path / "run")
    with pytest.raises(ImportFailed, match="holds a trained network: give another --output_dir"):
        assemble.save(model, manifest, tmp_path / "run")


@pytest.mark.slow
def test_command_writes_torchvisions_layout(tmp_path):
    net = oracles.torchvision_like((2, 2, 2, 2))
    model, manifest = imported(saved(net, tmp_path / "w.pth"), "resnet18")
    assemble.save(model, manifest, tmp_path / "run")
    flags = [f"--run_dir={tmp_path}/run", f"--file={tmp_path}/out.safetensors"]
    done = programs.run("zoo.importers.to_torch", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path}/out.safetensors: resnet18 for torchvision\n"
    again, _ = imported(tmp_path / "out.safetensors", "resnet18")
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    flags = ["--source=torch", f"--file={tmp_path}/w.pth", "--model=resnet34"]
    wrong = programs.run("zoo.importers", *flags, f"--output_dir={tmp_path}/no")
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1
    assert "is not resnet34; it looks like resnet18 in the torchvision layout" in wrong.stderr
