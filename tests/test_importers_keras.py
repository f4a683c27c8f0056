"""keras.applications' files in each of Keras' formats: logits as of the source on RGB pixels."""

import dataclasses

import h5py
import importers_oracles as oracles
import keras
import numpy as np
import pytest

from zoo.importers import ImportFailed, assemble, fit, hdf5, reading
from zoo.importers.layouts import KERAS_APPLICATIONS

NAMES = {50: "ResNet50", 101: "ResNet101", 152: "ResNet152"}
VARIABLES = {"gamma": "gamma", "beta": "beta", "moving_mean": "mean", "moving_variance": "variance"}


def source(depth=50, **how):
    """The library's own network with drawn weights, biases of convolutions included."""
    how = {"classes": 12, "classifier_activation": None, "input_shape": (64, 64, 3), **how}
    net = getattr(keras.applications, NAMES[depth])(weights=None, **how)
    rng = np.random.default_rng(depth)
    for layer in net.layers:
        for variable in layer.weights:
            shape, name = tuple(variable.shape), variable.name
            if isinstance(layer, keras.layers.Dense):
                array = oracles.draw(rng, "head", shape)
            elif name == "kernel":
                array = oracles.draw(rng, "kernel", shape, np.prod(shape[:3]))
            else:
                array = oracles.draw(rng, VARIABLES.get(name, "mean"), shape)
            variable.assign(array)
    return net


def theirs(net, images):
    """With the library's own preprocessing: BGR, Caffe's mean."""
    prepared = keras.applications.resnet.preprocess_input(images.copy())
    return np.array(net(prepared, training=False))


def imported(path, model="resnet50", **more):
    return assemble.load(assemble.Request("keras_applications", str(path), model, **more))


@pytest.fixture(scope="module")
def net():
    return source()


@pytest.fixture(scope="module")
def path(net, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "resnet50.keras"
    net.save(path)
    return path


def test_logits_of_50_are_the_same(net, path):
    model, manifest = imported(path)
    images = oracles.pixels()
    wanted = theirs(net, images)
    assert oracles.difference(oracles.ours(model, images), wanted) < oracles.TOLERANCE
    for wrong in ({"bn_epsilon": 1e-5}, {"stride": "3x3"}, {"pool_pad": "end"}):
        other = oracles.mutant(model, dataclasses.replace(manifest.network, **wrong))
        assert oracles.difference(oracles.ours(other, images), wanted) > oracles.MISTAKE, wrong
    flipped = oracles.ours(model, images[..., ::-1])
    assert oracles.difference(flipped, wanted) > oracles.MISTAKE
    model.get_layer("pixels").mean.assign_add(np.full((1, 1, 3), 1.0))
    assert oracles.difference(oracles.ours(model, images), wanted) > oracles.MISTAKE


@pytest.mark.exhaustive
@pytest.mark.parametrize("depth", [101, 152])
def test_logits_of_101_and_152_are_the_same(depth, tmp_path):
    net = source(depth)
    net.save(tmp_path / "w.keras")
    model, _ = imported(tmp_path / "w.keras", f"resnet{depth}")
    images = oracles.pixels()
    got, wanted = oracles.ours(model, images), theirs(net, images)
    assert oracles.difference(got, wanted) < oracles.TOLERANCE


def write_like_keras_2(net, path):
    """The form of the published files: attributes list layers and weights, names end in :0."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in net.layers]
        for layer in net.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, variable in zip(names, layer.weights, strict=True):
                group[name] = np.array(variable)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_each_format_reads_the_same_arrays(net, path, tmp_path):
    wanted = reading.read(path, "keras_applications")
    assert len(wanted) == 320  # 53 convolutions with bias, 53 normalisations, one head
    for layer in ("conv1_conv", "conv3_block1_0_conv", "predictions"):
        np.testing.assert_array_equal(wanted[f"{layer}/bias"], net.get_layer(layer).bias)
    np.testing.assert_array_equal(
        wanted["conv4_block6_2_bn/moving_variance"],
        net.get_layer("conv4_block6_2_bn").moving_variance,
    )
    net.save(tmp_path / "whole.h5")
    net.save_weights(tmp_path / "w.weights.h5")
    write_like_keras_2(net, tmp_path / "published.h5")
    for name in ("whole.h5", "w.weights.h5", "published.h5"):
        arrays = reading.read(tmp_path / name, "keras_applications")
        assert arrays.keys() == wanted.keys(), name
        assert all(np.array_equal(arrays[x], wanted[x]) for x in wanted), name


def test_without_top_the_features_are_the_same(net, path, tmp_path):
    import zoo

    body = keras.Model(net.input, net.get_layer("avg_pool").output)
    body.save_weights(tmp_path / "notop.weights.h5")
    with pytest.raises(ImportFailed, match=r"has no head \(predictions/bias, predictions/kernel\)"):
        imported(tmp_path / "notop.weights.h5")
    model, manifest = imported(tmp_path / "notop.weights.h5", headless=True)
    assert manifest.network.num_classes == 1000
    assert manifest.class_names[:2] == ("n01440764", "n01443537")  # tench, goldfish
    images = oracles.pixels()
    got = np.array(zoo.features(model, ["pool"])(images)["pool"])
    assert oracles.difference(got, theirs(body, images)) < oracles.TOLERANCE


def test_a_folded_bias_is_the_same_function():
    rng = np.random.default_rng(0)
    x, bias, mean = rng.normal(size=(3, 5)), rng.normal(size=5), rng.normal(size=5)
    conv, norm = {"bias": bias}, {"moving_mean": mean}
    fit._fold_bias(conv, norm)
    assert conv == {}
    np.testing.assert_allclose(x - norm["moving_mean"], x + bias - mean)


def test_the_wrong_network_is_named(path):
    with pytest.raises(ImportFailed, match="is not resnet101; it looks like resnet50 in the keras"):
        imported(path, "resnet101")
    with pytest.raises(
        ImportFailed, match="no file of --source=torch; it looks keras: --source=keras"
    ):
        reading.read(path, "torch")


def test_a_relative_is_named():
    net = keras.applications.ResNet50V2(weights=None, include_top=False, input_shape=(32, 32, 3))
    arrays = {f"{x.name}/{v.name}": np.zeros(v.shape) for x in net.layers for v in x.weights}
    found = fit.match(arrays, "keras_applications", "resnet50")
    with pytest.raises(ImportFailed, match=r"it looks like a pre-activation ResNet \(V2\)"):
        fit.check(arrays, found, "f.h5", headless=False)


def test_a_layer_that_no_resnet_has_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(2)])
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ImportFailed, match="is no layer of a ResNet"):
        hdf5.read_h5(tmp_path / "w.weights.h5")
    (tmp_path / "w.weights.h5").write_bytes((tmp_path / "w.weights.h5").read_bytes()[:999])
    with pytest.raises(ImportFailed, match="w.weights.h5 is damaged"):
        imported(tmp_path / "w.weights.h5")


def test_bgr_is_turned_once():
    assert KERAS_APPLICATIONS.bgr
    from zoo.specs import Network

    network = Network("resnet18", 2, None, "B")
    from zoo.importers.layouts import targets

    arrays = {
        name: np.zeros(target.shape, "f4")
        for name, target in targets(KERAS_APPLICATIONS, network).items()
        if target.required
    }
    arrays["conv1_conv/kernel"][:, :, 0] = 1.0  # reads blue
    kernel = fit.convert(arrays, KERAS_APPLICATIONS, network)["conv1_conv"]["kernel"]
    assert kernel[:, :, 2].all() and not kernel[:, :, :2].any()


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_a_network_as_a_layer_of_another(ending, tmp_path):
    """As in Keras' guide to transfer learning: augmentation, the network, a head of one's own."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv1_conv")(image)
    inner = keras.Model(image, keras.layers.BatchNormalization(name="conv1_bn")(x), name="resnet50")
    parts = [keras.Input((8, 8, 3)), keras.layers.RandomFlip(), inner]
    parts += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(0.1)]
    outer = keras.Sequential([*parts, keras.layers.Dense(5, name="mine")])
    outer.compile("adam")
    path = tmp_path / f"w{ending}"
    outer.save_weights(path) if ending == ".weights.h5" else outer.save(path)
    arrays = reading.read(path, "keras_applications")
    wanted = {"conv1_conv": inner.get_layer("conv1_conv"), "conv1_bn": inner.get_layer("conv1_bn")}
    wanted["mine"] = outer.get_layer("mine")
    names = {f"{name}/{v.name}": v for name, layer in wanted.items() for v in layer.weights}
    assert names.keys() <= arrays.keys() and not {x for x in arrays if "kernel" in x} - names.keys()
    for name, variable in names.items():
        np.testing.assert_array_equal(arrays[name], variable)
