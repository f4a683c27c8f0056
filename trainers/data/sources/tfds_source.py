"""Any image-classification set of TensorFlow Datasets, read from disk; the network is not used.

Preparing a set is `trainers.data.prepare`'s.
"""

import dataclasses
import re
import shlex

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from trainers.data import sources
from zoo import preprocess, program

SMALL_PX = 64  # sets of one shape up to this are decoded once and kept as one array
MEMORY_BYTES = 4 * 2**30  # of encoded images; beyond it a set must allow random access
SPLITS = (*sources.SPLITS, "test", "all")
_HELD_OUT = {"train": "train[:80%]", "validation": "train[80%:]"}


def load(name, split, *, data_dir=None, seed=0, hold_out=0) -> sources.Source:
    """A prepared set: small ones as (N, H, W, 3) uint8 (grey becomes RGB), others encoded.

    Validation is the set's `validation` split, else its `test`, else the last fifth of its train
    split (TFDS shuffles on disk, so that is a random fifth, the same for every seed). Where it
    would be `test`, `hold_out` takes so many of the last training images in its place.
    """
    builder = find(name, data_dir)
    image_key, label_key = keys(builder)
    require_prepared(builder, data_dir)
    tfds_split = choose_split(builder, split, hold_out)
    features, info = builder.info.features, builder.info.splits[tfds_split]
    class_names = tuple(features[label_key].names)
    if info.num_bytes > MEMORY_BYTES:
        fetch = random_access(builder, tfds_split, image_key, label_key)
        return sources.Source(
            *(name, split, class_names, info.num_examples, fetch, None),
            portable=False,
            is_test=tfds_split == "test",
            fingerprint=fingerprint(builder),
        )
    encoded, labels = read(builder, tfds_split, image_key, label_key)
    if min(labels, default=-1) < 0:
        raise sources.DataError(f"{name}: expected a label with every image of {tfds_split}")
    shape = features[image_key].shape
    if None not in shape and max(shape[:2]) <= SMALL_PX:
        encoded = decode_all(encoded, shape)
    source = sources.in_memory(name, split, class_names, encoded, labels)
    facts = {"fingerprint": fingerprint(builder), "is_test": tfds_split == "test"}
    return dataclasses.replace(source, **facts)


def lacks_validation(name: str, data_dir: str | None = None) -> int:
    """How many training images a prepared set has whose validation images are its test set."""
    builder = find(name, data_dir)
    if "train" not in builder.info.splits or choose_split(builder, "validation") != "test":
        return 0
    return builder.info.splits["train"].num_examples


def fingerprint(builder) -> dict:
    """What tells one preparation of a set from another: version, and each split's size on disk."""
    splits = {
        split: [info.num_examples, info.num_bytes, *info.shard_lengths]
        for split, info in builder.info.splits.items()
    }
    return {"set": builder.info.full_name, "splits": splits}


def find(name: str, data_dir: str | None = None):
    """The TFDS builder called `name` or `tfds:NAME`."""
    try:
        return tfds.builder(name.removeprefix("tfds:"), data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise sources.DataError(
            f"data: expected one of {', '.join(sources.KNOWN)} or the name of a TFDS set, "
            f"got {name!r}"
        ) from None
    except Exception as error:  # of a version or a configuration that the set lacks, and others
        said = re.sub(r'Failed to construct dataset ".*?", .*": ', "", program.telling(error)[0])
        raise sources.DataError(f"--data={name}: {said.partition('. Here are')[0]:.200}") from error


def keys(builder) -> tuple[str, str]:
    """The names of the image and the label in the set's features."""
    image_key, label_key = (builder.info.supervised_keys or ("image", "label"))[:2]
    features = dict(builder.info.features.items())
    image, label = features.get(image_key), features.get(label_key)
    is_image = isinstance(image, tfds.features.Image) and image.np_dtype == np.uint8
    if not is_image or not isinstance(label, tfds.features.ClassLabel):
        raise sources.DataError(
            f"{builder.name}: expected an image-classification set (an 8-bit image and a class "
            f"label), got the features {', '.join(features)}"
        )
    return image_key, label_key


def require_prepared(builder, data_dir: str | None) -> None:
    """DataError, with the command that prepares the set, unless it is on disk."""
    if builder.is_prepared():
        return
    config = f"/{builder.builder_config.name}" if builder.builder_config else ""
    words = [f"--data={builder.name}{config}", *([f"--data_dir={data_dir}"] if data_dir else [])]
    command = shlex.join(["python", "-m", "trainers.data.prepare", *words])
    if builder.name == "fashion_mnist":
        command += "` or `make data"
    raise sources.DataError(
        f"{builder.name}: expected a prepared set in {builder.data_path}, found none: "
        f"run `{command}`"
    )


def choose_split(builder, split: str, hold_out: int = 0) -> str:
    """TFDS' name for our split."""
    names = builder.info.splits
    held_out = next((s for s in ("validation", "test") if s in names), None)
    if split == "all":
        return "+".join(s for s in ("train", "validation", "test") if s in names)
    if split == "test" and split not in names:
        raise sources.DataError(f"{builder.name}: expected a test split, got {', '.join(names)}")
    if split == "test":
        return split
    if "train" not in names:
        raise sources.DataError(f"{builder.name}: expected a train split, got {', '.join(names)}")
    if held_out is None:
        return _HELD_OUT[split]
    if held_out == "test" and hold_out:
        return f"train[:-{hold_out}]" if split == "train" else f"train[-{hold_out}:]"
    return "train" if split == "train" else held_out


def read(builder, tfds_split: str, image_key: str, label_key: str):
    """Every example in the order on disk: encoded images and labels, two lists."""
    decoders = {image_key: tfds.decode.SkipDecoding()}
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        records = builder.as_data_source(tfds_split, decoders=decoders)
        chunks = (range(i, min(i + 4096, len(records))) for i in range(0, len(records), 4096))
        # Chunks: record by record takes five times as long.
        examples = (e for chunk in chunks for e in records.__getitems__(list(chunk)))
    else:
        config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        dataset = builder.as_dataset(
            split=tfds_split, shuffle_files=False, decoders=decoders, read_config=config
        )
        examples = dataset.as_numpy_iterator()
    pairs = [(e[image_key], int(e[label_key])) for e in examples]
    return [image for image, _ in pairs], [label for _, label in pairs]


def decode_all(encoded, shape):
    """Small images of one size, decoded once: N strings -> (N, H, W, 3) uint8."""
    images = tf.data.Dataset.from_tensor_slices(encoded)
    images = images.map(preprocess.decode, num_parallel_calls=4).batch(1024)
    return np.concatenate([np.zeros((0, *shape[:2], 3), np.uint8), *images.as_numpy_iterator()])


def random_access(builder, tfds_split: str, image_key: str, label_key: str):
    """`fetch` for a set larger than memory, record by record; needs the array_record format."""
    if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
        raise sources.DataError(
            f"{builder.name}: expected at most {MEMORY_BYTES >> 30} GiB or a set prepared as "
            f"array_record, got {builder.info.splits[tfds_split].num_bytes >> 30} GiB as "
            f"{builder.info.file_format.value}: prepare it again with trainers.data.prepare in "
            "another --data_dir"
        )
    examples = builder.as_data_source(tfds_split, decoders={image_key: tfds.decode.SkipDecoding()})

    def read_records(indices):
        records = examples.__getitems__(indices.tolist())
        images = np.array([r[image_key] for r in records], object)
        return images, np.array([r[label_key] for r in records], np.int32)

    def fetch(indices):
        indices = tf.convert_to_tensor(indices)
        images, labels = tf.numpy_function(read_records, [indices], [tf.string, tf.int32])
        return tf.ensure_shape(images, indices.shape), tf.ensure_shape(labels, indices.shape)

    return fetch
