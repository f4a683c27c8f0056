"""Every network of the paper, against numbers from outside."""

import dataclasses
import json

import keras
import numpy as np
import published
import pytest
from keras.ops import convert_to_numpy as convert

import zoo
from zoo import catalogue, complexity


@pytest.mark.parametrize("name, shortcut, stride", published.IMAGENET)
def test_imagenet_nets_have_the_published_size(name, shortcut, stride):
    parameters, gmacs = published.IMAGENET[name, shortcut, stride]
    model = zoo.build(name, shortcut=shortcut, stride=stride, image_size=224)
    assert complexity.parameters(model) == parameters
    assert round(complexity.multiply_adds(model) / 1e9, 3) == gmacs


@pytest.mark.parametrize("depth", [d for d in published.CIFAR if d < 1202])
@pytest.mark.parametrize("kind", ["resnet", "plain"])
def test_cifar_nets_have_the_published_size(kind, depth):
    parameters, mmacs = published.CIFAR[depth]
    model = zoo.build(f"{kind}{depth}", image_size=32)
    assert complexity.parameters(model) == parameters
    assert round(complexity.multiply_adds(model) / 1e6, 1) == mmacs
    assert zoo.find(f"{kind}{depth}").layers == depth


@pytest.mark.parametrize("name", published.MOVING_STATISTICS)
def test_moving_statistics_are_the_rest_of_keras_count(name):
    model = zoo.build(name)
    normalisation = 3 + 3  # the mean and scale of the first layer
    rest = model.count_params() - complexity.parameters(model) - normalisation
    assert rest == published.MOVING_STATISTICS[name]


@pytest.mark.parametrize("name, shortcut", published.PROJECTIONS)
def test_projections_stand_where_the_paper_draws_them(name, shortcut):
    model = zoo.build(name, shortcut=shortcut)
    projections = [x.name for x in model.layers if x.name.endswith("_0_conv")]
    assert len(projections) == published.PROJECTIONS[name, shortcut]
    if (name, shortcut) == ("resnet34", "B"):  # the dotted shortcuts of Fig. 3
        assert projections == [f"conv{stage}_block1_0_conv" for stage in (3, 4, 5)]
    if (name, shortcut) == ("resnet50", "B"):  # 64 -> 256 channels in conv2_x needs one too
        assert projections == [f"conv{stage}_block1_0_conv" for stage in (2, 3, 4, 5)]


def test_plain_net_has_no_shortcut():
    model = zoo.build("plain34")
    assert not [x for x in model.layers if isinstance(x, keras.layers.Add)]
    with pytest.raises(ValueError, match="plain34 has no shortcuts"):
        zoo.build("plain34", shortcut="A")


@pytest.mark.parametrize(
    "name, size, expected",
    [
        ("resnet34", 224, [(112, 64), (56, 64), (28, 128), (14, 256), (7, 512)]),  # Table 1
        ("resnet50", 224, [(112, 64), (56, 256), (28, 512), (14, 1024), (7, 2048)]),
        ("resnet20", 32, [(32, 16), (32, 16), (16, 32), (8, 64)]),  # Sec. 4.2
        ("resnet50", 225, [(113, 64), (57, 256), (29, 512), (15, 1024), (8, 2048)]),
    ],
)
def test_every_stage_has_the_papers_shape(name, size, expected):
    spec = zoo.find(name)
    maps = zoo.features(zoo.build(name, image_size=size)).output
    stages = [f"conv{i}" for i in range(1, len(expected) + 1)]
    assert [(maps[s].shape[1], maps[s].shape[3]) for s in stages] == expected
    assert maps["pool"].shape == (None, expected[-1][1])
    assert maps["logits"].shape == (None, spec.num_classes)


def test_features_share_weights_and_take_layer_names():
    model = zoo.build("resnet8", image_size=16)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype("float32")
    maps = zoo.features(model, ["pool", "logits", "conv3_block1_1_bn"])(pixels)
    assert set(maps) == {"pool", "logits", "conv3_block1_1_bn"}
    np.testing.assert_array_equal(maps["logits"], model(pixels))
    by_hand = maps["pool"] @ model.get_layer("logits").kernel.value
    np.testing.assert_allclose(maps["logits"], by_hand, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="unknown feature 'conv9': expected one of conv1, conv2"):
        zoo.features(model, ["conv9"])


def test_one_name_gives_a_dict_of_one_key():
    model = zoo.build("resnet8", image_size=16)
    maps = zoo.features(model, "conv3").output
    assert {name: tensor.shape for name, tensor in maps.items()} == {"conv3": (None, 8, 8, 32)}
    with pytest.raises(ValueError, match="unknown feature 'conv9': expected one of conv1, conv2"):
        zoo.features(model, "conv9")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_logits_are_float32_under_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = zoo.build("resnet8", image_size=8)
    finally:
        keras.config.set_dtype_policy(before)
    logits = model(np.full((1, 8, 8, 3), 255, np.uint8))
    assert logits.dtype == "float32"
    assert model.get_layer("conv2_block1_1_conv").compute_dtype == policy.removeprefix("mixed_")


def kernel_of_ones(model, name):
    layer = model.get_layer(name)
    layer.kernel.assign(np.ones(layer.kernel.shape))


@pytest.mark.parametrize("row, seen_by", [(0, [0, 1]), (1, [0, 1, 2]), (15, [6, 7])])
def test_stem_pads_both_sides_alike(row, seen_by):
    """One bright pixel: output y of a 7x7/2 padded by 3 sees rows 2y-3 ... 2y+3.

    TensorFlow's "same" would pad 2 before and 3 behind: rows 2y-2 ... 2y+4.
    """
    model = zoo.build("resnet18", image_size=16)
    kernel_of_ones(model, "conv1_conv")
    model.get_layer("pixels").mean.assign(np.zeros((1, 1, 3)))
    pixels = np.zeros((1, 16, 16, 3), "float32")
    pixels[0, row, row] = 1
    response = zoo.features(model, ["conv1_conv"])(pixels)["conv1_conv"][0, :, :, 0]
    assert sorted(set(np.nonzero(response)[0])) == seen_by


@pytest.mark.parametrize("row, seen_by", [(0, [0]), (1, [0, 1]), (2, [1]), (7, [3])])
def test_strided_3x3_pads_both_sides_alike(row, seen_by):
    """One bright pixel: output y sees rows 2y-1 ... 2y+1; "same" would give 2y ... 2y+2."""
    model = zoo.build("resnet8", image_size=8)
    inner = keras.Model(
        model.get_layer("conv2_block1_out").output,
        model.get_layer("conv3_block1_1_conv").output,
    )
    kernel_of_ones(model, "conv3_block1_1_conv")
    maps = np.zeros((1, 8, 8, 16), "float32")
    maps[0, row, row] = 1
    assert sorted(set(np.nonzero(inner(maps)[0, :, :, 0])[0])) == seen_by


def test_1x1_stride_of_v1_and_3x3_of_v15():
    strides = {}
    for stride in ("1x1", "3x3"):
        model = zoo.build("resnet50", stride=stride)
        names = [f"conv3_block1_{i}_conv" for i in (1, 2, 3)]
        strides[stride] = [model.get_layer(n).strides[0] for n in names]
    assert strides == {"1x1": [2, 1, 1], "3x3": [1, 2, 1]}


def test_first_layers_are_initialised_as_he_et_al():
    """std = sqrt(2 / fan_in), and tails: Keras' own he_normal has none beyond 2.3 std."""
    keras.utils.set_random_seed(0)
    kernel = convert(zoo.build("resnet50").get_layer("conv4_block1_2_conv").kernel)
    std = np.sqrt(2 / (9 * 256))
    assert kernel.std() == pytest.approx(std, rel=0.01)  # 590k samples: 0.1 % expected
    assert np.abs(kernel).max() > 3.5 * std


@pytest.mark.parametrize("floatx", ["float16", "bfloat16"])
def test_pixels_are_not_rounded_to_keras_own_default_type(floatx):
    before = keras.config.floatx()
    keras.config.set_floatx(floatx)
    try:
        pixels = zoo.build("resnet8", image_size=8).input
    finally:
        keras.config.set_floatx(before)
    assert pixels.dtype == "float32"


@pytest.mark.parametrize(
    "name", ["resnet19", "resnet8x", "plain152", "resnet2", "", "ResNet50", None, 50, ["resnet50"]]
)
def test_unknown_name_lists_the_known(name):
    with pytest.raises(ValueError, match="unknown network .*plain18.*resnet152.*6n"):
        zoo.build(name)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"shortcut": "D"}, "unknown shortcut 'D': expected one of A, B, C"),
        ({"shortcut": ["A"]}, r"unknown shortcut \['A'\]: expected one of A, B, C"),
        ({"stride": "2x2"}, "unknown stride '2x2': expected one of 1x1, 3x3"),
        ({"stride": 2}, "unknown stride 2: expected one of 1x1, 3x3"),
        ({"zeros": np.zeros(2)}, r"unknown zeros array.*: expected one of end, split"),
        ({"pool_pad": None}, "unknown pool_pad None: expected one of both, end"),
        ({"batch_norm": "frozen"}, "unknown batch_norm 'frozen': expected one of replica"),
        ({"num_classes": 0}, "num_classes: expected a whole number of at least 1, got 0"),
        ({"num_classes": -1}, "num_classes: expected a whole number of at least 1, got -1"),
        ({"num_classes": True}, "num_classes: expected a whole number of at least 1, got True"),
        ({"num_classes": np.True_}, "num_classes: expected a whole number .* got np.True_"),
        ({"num_classes": 5.0}, r"num_classes: expected a whole number of at least 1, got 5\.0"),
        ({"num_classes": "10"}, "num_classes: expected a whole number of at least 1, got '10'"),
        ({"image_size": 8.5}, r"image_size: expected a whole number of at least 1, got 8\.5"),
        ({"image_size": np.int64(0)}, "image_size: expected a whole number .* got np.int64"),
        ({"image_size": (8, 8, 8)}, r"image_size: expected a whole number .* got \(8, 8, 8\)"),
        ({"mean": "pixel"}, "a per-pixel mean needs an image_size"),
        ({"mean": 127.5}, r"unknown mean 127\.5: expected one of channel, pixel"),
        ({"bn_epsilon": "1e-5"}, r"bn_epsilon: expected a number in \(0, 1\), got '1e-5'"),
        ({"bn_epsilon": None}, r"bn_epsilon: expected a number in \(0, 1\), got None"),
        ({"bn_epsilon": float("nan")}, r"bn_epsilon: expected a number in \(0, 1\), got nan"),
        ({"bn_epsilon": 1}, r"bn_epsilon: expected a number in \(0, 1\), got 1"),
        (
            {"depth": 2, "classes": 5},
            "unknown argument classes, depth: expected one of num_classes, image_size, shortcut, "
            "stride, batch_norm, mean, bn_epsilon, pool_pad, zeros, width",
        ),
    ],
)
def test_bad_arguments_are_answered_with_the_known(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        zoo.build("resnet20", **arguments)


@pytest.mark.parametrize("integer", [np.int64, np.int32, np.uint8])
def test_numbers_may_be_numpys_and_become_pythons(integer):
    model = zoo.build("resnet8", num_classes=integer(5), image_size=integer(8))
    assert model.input.shape == (None, 8, 8, 3)
    assert model.output.shape == (None, 5)
    given = zoo.Network("resnet8", integer(5), integer(8), "A", bn_epsilon=np.float32(0.125))
    plain = zoo.Network("resnet8", 5, 8, "A", bn_epsilon=0.125)
    assert given == plain
    assert json.dumps(dataclasses.asdict(given)) == json.dumps(dataclasses.asdict(plain))


def test_other_depths_of_the_family():
    assert zoo.find("resnet8").layers == 8
    assert zoo.find("plain14").depths == (2, 2, 2)
    assert zoo.find("resnet50").stem == "imagenet"  # 50 = 6 * 8 + 2 too: Table 1 keeps the name


def test_multiply_adds_need_an_image_size():
    with pytest.raises(ValueError, match="expected a model built with image_size="):
        complexity.multiply_adds(zoo.build("resnet20"))


@pytest.mark.exhaustive
def test_resnet1202_builds_and_leaves_the_recursion_limit_alone():
    """Trained, saved and loaded it is in test_trainers_every_network.py, if -m exhaustive."""
    import sys

    limit = sys.getrecursionlimit()
    model = zoo.build("resnet1202", image_size=8)
    assert sys.getrecursionlimit() == limit
    assert complexity.parameters(model) == published.CIFAR[1202][0]


def test_half_the_width_is_a_quarter_of_the_inner_kernels():
    """Yahoo's ResNet-50 "1by2": filters 32, 64, 128, 256 in its published prototxt, two classes."""
    network = zoo.Network("resnet50", 2, None, "B", width=0.5)
    assert network.spec.filters == (32, 64, 128, 256)
    kernels = {
        x.name: x.kernel.shape for x in zoo.build_network(network).layers if hasattr(x, "kernel")
    }
    assert kernels["conv1_conv"] == (7, 7, 3, 32)
    assert kernels["conv5_block3_3_conv"] == (1, 1, 256, 1024)
    assert kernels["logits"] == (1024, 2)


def test_what_no_table_prints_has_no_printed_count():
    """Footnote 4's plain bottlenecks are no column of Table 1, whose 50 layers have projections."""
    assert catalogue.row(zoo.find("plain50"))["paper_multiply_adds_1e9"] is None
    assert catalogue.row(zoo.find("plain18"))["paper_multiply_adds_1e9"] == 1.8
