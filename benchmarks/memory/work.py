"""What `benchmarks.memory` takes the memory of: functions of a network's name, which return {}."""

import functools
import tempfile

BATCHES, BATCH = 2, 32


def noise(size):
    """(images, labels) of all batches."""
    import numpy as np

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCHES * BATCH, size, size, 3)).astype("uint8")
    return images, rng.integers(0, 10, len(images)).astype("int32")


def evaluate_ours(name):
    """The trainer's evaluation, with its pipeline."""
    import tensorflow as tf

    import zoo
    from trainers.data import sources
    from trainers.run import classification
    from zoo.preprocess import InputContract

    size = zoo.find(name).image_size
    model = zoo.build(name, image_size=size)
    classes = [str(number) for number in range(model.output.shape[-1])]
    source = sources.in_memory("noise", "validation", classes, *noise(size))
    strategy = tf.distribute.get_strategy()
    contract = InputContract(size, size)
    evaluate = classification.evaluation(model, source, contract, BATCH, strategy)
    evaluate()
    return {}


def evaluate_keras(name):
    """Model.evaluate of the same network in Keras' own layers."""
    import keras
    import tensorflow as tf

    import zoo
    from benchmarks.training import stock

    size = zoo.find(name).image_size
    model = stock.network(name, size)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=name != "resnet50")
    model.compile(loss=loss, metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices(noise(size)).batch(BATCH)
    model.evaluate(data.prefetch(2), verbose=0)
    return {}


def evaluate_torch(name):
    """Eager, channels last, without gradients."""
    import torch

    from benchmarks import harness, torch_nets
    from zoo import specs

    torch.set_num_threads(harness.CORES)
    model = torch_nets.NETS[name]().eval().to(memory_format=torch.channels_last)
    images, labels = noise(specs.find(name).image_size)
    right = 0
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            pixels = torch.from_numpy(images[start : start + BATCH]).permute(0, 3, 1, 2).float()
            right += int((model(pixels).argmax(1).numpy() == labels[start : start + BATCH]).sum())
    return {}


def export(file, name):
    """Writes one of the artifacts that `benchmarks.serving` asks."""
    from benchmarks.serving import artifacts
    from zoo import program

    with tempfile.TemporaryDirectory() as folder, program.filtered_stderr(artifacts.NOISE):
        artifacts.write(folder, [file], None, name)
    return {}


def exporting(ours, file, peer, theirs):
    """(peer, {contender: what it does})."""
    return peer, {ours: functools.partial(export, file), peer: functools.partial(export, theirs)}


EVALUATING = {"ours": evaluate_ours, "keras_evaluate": evaluate_keras, "torch": evaluate_torch}
EXPORTING = {
    "saved_model": exporting("ours_saved_model", "saved_model", "keras_export", "stock"),
    "onnx": exporting("ours_onnx", "onnx/model.onnx", "keras_onnx", "stock.onnx"),
    "tflite": exporting(
        "ours_tflite", "tflite-none/model.tflite", "tf_lite_of_stock", "stock.tflite"
    ),
    "int8": exporting("ours_int8", "tflite-int8/model.tflite", "openvino_int8", "int8.xml"),
}
