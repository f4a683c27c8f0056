"""Places, names, labels, image preparation and the new traits of a Network."""

import dataclasses
import math
import pathlib
import re

import numpy as np
import pytest

import zoo
from zoo import importers, preprocess
from zoo.importers import evaluations, labels
from zoo.importers.layouts import KERAS_APPLICATIONS, SOURCES, targets
from zoo.importers.recognize import looks_like
from zoo.places import features, places
from zoo.preprocess import InputContract
from zoo.specs import Network, find

SOURCES_MD = pathlib.Path(importers.__file__).with_name("sources.md")


@pytest.mark.parametrize(
    ("name", "shortcut"),
    [("resnet8", "A"), ("resnet14", "B"), ("resnet8", "C"), ("plain8", None), ("resnet18", "B"),
     ("resnet18", "C"), ("resnet50", "B")],
)  # fmt: skip
def test_places_are_those_of_the_built_network(name, shortcut):
    network = Network(name, 5, None, shortcut)
    expected = {
        (target.layer, target.variable): target.shape
        for target in targets(KERAS_APPLICATIONS, network).values()
        if target.required
    }
    built = {
        (layer.name, variable.name): tuple(variable.shape)
        for layer in zoo.build_network(network).layers
        for variable in layer.weights
        if layer.name != "pixels"
    }
    assert expected == built


# Parameters of torchvision's released weights, from its documentation.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032),
     ("resnet101", 44_549_160), ("resnet152", 60_192_808)],
)  # fmt: skip
def test_places_have_the_published_size(name, parameters):
    network = Network(name, 1000, None, "B")
    convolutions = sum(p.kernel**2 * p.inputs * p.filters + 2 * p.filters for p in places(network))
    assert convolutions + features(network) * 1000 + 1000 == parameters


def test_every_file_is_recognised_by_its_names_and_shapes():
    for name in ("resnet18", "resnet50", "resnet152", "resnet20", "resnet110", "resnet1202"):
        network = Network(name, 7, None, find(name).shortcut)
        for layout in (layout for layouts in SOURCES.values() for layout in layouts):
            arrays = {}
            for key, target in targets(layout, network).items():
                if target.required:
                    order = np.argsort(target.axes or range(len(target.shape)))
                    arrays[key] = np.broadcast_to(0.0, [target.shape[i] for i in order])
            assert looks_like(arrays) == f"{name} in the {layout.name} layout"
    arrays["extra"] = np.zeros((1, 1, 1, 1))
    assert looks_like(arrays) == "no network of ours (1202 convolutions)"


def test_a_wide_network_has_the_names_and_not_the_widths():
    layout = SOURCES["torch"][0]
    network = Network("resnet50", 7, None, "B")
    arrays = {}
    for key, target in targets(layout, network).items():
        if target.required:
            double = [2 * side if side > 63 else side for side in reversed(target.shape)]
            arrays[key] = np.broadcast_to(0.0, double)
    assert looks_like(arrays).endswith("of other widths: a wide ResNet or a ResNeXt")


# -- traits


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"bn_epsilon": 0.0}, r"bn_epsilon: expected a number in \(0, 1\), got 0.0"),
        ({"pool_pad": "begin"}, "unknown pool_pad 'begin': expected one of both, end"),
        ({"zeros": "before"}, "unknown zeros 'before': expected one of end, split"),
    ],
)
def test_wrong_traits_are_answered_with_the_known(traits, words):
    with pytest.raises(ValueError, match=words):
        Network("resnet20", 10, None, "A", **traits)


def test_traits_default_to_the_paper_and_reach_the_layers():
    network = Network("resnet8", 10, 32, "A")
    assert (network.bn_epsilon, network.pool_pad, network.zeros) == (1e-5, "both", "end")
    model = zoo.build_network(dataclasses.replace(network, bn_epsilon=1e-3, zeros="split"))
    epsilons = {x.epsilon for x in model.layers if x.name.endswith("_bn")}
    assert epsilons == {1e-3}
    assert model.get_layer("conv3_block1_0_identity").zeros == "split"


# -- image preparation


def test_torch_rounding_is_torchvisions():
    contract = InputContract(224, 256, rounding="torch")
    rng = np.random.default_rng(0)
    sizes = [(375, 500), (500, 375), (333, 500), (480, 320), (257, 256), (256, 259), (1, 3)]
    sizes += [tuple(int(x) for x in rng.integers(50, 1500, 2)) for _ in range(200)]
    odd = 0
    for height, width in sizes:
        short, long = sorted((height, width))
        resized = int(256 * long / short)  # torchvision.transforms.functional, resize
        wanted = (256, resized) if height <= width else (resized, 256)
        got = preprocess.scaled_size(np.array((height, width), "int32"), 256, "torch")
        assert tuple(got.numpy()) == wanted, (height, width)
        # ... and center_crop
        corner = tuple(int(round((side - 224) / 2.0)) for side in wanted)
        assert tuple(preprocess.corner(got, 224, contract.rounding).numpy()) == corner
        odd += corner != tuple((side - 224) // 2 for side in wanted)
    assert odd > 20  # half of the odd margins: it does differ from cutting off


def test_torch_rounding_crops_the_picture_of_pil():
    image_module = pytest.importorskip("PIL.Image")
    image = np.kron(np.random.default_rng(0).integers(0, 256, (9, 14, 3)), np.ones((7, 7, 1)))
    image = image[:61, :94].astype("uint8")
    wide = int(40 * 94 / 61)
    resized = image_module.fromarray(image).resize((wide, 40), image_module.Resampling.BILINEAR)
    left, top = int(round((wide - 29) / 2.0)), int(round((40 - 29) / 2.0))
    wanted = np.asarray(resized, "float32")[top : top + 29, left : left + 29]
    got = preprocess.resize_crop(image, InputContract(29, 40, rounding="torch"))
    assert np.abs(got - wanted).max() <= 1.01  # PIL rounds to whole levels, twice
    other = preprocess.resize_crop(image, InputContract(29, 40))
    assert np.abs(other - wanted).max() > 10


def test_wrong_rounding_is_answered_with_the_known():
    with pytest.raises(ValueError, match="rounding: expected one of .*nearest.*torch"):
        InputContract(24, 32, rounding="up")


def test_evaluations_are_as_published():
    rows = evaluations.EVALUATIONS
    # timm: crop_pct 0.95 at 224; torchvision: 256 and 232 to 224; all from their documentation.
    assert rows["timm_224"].input.resize_px == math.floor(224 / 0.95)
    assert rows["torchvision_v2"].input.resize_px == 232
    np.testing.assert_allclose(rows["torchvision_v1"].mean, [123.675, 116.28, 103.53])
    np.testing.assert_allclose(rows["torchvision_v1"].scale, [1 / 58.395, 1 / 57.12, 1 / 57.375])
    assert rows["timm_256"].input == rows["hugging_face"].input  # crop_pct 0.875 in both
    assert rows["keras_applications"].mean == (123.68, 116.779, 103.939)
    assert rows["keras_applications"].scale == rows["caffe"].scale == (1, 1, 1)
    for layouts in SOURCES.values():
        for layout in layouts:
            for name in ("resnet50", "resnet20"):
                network = Network(name, 100, None, "B")
                assert evaluations.default(layout, network) in rows


def test_every_evaluation_has_its_sources():
    text = SOURCES_MD.read_text(encoding="utf-8")
    for name in evaluations.EVALUATIONS:
        assert f"`{name}`" in text, name
    for command in re.findall(r"--evaluation=(\w+)", text):
        assert command in evaluations.EVALUATIONS


# -- class names


def test_imagenet_names_are_the_synsets_in_order():
    names = labels.class_names("imagenet", 1000)
    assert list(names) == sorted(names)
    assert (names[0], names[207], names[999]) == ("n01440764", "n02099601", "n15075141")
    assert labels.class_names("imagenet", 3) == ("0", "1", "2")
    assert labels.class_names("cifar100", 2) == ("0", "1")
    assert labels.class_names("cifar10", 10)[3] == "cat"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "tench\n\ngoldfish\n"),
        ("a.json", '["tench", "goldfish"]'),
        ("a.json", '{"0": "tench", "1": "goldfish"}'),
        ("a.json", '{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench"]}'),
        ("config.json", '{"depths": [3], "id2label": {"0": "tench", "1": "goldfish"}}'),
    ],
)
def test_names_from_a_file(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    assert labels.class_names("imagenet", 2, tmp_path / name) == ("tench", "goldfish")
    with pytest.raises(importers.ImportFailed, match="has 2 names, the network 3 classes"):
        labels.class_names("imagenet", 3, tmp_path / name)


def test_a_bad_names_file_is_one_sentence(tmp_path):
    for text in ('{"a": "tench"}', "3", "[", '{"id2label": 3}'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(importers.ImportFailed, match="expected a JSON list"):
            labels.read(tmp_path / "a.json")
