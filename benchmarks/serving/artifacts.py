"""The files that benchmarks.serving asks for answers: ours, and what the peers' own tools make."""

import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf

import zoo
from benchmarks.serving.measure import HELD_OUT
from export import by_class, formats, images, publish
from export import classifier as classifiers
from zoo.layers import FusedBatchNormalization
from zoo.preprocess import InputContract

OF_RANDOM_WEIGHTS = 32  # images held out; what such a network says of more means little
CALIBRATION = 100  # images
NOISE = formats.NOISE


def write(folder, names, run_dir, model):
    """Writes the named files, of a run's network or of one with random weights."""
    folder, source = pathlib.Path(folder), classifier(run_dir, model)
    held_out = images.of_run(source, "validation", 256)
    calibration = by_class.stratified(images.of_run(source, "train", 256), CALIBRATION)
    for name in names:
        if name == HELD_OUT:
            asked = held_out.pixels[: None if run_dir else OF_RANDOM_WEIGHTS]
            first = publish.source_logits(source.model, asked).argmax(axis=1)
            np.savez(folder / name, pixels=asked, first=first)
        elif name in WRITERS:
            WRITERS[name](source, folder / name, calibration.pixels)
        else:
            ours, _, _ = name.partition("/")  # a format's name, and what it calls its file
            (folder / ours).mkdir()
            evidence = images.Evidence(held_out, calibration)
            formats.find(ours).write(source, folder / ours, evidence)


def classifier(run_dir, name):
    """A trained run's network, or one of random weights and statistics."""
    if run_dir:
        return classifiers.from_run(run_dir)
    keras.utils.set_random_seed(0)
    spec = zoo.find(name)
    model = zoo.build(name, image_size=spec.image_size)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            spread = [rng.uniform(0.5, 1.5, n), rng.normal(0, 0.3, n), rng.normal(0, 0.3, n)]
            layer.set_weights([*spread, rng.uniform(0.5, 2, n)])
    contract = InputContract(spec.image_size, round(spec.image_size * 8 / 7))
    names = tuple(f"class {number}" for number in range(spec.num_classes))
    return classifiers.Classifier(model, contract, names)


def in_stock_layers(model):
    """The same network and weights with Keras' own BatchNormalization."""

    def copy(layer):
        if isinstance(layer, FusedBatchNormalization):
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    stock = keras.models.clone_model(model, clone_function=copy)
    stock.set_weights(model.get_weights())
    return stock


def stock_saved_model(source, path, calibration):
    in_stock_layers(source.model).export(str(path), verbose=False)


def fused_saved_model(source, path, calibration):
    source.model.export(str(path), verbose=False)


def keras_file(source, path, calibration):
    source.model.save(str(path))


def stock_tflite(source, path, calibration):
    with tempfile.TemporaryDirectory() as folder:
        stock_saved_model(source, folder, calibration)
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def stock_onnx(source, path, calibration):
    stock = in_stock_layers(source.model)
    stock(calibration[:1])  # a network that was never called is refused
    stock.export(str(path), format="onnx", verbose=False)


def openvino_float32(source, path, calibration):
    import openvino

    openvino.save_model(in_openvino(source), path, compress_to_fp16=False)


def openvino_int8(source, path, calibration):
    """Post-training quantisation by NNCF, OpenVINO's own tool, on the images that ours saw."""
    import nncf
    import openvino

    data = nncf.Dataset([image[np.newaxis] for image in calibration])
    quantized = nncf.quantize(in_openvino(source), data, subset_size=len(calibration))
    openvino.save_model(quantized, path)


def in_openvino(source):
    """The network as OpenVINO reads it from Keras: it folds normalisation itself."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        source.model.export(folder, verbose=False)
        return openvino.convert_model(folder)


WRITERS = {
    "stock": stock_saved_model,
    "fused": fused_saved_model,
    "network.keras": keras_file,
    "stock.tflite": stock_tflite,
    "stock.onnx": stock_onnx,
    "float32.xml": openvino_float32,
    "int8.xml": openvino_int8,
}
