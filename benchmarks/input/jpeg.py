"""The paper's augmentation of JPEGs (Sec. 3.4): scale jitter, crop of 224, mirror.

Of 500 x 400, by ours, the usual tf.data code, the same on TFDS, PIL, OpenCV and PyTorch's
DataLoader; beside them what only decodes.
"""

import functools
import pathlib
import tempfile

from benchmarks import harness, photographs

WARM_UP, TIMED, BATCH = 1, 38, 32  # of batches, and the images of one
SIZE, SCALES = 224, (256, 480)
PEER = "usual_tf_data"
GOALS = [
    harness.Goal("ours", "usual_tf_data", "images_per_second", 1.4),
    harness.Goal("ours", "raw_decode", "images_per_second", 0.65),
    harness.Goal("ours", "torch_dataloader", "images_per_second", 1.7),
]
COLOR_PEER = "ours"
COLOR_GOALS = [harness.Goal("ours_with_pca_colour", "ours", "images_per_second", 0.95)]


def pictures(folder):
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*.jpg"))


def rate(batches):
    return harness.images_per_second(batches, BATCH, WARM_UP, TIMED)


def ours(folder, color=False):
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from trainers.data.sources import folder as folders
    from zoo.preprocess import InputContract

    paths = pictures(folder)
    source = folders.source("folder", "train", ("a",), paths, [0] * len(paths))
    kind = Augmentation("scale_jitter", scale_range=SCALES, color=color)
    contract = InputContract(SIZE, 256)
    steps = (0, TIMED + 10)
    return rate(pipelines.train(source, contract, kind, batch_size=BATCH, seed=0, steps=steps))


def color_by_turns(folder, rounds):
    """Ours without and with the PCA colour."""
    without, with_it = (functools.partial(ours, folder, color) for color in (False, True))
    return harness.by_turns({"ours": without, "ours_with_pca_colour": with_it}, rounds)


def augmented(image):
    """The usual way, for `map`: resized whole to a side drawn at random, cropped, mirrored."""
    import tensorflow as tf

    shorter = tf.random.uniform((), SCALES[0], SCALES[1] + 1, tf.int32)
    sides = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.cast(shorter, tf.float32) / tf.reduce_min(sides)
    image = tf.image.resize(image, tf.cast(tf.math.ceil(sides * scale), tf.int32))
    image = tf.image.random_crop(image, (SIZE, SIZE, 3))
    return tf.image.random_flip_left_right(image)


def usual_tf_data(folder):
    """Decode, resize at random, crop, mirror; everything autotuned, as the guides have it."""
    import tensorflow as tf

    def read(path):
        return augmented(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    data = tf.data.Dataset.from_tensor_slices(pictures(folder))
    data = data.shuffle(photographs.PICTURES).repeat()
    data = data.map(read, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return rate(data)


def tfds_load(folder):
    """The files as a prepared TFDS dataset, loaded with its defaults; the rest as usual.

    But for the cache of decoded pictures, which only datasets of less than 250 MiB get.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(encoding_format="jpeg")})
    examples = list(enumerate({"image": path} for path in pictures(folder)))
    with tempfile.TemporaryDirectory() as prepared:
        where = {"name": "photographs", "data_dir": prepared}
        tfds.dataset_builders.store_as_tfds_dataset(
            version="1.0.0", features=features, split_datasets={"train": examples}, **where
        )
        uncached = tfds.ReadConfig(try_autocache=False)
        data = tfds.load(split="train", read_config=uncached, **where)
        data = data.shuffle(photographs.PICTURES).repeat()
        data = data.map(lambda example: augmented(example["image"]), tf.data.AUTOTUNE)
        return rate(data.batch(BATCH).prefetch(tf.data.AUTOTUNE))


def raw_decode(folder):
    """Nothing but reading and decoding, on all cores: what the others are measured against."""
    import tensorflow as tf

    def read(path):
        return tf.shape(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    data = tf.data.Dataset.from_tensor_slices(pictures(folder)).repeat()
    options = tf.data.Options()
    options.threading.private_threadpool_size = harness.CORES
    options.autotune.enabled = False
    data = data.map(read, harness.CORES).batch(BATCH).with_options(options)
    return rate(data)


def image_dataset_from_directory(folder):
    """Keras' own, resized to 256 and not augmented."""
    import keras

    data = keras.utils.image_dataset_from_directory(
        folder, image_size=(256, 256), batch_size=BATCH, verbose=False
    )
    return rate(data.repeat())


def by_pil(path, rng):
    """The same augmentation of one file by Pillow: -> (SIZE, SIZE, 3) uint8."""
    import numpy as np
    from PIL import Image

    image = Image.open(path).convert("RGB")
    scale = rng.integers(SCALES[0], SCALES[1] + 1) / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (rng.integers(0, side - SIZE + 1) for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + SIZE, top + SIZE)))
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def by_opencv(path, rng):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    scale = rng.integers(SCALES[0], SCALES[1] + 1) / min(image.shape[:2])
    height, width = (round(side * scale) for side in image.shape[:2])
    image = cv2.resize(image, (width, height))
    top, left = rng.integers(0, height - SIZE + 1), rng.integers(0, width - SIZE + 1)
    pixels = image[top : top + SIZE, left : left + SIZE]
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def on_threads(function, folder):
    """By a thread for each core; both libraries let go of Python's lock while they work."""
    import concurrent.futures
    import itertools

    import numpy as np

    if function is by_opencv:
        import cv2

        cv2.setNumThreads(1)
    paths, rng = pictures(folder), np.random.default_rng(0)
    with concurrent.futures.ThreadPoolExecutor(harness.CORES) as pool:
        endless = itertools.cycle(paths)
        batches = (
            np.stack(
                list(pool.map(lambda path: function(path, rng), itertools.islice(endless, BATCH)))
            )
            for _ in itertools.count()
        )
        return rate(batches)


def torch_dataloader(folder):
    """Two worker processes with Pillow, as PyTorch's examples have it."""
    import numpy as np
    import torch

    paths = pictures(folder)

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return 4 * TIMED * BATCH

        def __getitem__(self, index):
            pixels = by_pil(paths[index % len(paths)], np.random.default_rng(index))
            return torch.from_numpy(np.array(pixels))  # a copy, for Pillow's cannot be written to

    loader = torch.utils.data.DataLoader(Pictures(), BATCH, num_workers=harness.CORES)
    return rate(loader)


CONTENDERS = {  # of the folder with the pictures
    "ours": ours,
    "usual_tf_data": usual_tf_data,
    "tfds_load": tfds_load,
    "raw_decode": raw_decode,
    "image_dataset_from_directory": image_dataset_from_directory,
    "pil": functools.partial(on_threads, by_pil),
    "opencv": functools.partial(on_threads, by_opencv),
    "torch_dataloader": torch_dataloader,
}
ELSEWHERE = ("pil", "opencv", "torch_dataloader")  # not on TensorFlow
