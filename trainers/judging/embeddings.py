"""What a layer says of every image of a source: vectors with ids, in memory and on disk.

An id is the image's file where there is one, else its number in the source.
"""

import dataclasses

import numpy as np
import tensorflow as tf

import zoo
from trainers.data import pipelines, sources, stream
from trainers.plan import images as run_images
from zoo import files, progress

POOLINGS = ("mean", "none")
THUMBNAIL_PX = 32


class EmbeddingError(ValueError):
    """A layer that the network lacks, or vectors that are no numbers."""


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """`vectors` (N, ...) float32, `labels` (N,), `ids` (N,), and the images, small, if kept."""

    vectors: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]
    thumbnails: np.ndarray  # (n, s, s, 3) uint8, of the first n

    @property
    def flat(self):
        """(N, D), as distances and linear classifiers want them."""
        return self.vectors.reshape(len(self.vectors), -1)


@dataclasses.dataclass(frozen=True)
class Request:
    """Which layer, or stage; a map's "mean" over its positions or all of it; how many images."""

    layer: str = "pool"
    pooling: str = "mean"
    batch_size: int = 64
    limit: int | None = None
    thumbnails: int = 0


def images_of(manifest, other=run_images.OWN, run_dir=None):
    """Both splits of the run's own images, or of any others: -> {split: Source}."""
    name = run_images.name_of(manifest, other)
    if run_images.is_own(manifest, other, name):
        return {
            split: run_images.source_of(manifest, split, other, run_dir) for split in sources.SPLITS
        }
    return {split: sources.load(name, split, data_dir=other.data_dir) for split in sources.SPLITS}


def extract(model, contract, source, request):
    """Every image of the source once, in the source's order: -> Embeddings."""
    embed = embedder(model, request)
    limit = min(request.limit or source.length, source.length)
    columns, small = [], []
    batches = pipelines.evaluate(source, contract, batch_size=request.batch_size, limit=limit)
    with stream.unreadable_named():
        for images, labels, weights, index in progress.over(
            batches, f"features of {source.split}", limit, request.batch_size
        ):
            kept = weights.numpy() > 0
            vectors = embed(images).numpy()[kept]
            if not np.isfinite(vectors).all():
                raise EmbeddingError(
                    f"layer {request.layer}: expected finite numbers for {source.name}, got "
                    "others: the network's training has diverged"
                )
            columns.append((vectors, labels.numpy()[kept], index.numpy()[kept]))
            if len(columns) * request.batch_size < request.thumbnails + request.batch_size:
                small.append(thumbnails(images)[kept])
    vectors, labels, index = (np.concatenate(column) for column in zip(*columns, strict=True))
    ids = [source.files[i] if source.files else f"{source.split}/{i}" for i in index]
    pictures = np.concatenate(small)[: request.thumbnails] if small else np.zeros((0, 1, 1, 3))
    return Embeddings(vectors, labels, np.array(ids), source.class_names, np.uint8(pictures))


def embedder(model, request):
    """A function from images to the layer's output: (B, S, S, 3) -> (B, C) or (B, H, W, C)."""
    try:
        inner = zoo.features(model, [request.layer])
    except ValueError as error:
        raise EmbeddingError(str(error)) from None

    @tf.function(reduce_retracing=True)
    def embed(images):
        output = tf.cast(inner(images, training=False)[request.layer], tf.float32)
        if request.pooling == "mean" and len(output.shape) == 4:
            return tf.reduce_mean(output, axis=(1, 2))
        return output

    return embed


def thumbnails(images):
    """The batch as the network sees it, at most THUMBNAIL_PX a side: -> (B, s, s, 3) uint8."""
    size = min(THUMBNAIL_PX, images.shape[1])
    small = tf.image.resize(tf.cast(images, tf.float32), (size, size), antialias=True)
    return np.uint8(np.clip(np.round(small.numpy()), 0, 255))


def write_npz(path, embeddings):
    """Arrays `vectors`, `labels`, `ids`, `class_names`; no pickles, so any reader may load it."""
    with files.replacing(path) as temporary:
        np.savez(
            temporary,
            vectors=embeddings.vectors,
            labels=embeddings.labels,
            ids=embeddings.ids,
            class_names=np.array(embeddings.class_names),
        )


def write_tfrecord(path, embeddings):
    """A tf.train.Example an image: `id` bytes, `label` int64, `vector` floats, `shape` int64s."""
    shape = embeddings.vectors.shape[1:]
    with files.replacing(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
        rows = zip(embeddings.ids, embeddings.labels, embeddings.flat, strict=True)
        for name, label, vector in rows:
            features = {
                "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                "vector": tf.train.Feature(float_list=tf.train.FloatList(value=vector)),
                "shape": tf.train.Feature(int64_list=tf.train.Int64List(value=shape)),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
