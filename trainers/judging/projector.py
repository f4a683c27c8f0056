"""Files of TensorBoard's Embedding Projector: points, what they are, and their small pictures."""

import math
import pathlib

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_config_pb2

from zoo import files

CONFIG = "projector_config.pbtxt"  # where the plugin looks
POINTS = 5000  # more are slow in a browser, and their sprite comes near its limit of 8192 px a side


def write(directory, name, embeddings):
    """Tensor, metadata and sprite of the first POINTS, and the config that names them.

    Ids and class names go into a table of tab-separated columns, so tabs in them become spaces.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    points = embeddings.flat[:POINTS]
    # Nine digits tell every float32 from every other. The plugin reads binary tensors too, but
    # only those that happen not to be text.
    lines = ("\t".join(f"{x:.9g}" for x in row) + "\n" for row in points)
    files.write_text(directory / "tensor.tsv", "".join(lines))
    names = (embeddings.class_names[label] for label in embeddings.labels)
    rows = zip(embeddings.ids[:POINTS], names)
    lines = ("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
    files.write_text(directory / "metadata.tsv", "id\tclass\n" + "".join(lines))
    size = write_sprite(directory / "sprite.png", embeddings.thumbnails[:POINTS])
    config = projector_config_pb2.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name=name, tensor_path="tensor.tsv")
    embedding.tensor_shape.extend(points.shape)
    embedding.metadata_path = "metadata.tsv"
    if size:
        embedding.sprite.image_path = "sprite.png"
        embedding.sprite.single_image_dim.extend([size, size])
    files.write_text(directory / CONFIG, text_format.MessageToString(config))


def write_sprite(path, thumbnails):
    """All thumbnails in one square picture, row by row; returns the side of one, 0 for none."""
    if not len(thumbnails):
        return 0
    sheet = sprite(thumbnails)
    with files.replacing(path) as temporary:
        temporary.write_bytes(tf.io.encode_png(sheet).numpy())
    return thumbnails.shape[1]


def sprite(thumbnails):
    """(n, s, s, 3) uint8 -> (g s, g s, 3) with g * g >= n; what is left over stays white."""
    count, size = thumbnails.shape[:2]
    grid = math.ceil(math.sqrt(count))
    cells = np.full((grid * grid, size, size, 3), 255, np.uint8)
    cells[:count] = thumbnails
    rows = cells.reshape(grid, grid, size, size, 3).swapaxes(1, 2)
    return rows.reshape(grid * size, grid * size, 3)
