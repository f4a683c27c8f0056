"""Our pipeline on JPEGs, without and with the PCA colour."""

import functools

from benchmarks import harness
from benchmarks.input import crops

COLOR_PEER = "ours"
COLOR_GOALS = [harness.Goal("ours_with_pca_colour", "ours", "images_per_second", 0.95)]


def of_jpegs(folder, color=False):
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from trainers.data.sources import folder as folders
    from zoo.preprocess import InputContract

    paths = crops.pictures(folder)
    source = folders.source("folder", "train", ("a",), paths, [0] * len(paths))
    kind = Augmentation("scale_jitter", scale_range=crops.SCALES, color=color)
    contract = InputContract(crops.SIZE, 256)
    settings = dict(batch_size=crops.BATCH, seed=0, steps=(0, crops.TIMED + 10))
    return crops.rate(pipelines.train(source, contract, kind, **settings))


def color_by_turns(folder, rounds):
    """Ours without and with the PCA colour."""
    without, with_it = (functools.partial(of_jpegs, folder, color) for color in (False, True))
    return harness.by_turns({"ours": without, "ours_with_pca_colour": with_it}, rounds)
