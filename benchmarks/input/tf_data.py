"""JPEGs on tf.data: the usual crops, from files and by TFDS, Keras' own; what only decodes."""

import tempfile

from benchmarks import harness, photographs
from benchmarks.input import crops


def augmented(image):
    """The usual way, for `map`: resized whole to a side drawn at random, cropped, mirrored."""
    import tensorflow as tf

    shorter = tf.random.uniform((), crops.SCALES[0], crops.SCALES[1] + 1, tf.int32)
    sides = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.cast(shorter, tf.float32) / tf.reduce_min(sides)
    image = tf.image.resize(image, tf.cast(tf.math.ceil(sides * scale), tf.int32))
    image = tf.image.random_crop(image, (crops.SIZE, crops.SIZE, 3))
    return tf.image.random_flip_left_right(image)


def usual(folder):
    """Decode, resize at random, crop, mirror; everything autotuned, as the guides have it."""
    import tensorflow as tf

    def read(path):
        return augmented(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    data = tf.data.Dataset.from_tensor_slices(crops.pictures(folder))
    data = data.shuffle(photographs.PICTURES).repeat()
    data = data.map(read, tf.data.AUTOTUNE).batch(crops.BATCH).prefetch(tf.data.AUTOTUNE)
    return crops.rate(data)


def tfds_load(folder):
    """The files as a prepared TFDS dataset, loaded with its defaults; the rest as usual.

    But for the cache of decoded pictures, which only datasets of less than 250 MiB get.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(encoding_format="jpeg")})
    examples = list(enumerate({"image": path} for path in crops.pictures(folder)))
    with tempfile.TemporaryDirectory() as prepared:
        where = {"name": "photographs", "data_dir": prepared}
        tfds.dataset_builders.store_as_tfds_dataset(
            version="1.0.0", features=features, split_datasets={"train": examples}, **where
        )
        uncached = tfds.ReadConfig(try_autocache=False)
        data = tfds.load(split="train", read_config=uncached, **where)
        data = data.shuffle(photographs.PICTURES).repeat()
        data = data.map(lambda example: augmented(example["image"]), tf.data.AUTOTUNE)
        return crops.rate(data.batch(crops.BATCH).prefetch(tf.data.AUTOTUNE))


def raw_decode(folder):
    """Nothing but reading and decoding, on all cores: what the others are measured against."""
    import tensorflow as tf

    def read(path):
        return tf.shape(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    data = tf.data.Dataset.from_tensor_slices(crops.pictures(folder)).repeat()
    options = tf.data.Options()
    options.threading.private_threadpool_size = harness.CORES
    options.autotune.enabled = False
    data = data.map(read, harness.CORES).batch(crops.BATCH).with_options(options)
    return crops.rate(data)


def image_dataset_from_directory(folder):
    """Keras' own, resized to 256 and not augmented."""
    import keras

    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(256, 256), batch_size=crops.BATCH, verbose=False
    )
    return crops.rate(data.repeat())
