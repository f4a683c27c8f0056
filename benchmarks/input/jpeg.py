"""Who crops JPEGs, and how fast ours is to be; beside the others stands what only decodes."""

import functools

from benchmarks import harness
from benchmarks.input import elsewhere, ours, tf_data

PEER = "usual_tf_data"
GOALS = [
    harness.Goal("ours", "usual_tf_data", "images_per_second", 1.4),
    harness.Goal("ours", "raw_decode", "images_per_second", 0.65),
    harness.Goal("ours", "torch_dataloader", "images_per_second", 1.7),
]
CONTENDERS = {  # of the folder with the pictures
    "ours": ours.of_jpegs,
    "usual_tf_data": tf_data.usual,
    "tfds_load": tf_data.tfds_load,
    "raw_decode": tf_data.raw_decode,
    "image_dataset_from_directory": tf_data.image_dataset_from_directory,
    "pil": functools.partial(elsewhere.on_threads, elsewhere.by_pil),
    "opencv": functools.partial(elsewhere.on_threads, elsewhere.by_opencv),
    "torch_dataloader": elsewhere.torch_dataloader,
}
ELSEWHERE = ("pil", "opencv", "torch_dataloader")  # not on TensorFlow
