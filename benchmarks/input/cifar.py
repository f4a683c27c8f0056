"""CIFAR's augmentation of images in memory: a pad of 4, a crop of 32, mirror (Sec. 4.2).

By the batch, as ours is, and by the image, as the usual map has it.
"""

from benchmarks import harness, noise

WARM_UP, TIMED, BATCH = 20, 400, 128  # of batches, and the images of one
IMAGES = 10_000
PEER = "by_the_image"
GOALS = [harness.Goal("ours_by_the_batch", "by_the_image", "images_per_second", 3.5)]


def rate(batches):
    return harness.images_per_second(batches, BATCH, WARM_UP, TIMED)


def ours_by_the_batch():
    """The trainer's own pipeline."""
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from zoo.preprocess import InputContract

    contract, kind = InputContract(32, 32), Augmentation("pad_crop")
    steps = (0, WARM_UP + TIMED + 10)
    source = noise.source(IMAGES)
    return rate(pipelines.train(source, contract, kind, batch_size=BATCH, seed=0, steps=steps))


def by_the_image():
    """The usual map of pad, random_crop and flip on each image."""
    import tensorflow as tf

    def change(image):
        image = tf.pad(image, ((4, 4), (4, 4), (0, 0)))
        return tf.image.random_flip_left_right(tf.image.random_crop(image, (32, 32, 3)))

    data = tf.data.Dataset.from_tensor_slices(noise.images(IMAGES)).shuffle(IMAGES).repeat()
    data = data.map(change, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return rate(data)


CONTENDERS = {"ours_by_the_batch": ours_by_the_batch, "by_the_image": by_the_image}
