"""ONNX files as a source: logits as of onnxruntime on the same file."""

import dataclasses

import export_networks
import importers_oracles as oracles
import numpy as np
import pytest

import zoo
from export import formats
from export.classifier import Classifier
from zoo.importers import ImportFailed, assemble, onnx_graph
from zoo.preprocess import InputContract

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
QUIET = pytest.mark.filterwarnings(
    "ignore:You are using the legacy TorchScript",
    "ignore:Constant folding",
    "ignore::DeprecationWarning",
)
pytestmark = QUIET


def exported(net, path, size=32, **how):
    torch.onnx.export(net, torch.zeros(1, 3, size, size), str(path), dynamo=False, **how)
    return path


def theirs(path, pixels, prepare=True):
    session = onnxruntime.InferenceSession(str(path))
    images = (pixels / 255 - MEAN) / STD if prepare else pixels
    inputs = np.ascontiguousarray(images.transpose(0, 3, 1, 2), "f4") if prepare else images
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: x[None]})[0] for x in inputs])


def imported(path, model, **more):
    more = {"mean": tuple(map(float, MEAN)), "std": tuple(map(float, STD))} | more
    return assemble.load(assemble.Request("onnx", str(path), model, **more))


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("option", ["A", "B"])
def test_cifar_nets_give_the_same_logits(option, folded, tmp_path):
    """Folded: the normalisations have gone into the kernels, and only biases are left."""
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    how = {"training": mode, "do_constant_folding": folded}
    path = exported(oracles.common_cifar(1, option=option), tmp_path / "w.onnx", **how)
    model, manifest = imported(path, "resnet8")
    pixels = oracles.pixels(32)
    assert oracles.difference(oracles.ours(model, pixels), theirs(path, pixels)) < 1e-5
    assert manifest.network.shortcut == option
    assert manifest.network.zeros == ("split" if option == "A" else "end")


def test_an_imagenet_net_gives_the_same_logits(tmp_path):
    path = exported(oracles.torchvision_like((2, 2, 2, 2)), tmp_path / "w.onnx", 64)
    model, manifest = imported(path, "resnet18")
    pixels = oracles.pixels()
    assert oracles.difference(oracles.ours(model, pixels), theirs(path, pixels)) < 1e-5
    assert (manifest.network.pool_pad, manifest.network.num_classes) == ("both", 12)
    with pytest.raises(ImportFailed, match="is not resnet34"):
        imported(path, "resnet34")


@pytest.mark.parametrize(("name", "size"), [("resnet8", 32), ("resnet18", 64)])
def test_what_our_own_exporter_writes_comes_back(name, size, tmp_path):
    """Pads that stand apart, of option A and of the max pool, and the mean in the graph."""
    spec = zoo.find(name)
    network = zoo.Network(name, 5, size, spec.shortcut, width=0.25)
    model = export_networks.randomised(zoo.build_network(network))
    model.get_layer("pixels").set_weights([np.full((1, 1, 3), 110.0), np.array([1, 2, 3]) / 100])
    source = Classifier(model, InputContract(size, size), tuple("abcde"))
    formats.find("onnx").write(source, tmp_path, None)
    back, manifest = assemble.load(assemble.Request("onnx", str(tmp_path / "model.onnx"), name))
    pixels = oracles.pixels(size)
    assert oracles.difference(oracles.ours(back, pixels), oracles.ours(model, pixels)) < 1e-5
    assert dataclasses.replace(manifest.network, image_size=size) == network


@pytest.mark.parametrize("between", [torch.nn.ReLU, torch.nn.Tanh, torch.nn.Identity])
def test_a_head_of_two_layers_with_a_relu(between, tmp_path):
    net, nn = oracles.common_cifar(1), torch.nn
    net.linear = nn.Sequential(nn.Linear(64, 32), between(), nn.Dropout(), nn.Linear(32, 5))
    path = exported(oracles.randomise(net), tmp_path / "w.onnx")
    if between is not torch.nn.ReLU:
        with pytest.raises(ImportFailed, match="has 2 dense layers, expected one, or a ReLU"):
            imported(path, "resnet8")
        return
    model, manifest = imported(path, "resnet8")
    pixels = oracles.pixels(32)
    assert oracles.difference(oracles.ours(model, pixels), theirs(path, pixels)) < 1e-5
    assert manifest.network.hidden == 32


def test_a_bottlenecks_stride_is_read_off_the_graph(tmp_path):
    net = oracles.torchvision_like((1, 1, 1, 1), bottleneck=True)
    arrays = onnx_graph.read_onnx(exported(net, tmp_path / "w.onnx", 64))
    assert arrays.traits["stride"] == "3x3"
    assert arrays["block1.conv0.weight"].shape == (256, 64, 1, 1)
    assert arrays["block1.conv3.weight"].shape == (256, 64, 1, 1)  # told apart by its place alone
    kernel = net.layer1[0].downsample[0].weight.detach().numpy()
    scale = net.layer1[0].downsample[1]
    factor = (scale.weight / torch.sqrt(scale.running_var + 1e-5)).detach().numpy()
    product = arrays["block1.conv0.weight"] * arrays["block1.norm0.weight"][:, None, None, None]
    np.testing.assert_allclose(product, kernel * factor[:, None, None, None], rtol=1e-5)


def test_another_network_is_refused_by_what_it_has(tmp_path):
    net = oracles.common_cifar(1)
    path = exported(net, tmp_path / "w.onnx")
    model = onnx.load(str(path))
    changes = {
        "Relu": ("HardSwish", "has a HardSwish where a residual net has none"),
        "GlobalAveragePool": ("GlobalMaxPool", "has a GlobalMaxPool"),
        "ReduceMean": ("ReduceMax", "has a ReduceMax"),
    }
    for node in model.graph.node:
        if node.op_type in changes:
            kind, (other, words) = node.op_type, changes.pop(node.op_type)
            node.op_type = other
            onnx.save(model, tmp_path / "other.onnx")
            with pytest.raises(ImportFailed, match=words):
                imported(tmp_path / "other.onnx", "resnet8")
            node.op_type = kind
    assert "Relu" not in changes and len(changes) == 1
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "pads" and list(attribute.ints) == [1, 1, 1, 1]:
                attribute.ints[:] = [0, 0, 1, 1]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ImportFailed, match=r"pads by \[0, 0, 1, 1\], ours by 1 on each side"):
        imported(tmp_path / "other.onnx", "resnet8")


def test_weights_elsewhere_and_other_files_are_refused(tmp_path):
    path = exported(oracles.common_cifar(1), tmp_path / "w.onnx")
    onnx.save_model(
        onnx.load(str(path)), tmp_path / "out.onnx", save_as_external_data=True,
        location="secret.bin", size_threshold=0,
    )  # fmt: skip
    with pytest.raises(ImportFailed, match="keeps its weights in another file"):
        imported(tmp_path / "out.onnx", "resnet8")
    for size in (100, 5000):
        (tmp_path / "cut.onnx").write_bytes(path.read_bytes()[:size])
        with pytest.raises(ImportFailed, match="cut.onnx"):
            imported(tmp_path / "cut.onnx", "resnet8")
