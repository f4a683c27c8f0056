"""python -m benchmarks.detection: our detector beside torchvision's Faster R-CNN, and its parts.

ResNet-50 to conv4 shared, conv5 for each of 128 regions, one picture of 480 x 640, float32, batch
normalisation frozen and all else trained: seconds of a training step and of a picture's detections.
torchvision's blocks have their stride in the 3x3 convolution; so has one contender of ours. Below,
RoIAlign beside tf.image.crop_and_resize, and three NMS of TensorFlow, by turns in one process.
`benchmarks/detection/torchvision_cpu.py` says how to get torchvision on a machine without CUDA.
Writes reports/speed/detection.json.
"""

import functools

from absl import flags

from benchmarks import harness
from benchmarks.detection import ours, parts, peer
from zoo import program

harness.define()

MODULE = "benchmarks.detection"
NETWORKS = {
    "ours": functools.partial(ours.both, "1x1"),
    "ours_stride_in_3x3": functools.partial(ours.both, "3x3"),
    "torchvision": peer.both,
}
FIGURES = "seconds_a_step", "seconds_a_picture"
GOALS = {
    "faster_rcnn": [harness.Goal("ours", "torchvision", x, 2.0) for x in FIGURES],
    **parts.GOALS,
}
PEER = {"faster_rcnn": "torchvision", **parts.PEER}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one({**NETWORKS, **parts.GROUPS}, elsewhere=["torchvision"])
        return
    quick = flags.FLAGS.quick
    found = {name: harness.compete_by_turns(MODULE, name, quick=quick) for name in parts.GROUPS}
    found["faster_rcnn"] = harness.compete(
        MODULE, NETWORKS, flags.FLAGS.rounds, GOALS["faster_rcnn"], quick=quick
    )
    harness.write("detection", found, peer=PEER, goals=GOALS)


if __name__ == "__main__":
    program.run(main, __doc__)
