"""python -m benchmarks.input: images a second of the input pipelines alone.

The paper's augmentation of JPEGs of about 500 x 400 (scale jitter, crop of 224, mirror; Sec. 3.4)
by ours, by the usual tf.data code, PIL, OpenCV and PyTorch's DataLoader; beside them what only
decodes. And CIFAR's of images in memory, by the batch and by the image. Writes
reports/speed/input.json.
"""

import pathlib
import tempfile
import time

from absl import flags

from benchmarks import harness, photographs
from zoo import program

harness.define()
_FOLDER = flags.DEFINE_string("folder", None, "pictures of an earlier call, for --contender")

TIMED, BATCH, SIZE, SCALES = 1200, 32, 224, (256, 480)
PEER = {"jpeg": "usual_tf_data", "cifar": "by_the_image"}
GOALS = {
    "jpeg": [
        harness.Goal("ours", "usual_tf_data", "images_per_second", 1.4),
        harness.Goal("ours", "raw_decode", "images_per_second", 0.65),
        harness.Goal("ours", "torch_dataloader", "images_per_second", 1.7),
        harness.Goal("ours_with_pca_colour", "ours", "images_per_second", 0.95),
    ],
    "cifar": [harness.Goal("ours_by_the_batch", "by_the_image", "images_per_second", 3.5)],
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one({**CONTENDERS["jpeg"], **CONTENDERS["cifar"]})
        return
    results, failures = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        photographs.write(pathlib.Path(folder) / "photos")
        for part, contenders in CONTENDERS.items():
            results[part], failures[part] = harness.compete(
                "benchmarks.input", contenders, flags.FLAGS.rounds, folder=folder
            )
    harness.write("input", results, failures, peer=PEER, goals=GOALS)


def pictures():
    return sorted(str(path) for path in pathlib.Path(_FOLDER.value).rglob("*.jpg"))


def rate(iterator, images_each):
    """Images a second after the first batch."""
    iterator = iter(iterator)
    next(iterator)
    start, seen = time.perf_counter(), 0
    while seen < TIMED:
        next(iterator)
        seen += images_each
    return {"images_per_second": seen / (time.perf_counter() - start)}


def ours(color=False):
    from trainers.data import folder, pipelines
    from trainers.data.augment import Augmentation
    from zoo.preprocess import InputContract

    files = pictures()
    source = folder.source("folder", "train", ("a",), files, [0] * len(files))
    kind = Augmentation("scale_jitter", scale_range=SCALES, color=color)
    contract = InputContract(SIZE, 256)
    steps = (0, TIMED // BATCH + 10)
    return rate(
        pipelines.train(source, contract, kind, batch_size=BATCH, seed=0, steps=steps), BATCH
    )


def usual_tf_data():
    """Decode, resize at random, crop, mirror; everything autotuned, as the guides have it."""
    import tensorflow as tf

    def read(path):
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        shorter = tf.random.uniform((), SCALES[0], SCALES[1] + 1, tf.int32)
        sides = tf.cast(tf.shape(image)[:2], tf.float32)
        scale = tf.cast(shorter, tf.float32) / tf.reduce_min(sides)
        image = tf.image.resize(image, tf.cast(tf.math.ceil(sides * scale), tf.int32))
        image = tf.image.random_crop(image, (SIZE, SIZE, 3))
        return tf.image.random_flip_left_right(image)

    data = tf.data.Dataset.from_tensor_slices(pictures()).shuffle(photographs.PICTURES).repeat()
    data = data.map(read, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return rate(data, BATCH)


def raw_decode():
    """Nothing but reading and decoding, on all cores: what the others are measured against."""
    import tensorflow as tf

    def read(path):
        return tf.shape(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    data = tf.data.Dataset.from_tensor_slices(pictures()).repeat()
    options = tf.data.Options()
    options.threading.private_threadpool_size = harness.CORES
    options.autotune.enabled = False
    data = data.map(read, harness.CORES).batch(BATCH).with_options(options)
    return rate(data, BATCH)


def image_dataset_from_directory():
    """Keras' own, resized to 256 and not augmented."""
    import keras

    data = keras.utils.image_dataset_from_directory(
        _FOLDER.value, image_size=(256, 256), batch_size=BATCH, verbose=False
    )
    return rate(data.repeat(), BATCH)


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


def on_threads(function):
    """By a thread for each core; both libraries let go of Python's lock while they work."""
    import concurrent.futures
    import itertools

    import numpy as np

    if function is by_opencv:
        import cv2

        cv2.setNumThreads(1)
    files, rng = pictures(), np.random.default_rng(0)
    with concurrent.futures.ThreadPoolExecutor(harness.CORES) as pool:
        endless = itertools.cycle(files)
        batches = (
            np.stack(
                list(pool.map(lambda path: function(path, rng), itertools.islice(endless, BATCH)))
            )
            for _ in itertools.count()
        )
        return rate(batches, BATCH)


def torch_dataloader():
    """Two worker processes with Pillow, as PyTorch's examples have it."""
    import numpy as np
    import torch

    files = pictures()

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return TIMED * 4

        def __getitem__(self, index):
            pixels = by_pil(files[index % len(files)], np.random.default_rng(index))
            return torch.from_numpy(np.ascontiguousarray(pixels))

    loader = torch.utils.data.DataLoader(Pictures(), BATCH, num_workers=harness.CORES)
    return rate(loader, BATCH)


def cifar():
    """60 batches of 128 of the trainer's own pipeline."""
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from zoo.preprocess import InputContract

    contract, kind = InputContract(32, 32), Augmentation("pad_crop")
    batches = pipelines.train(
        cifar_source(), contract, kind, batch_size=128, seed=0, steps=(0, 1000)
    )
    return cifar_rate(batches)


def cifar_source():
    import numpy as np

    from trainers.data import sources

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (10_000, 32, 32, 3)).astype("uint8")
    return sources.in_memory("noise", "train", ["a"], images, np.zeros(len(images), int))


def by_the_image():
    """The usual map of pad, random_crop and flip on each image."""
    import numpy as np
    import tensorflow as tf

    def change(image):
        image = tf.pad(image, ((4, 4), (4, 4), (0, 0)))
        return tf.image.random_flip_left_right(tf.image.random_crop(image, (32, 32, 3)))

    images = np.random.default_rng(0).integers(0, 256, (10_000, 32, 32, 3)).astype("uint8")
    data = tf.data.Dataset.from_tensor_slices(images).shuffle(10_000).repeat()
    data = data.map(change, tf.data.AUTOTUNE).batch(128).prefetch(tf.data.AUTOTUNE)
    return cifar_rate(data)


def cifar_rate(batches):
    iterator = iter(batches)
    for _ in range(20):
        next(iterator)
    start = time.perf_counter()
    for _ in range(400):
        next(iterator)
    return {"images_per_second": 400 * 128 / (time.perf_counter() - start)}


CONTENDERS = {
    "jpeg": {
        "ours": ours,
        "ours_with_pca_colour": lambda: ours(color=True),
        "usual_tf_data": usual_tf_data,
        "raw_decode": raw_decode,
        "image_dataset_from_directory": image_dataset_from_directory,
        "pil": lambda: on_threads(by_pil),
        "opencv": lambda: on_threads(by_opencv),
        "torch_dataloader": torch_dataloader,
    },
    "cifar": {"ours_by_the_batch": cifar, "by_the_image": by_the_image},
}

if __name__ == "__main__":
    program.run(main, __doc__)
