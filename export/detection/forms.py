"""A detector's artifacts: how each format is written, and read back as its clients run it."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from export import warmup
from export.detection import graph, parity
from export.detection.pictures import padded
from export.errors import ExportError
from export.samples import drawn

SIGNATURE = "detect"


@dataclasses.dataclass(frozen=True)
class Form:
    """`write(trained, directory, pictures)` makes the files, `load(directory)` reads them back.

    `canvas(pictures)` is the height and width that its input has, None where they are free.
    """

    name: str
    write: Callable
    load: Callable
    gate: parity.Gate = parity.FLOAT32
    canvas: Callable = lambda pictures: None


@dataclasses.dataclass(frozen=True)
class Loaded:
    """An artifact as its runtime runs it: `pixels` is (H, W, 3) float32 -> Answer.

    `encoded` is the same for one encoded picture, in the picture's own pixels; None where the
    format takes no bytes. `interface` is what a client sees, as plain data.
    """

    pixels: Callable
    encoded: Callable | None
    interface: dict


def answer(found):
    """What a runtime gives for one picture, {name of OUTPUTS: a row}, -> Answer up to its count."""
    boxes, scores, class_ids, count = (np.asarray(found[name])[0] for name in graph.OUTPUTS)
    return parity.Answer(boxes[:count], scores[:count], class_ids[:count])


def write_saved_model(trained, directory, pictures):
    """`detect` and `detect_bytes`, labels, and requests to warm a server up."""
    from export.formats import saved_model

    saved_model.save(directory, tf.Module(), graph.signatures(trained), trained.labels)
    pixels = drawn(1, pictures.canvas)  # which show nothing
    encoded = tf.io.encode_png(pixels[0]).numpy()
    asked = [(SIGNATURE, "images", np.float32(pixels)), ("detect_bytes", "image_bytes", [encoded])]
    warmup.write(directory, asked)


def load_saved_model(directory):
    from export.formats.saved_model import interface

    loaded = tf.saved_model.load(str(directory)).signatures
    pixels, encoded = loaded[SIGNATURE], loaded["detect_bytes"]

    def by_bytes(content):
        found = encoded(image_bytes=tf.constant([content]))
        if not found["ok"][0]:
            raise ValueError("a picture that evaluation reads is refused")
        return answer(found)

    return Loaded(
        lambda image: answer(pixels(images=tf.constant(image[np.newaxis]))),
        by_bytes,
        {name: interface(loaded[name]) for name in sorted(loaded)},
    )


def write_tflite(trained, directory, pictures):
    """`model.tflite`, LiteRT's own operators alone, with its labels inside."""
    from export.formats import tflite, tflite_metadata

    function = graph.freeze(trained, pictures.canvas)
    model = tflite.flatbuffer(SIGNATURE, function, quantize="none")
    tflite.check_operators(model)
    path = pathlib.Path(directory) / tflite.MODEL
    path.write_bytes(model)
    tflite_metadata.append_file(path, tflite_metadata.LABELS, trained.labels)


def load_tflite(directory):
    from export.formats import litert, tflite

    content = (pathlib.Path(directory) / tflite.MODEL).read_bytes()
    run = litert.Interpreter(model_content=content).get_signature_runner(SIGNATURE)
    return fixed(lambda images: run(images=images), tflite.interface(content, SIGNATURE))


def write_onnx(trained, directory, pictures):
    """`model.onnx`: `images` to OUTPUTS."""
    from export.formats import onnx

    network = graph.freeze(trained, pictures.canvas)
    spec = graph.pixels(pictures.canvas)

    @tf.function(input_signature=[spec], autograph=False)
    def detect(images):
        found = network(images)
        return tuple(tf.identity(found[name], name) for name in graph.OUTPUTS)

    onnx.save(directory, trained, onnx.convert(detect, spec, graph.OUTPUTS))


def load_onnx(directory):
    from export.formats import onnx

    session = onnx.opened(directory)

    def run(images):
        return dict(zip(graph.OUTPUTS, session.run(list(graph.OUTPUTS), {"images": images})))

    return fixed(run, onnx.interface(session, SIGNATURE))


def fixed(run, interface):
    """A Loaded of a file that takes one height and width: smaller pictures are filled up."""
    _, height, width, _ = interface[SIGNATURE]["inputs"]["images"]["shape"]
    return Loaded(
        lambda image: answer(run(padded(image, (height, width))[np.newaxis])), None, interface
    )


def on_canvas(pictures):
    return pictures.canvas


FORMS = {
    form.name: form
    for form in (
        Form("saved_model", write_saved_model, load_saved_model),
        Form("tflite-none", write_tflite, load_tflite, canvas=on_canvas),
        Form("onnx", write_onnx, load_onnx, canvas=on_canvas),
    )
}


def find(name):
    """The Form of a name such as "saved_model"; ExportError for one that detectors do not have."""
    if name == "saved_model-constants":  # a detector's weights are in any case
        name = "saved_model"
    if name not in FORMS:
        raise ExportError(
            f"expected a detector to become one of {', '.join(FORMS)}, all of float32, for fewer "
            f"bits move its boxes; got {name}"
        )
    return FORMS[name]
