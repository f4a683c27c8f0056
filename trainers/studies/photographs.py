"""A small set of real photographs that needs no download: tiles of those in Python packages.

A class is a photograph, an image a square of it. No pixel is in two images, so what is held out
has never been seen; it still is of the same picture, which makes the set easier than others' cats.
"""

import importlib.util
import pathlib
import random

import tensorflow as tf

from trainers.studies import jobs
from zoo import files, preprocess

TILE_PX = 48
HELD_OUT = 24  # tiles of each photograph
INSIDE = {
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "matplotlib": ("mpl-data/sample_data/grace_hopper.jpg",),
    "skimage": (
        *("data/astronaut.png", "data/chelsea.png", "data/coffee.png"),
        *("data/brick.png", "data/camera.png", "data/grass.png", "data/gravel.png"),
        *("data/moon.png", "data/ihc.png", "data/motorcycle_left.png"),
        *("data/hubble_deep_field.jpg", "data/retina.jpg", "data/rocket.jpg"),
    ),
}
# What a net is fine-tuned on, and what another was trained on before: no photograph is in both.
TARGET = ("astronaut", "chelsea", "china", "coffee", "flower", "grace_hopper")
SOURCE = (
    *("brick", "camera", "grass", "gravel", "hubble_deep_field", "ihc", "moon"),
    *("motorcycle_left", "retina", "rocket"),
)
CREDIT = (
    "The photographs china and flower are under CC BY 2.0, by danielbuechele and vultilion, as "
    "shipped by scikit-learn."
)


def installed(names):
    """Where the photographs are, in the packages that are here: names -> {name: path}."""
    found = {}
    for package, inner in INSIDE.items():
        spec = importlib.util.find_spec(package)
        if spec is not None:
            root = pathlib.Path(spec.submodule_search_locations[0])
            found |= {pathlib.Path(path).stem: root / path for path in inner}
    missing = [name for name in names if name not in found or not found[name].is_file()]
    if missing:
        raise jobs.StudyError(
            f"the photographs {', '.join(missing)} are in packages that are not here: "
            "pip install matplotlib scikit-image"
        )
    return {name: found[name] for name in names}


def write(root, photographs, per_class, seed):
    """`root/train/CLASS/` with `per_class` tiles and `root/validation/CLASS/` with HELD_OUT.

    The seed draws both. What is there already is left alone, so a study can be resumed.
    """
    for name, path in photographs.items():
        drawn = tiles(preprocess.decode(tf.io.read_file(str(path))))
        random.Random(f"{seed}/{name}").shuffle(drawn)
        if len(drawn) < HELD_OUT + per_class:
            raise jobs.StudyError(
                f"{name} has {len(drawn)} tiles: expected {HELD_OUT} to hold out and {per_class} "
                "to train on"
            )
        parts = {"validation": drawn[:HELD_OUT], "train": drawn[HELD_OUT:][:per_class]}
        for split, images in parts.items():
            folder = pathlib.Path(root) / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(images):
                with files.replacing(folder / f"{number:03}.png") as temporary:
                    temporary.write_bytes(tf.io.encode_png(image).numpy())


def tiles(image):
    """The squares of a grid over the picture, what is left at its edges dropped: a list."""
    rows, columns = (side // TILE_PX for side in image.shape[:2])
    return [
        image[y * TILE_PX : (y + 1) * TILE_PX, x * TILE_PX : (x + 1) * TILE_PX]
        for y in range(rows)
        for x in range(columns)
    ]
