"""A detector small enough for tests, with random weights and a run directory of its own."""

import functools

import keras
import numpy as np
import pictures_with_boxes as made
import tensorflow as tf
from export_networks import randomised

import zoo
from zoo import archive
from zoo.detection.network import build_detector
from zoo.detection.preprocess import DetectionInput
from zoo.detection.specs import Detector

NAMES = ("cup", "owl", "pen")
# Stored sizes; the second is a photograph on its side. At most 48 px, shorter side 40.
SIZES = {"a.png": (40, 48), "b.jpg": (36, 60), "c.png": (70, 52), "d.png": (40, 40)}
SIDEWAYS = 6  # Exif's orientation: seen 60 x 36


@functools.cache
def network():
    """A small detector of random weights that believes in what it sees, and its description."""
    keras.utils.set_random_seed(0)
    described = Detector(
        zoo.Network("resnet8", 1, None, "A"),
        len(NAMES),
        sizes=(8.0, 16.0),
        bins=4,
        rpn_filters=8,
        proposals_before=60,
        proposals=12,
        detections=10,
    )
    model = randomised(build_detector(described))
    rng = np.random.default_rng(0)
    scales = {"rpn_logits": 0.02, "rpn_deltas": 0.005, "class_logits": 0.003, "box_deltas": 0.002}
    for name, scale in scales.items():
        kernel, bias = model.get_layer(name).get_weights()
        if name == "class_logits":
            bias[-1] = -1  # the background
        model.get_layer(name).set_weights([scale * rng.normal(size=kernel.shape), bias])
    return model, described


def save_run(root):
    """The run directory ROOT/run; its pictures, ROOT/data, are four of random pixels."""
    rng = np.random.default_rng(1)
    images = {}
    for number, (name, (height, width)) in enumerate(SIZES.items()):
        coarse = rng.uniform(0, 255, (1, height // 4, width // 4, 3))
        pixels = np.uint8(tf.image.resize(coarse, (height, width), "nearest")[0])
        turn = SIDEWAYS if name == "b.jpg" else None
        images[name] = (number, made.encoded(pixels, turn, name[-4:]))
    objects = [{"image_id": 0, "category_id": 5, "bbox": [1, 2, 9, 8], "area": 72}]
    categories = dict(zip((5, 6, 9), NAMES))
    for split in ("train2017", "val2017"):
        made.coco(root / "data", images, objects, categories, split)
    model, described = network()
    data = {"name": "coco", "data_dir": str(root / "data"), "seed": 0, "category_ids": [5, 6, 9]}
    contract = DetectionInput(40, 48)
    manifest = archive.Manifest(described, contract, NAMES, data, kind="detector")
    archive.save(model, manifest, root / "run")
    return root / "run"
