"""One network in PyTorch, in Keras and from the files that exporters write: its answers."""

import pathlib
import tempfile

import numpy as np

from benchmarks.real_networks import torch_cifar
from benchmarks.serving import runtimes
from export import formats, images, parity, publish
from export.classifier import Classifier
from zoo import program
from zoo.importers import assemble

FORMATS = {
    "SavedModel": "saved_model",
    "SavedModel, constants": "saved_model-constants",
    "ONNX": "onnx",
    "TFLite none": "tflite-none",
    "TFLite float16": "tflite-float16",
    "TFLite dynamic": "tflite-dynamic",
    "TFLite int8": "tflite-int8",
}
# Read by OpenVINO, in float32 and in integers.
OPENVINO = {"OpenVINO": "onnx/model.onnx", "OpenVINO int8": "tflite-int8/model.tflite"}


def figures(layers, path, data_dir, count, calibrate):
    """{"images": origins, "ways": {way: {"accuracy", "same", "largest"}}} of a file of weights."""
    classifier = imported(layers, path)
    evidence = images.gather(classifier, images.Asked("folder", data_dir), count, calibrate)
    held_out = evidence.held_out
    expected = torch_cifar.logits(path, layers, held_out.pixels)
    answers = {"PyTorch": expected}
    answers["Keras"] = publish.source_logits(classifier.model, held_out.pixels)
    with tempfile.TemporaryDirectory() as folder, program.filtered_stderr(formats.NOISE):
        answers |= of_files(classifier, evidence, pathlib.Path(folder))
    ways = {way: described(expected, found, held_out.labels) for way, found in answers.items()}
    origins = {"held_out": held_out.origin, "calibration": evidence.calibration.origin}
    return {"images": origins, "ways": ways}


def imported(layers, path):
    """What `python -m zoo.importers` makes of the file."""
    request = assemble.Request(source="torch", path=str(path), model=f"resnet{layers}")
    model, manifest = assemble.load(request)
    return Classifier(model, manifest.input, manifest.class_names, manifest.as_fields())


def of_files(classifier, evidence, folder):
    """{way: logits, or scores where a file shows no others}."""
    answers, pixels = {}, evidence.held_out.pixels
    for way, name in FORMATS.items():
        form, directory = formats.find(name), folder / name
        directory.mkdir()
        form.write(classifier, directory, evidence)
        loaded = form.load(directory)
        answers[way] = publish.in_batches(loaded.probabilities or loaded.pixels, pixels)
    for way, file in OPENVINO.items():
        run, dtype = runtimes.openvino(folder / file)()
        answers[way] = publish.in_batches(run, pixels.astype(dtype))
    return answers


def described(expected, found, labels):
    """The largest difference is of the scores, which every file gives."""
    first = found.argmax(axis=1)
    # Scores sum to one; the logits of ten classes do not.
    are_scores = np.allclose(found.sum(axis=1), 1, atol=0.05)
    scores = found if are_scores else parity.softmax(found)
    return {
        "accuracy": float(np.mean(first == labels)),
        "same": float(np.mean(first == expected.argmax(axis=1))),
        "largest": float(np.abs(scores - parity.softmax(expected)).max()),
    }
