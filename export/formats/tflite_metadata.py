"""TFLite metadata: what a .tflite file tells MediaPipe and Android of its input and its labels.

Written by hand after TensorFlow's metadata_schema.fbs 1.5.0; the package that used to write it,
tflite-support, has no release for today's Python.
"""

import zipfile

import flatbuffers
import numpy as np

from export.formats import litert
from zoo import sizes

LABELS = "labels.txt"
RGB, IMAGE_PROPERTIES, NORMALIZATION, AXIS_LABELS = 1, 2, 1, 2  # the schema's enumerations


def with_metadata(model, classifier):
    """The flatbuffer with its description inside: bytes -> bytes."""
    parsed = litert.schema.ModelT.InitFromPackedBuf(model)
    buffer = litert.schema.BufferT()
    buffer.data = np.frombuffer(description(classifier), np.uint8)
    parsed.buffers.append(buffer)
    entry = litert.schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(parsed.buffers) - 1
    parsed.metadata = [*(parsed.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def append_file(path, name, text):
    """Appends a file to a .tflite, which is a model from its start and a zip from its end."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text)  # dated 1980: the same bytes every time


def description(classifier):
    """A ModelMetadata flatbuffer: one image in, one axis of labelled scores out."""
    b = flatbuffers.Builder(1024)
    height, width = sizes.of(classifier.image_size)
    dimensions = table(b, byte(0, RGB), offset(1, table(b, uint(0, width), uint(1, height))))
    content = table(b, byte(0, IMAGE_PROPERTIES), offset(1, dimensions))
    # Pixels enter as they are: subtracting the mean is the network's first layer.
    scaling = table(b, offset(0, floats(b, [0.0])), offset(1, floats(b, [1.0])))
    unit = table(b, byte(0, NORMALIZATION), offset(1, scaling))
    extremes = table(b, offset(0, floats(b, [255.0])), offset(1, floats(b, [0.0])))
    image = table(
        b,
        offset(0, b.CreateString("images")),
        offset(1, b.CreateString(f"RGB pixels 0-255, {height} x {width}")),
        offset(3, content),
        offset(4, tables(b, [unit])),
        offset(5, extremes),
    )
    labels = table(b, offset(0, b.CreateString(LABELS)), byte(2, AXIS_LABELS))
    extremes = table(b, offset(0, floats(b, [1.0])), offset(1, floats(b, [0.0])))
    scores = table(
        b,
        offset(0, b.CreateString("probabilities")),
        offset(1, b.CreateString("softmax over the classes of labels.txt")),
        offset(5, extremes),
        offset(6, tables(b, [labels])),
    )
    graph = table(b, offset(2, tables(b, [image])), offset(3, tables(b, [scores])))
    model = table(
        b,
        offset(0, b.CreateString(classifier.model.name)),
        offset(1, b.CreateString("Deep residual network (He et al., 2015), image classifier")),
        offset(3, tables(b, [graph])),
        offset(7, b.CreateString("1.0.0")),  # the oldest parser that understands this
    )
    b.Finish(model, b"M001")
    return bytes(b.Output())


def offset(slot, value):
    return slot, lambda b: b.PrependUOffsetTRelativeSlot(slot, value, 0)


def byte(slot, value):
    return slot, lambda b: b.PrependInt8Slot(slot, value, 0)


def uint(slot, value):
    return slot, lambda b: b.PrependUint32Slot(slot, value, 0)


def table(b, *fields):
    """A table of fields, each a slot of the schema and how to write it -> its offset."""
    b.StartObject(max(slot for slot, _ in fields) + 1)
    for _, write in fields:
        write(b)
    return b.EndObject()


def tables(b, offsets):
    b.StartVector(4, len(offsets), 4)
    for one in reversed(offsets):
        b.PrependUOffsetTRelative(one)
    return b.EndVector()


def floats(b, values):
    return b.CreateNumpyVector(np.array(values, np.float32))
