"""python -m export.tflite --run_dir=DIR --quantize=int8: a TFLite file for LiteRT and MediaPipe.

Writes OUTPUT_DIR/1/model.tflite, then 2, 3 ..., labels and input contract packed inside. An int8
file takes uint8 pixels as they are; the others take the same pixels as float32. A detector becomes
float32 alone, with the signature detect. Compared with the
network on real images first; on a miss the exit code is 1, nothing is published, and a table
says which layer lost the signal.
"""

from absl import flags

from export import command
from zoo import limits, program

_QUANTIZE = flags.DEFINE_enum(
    "quantize", "none", ("none", "float16", "dynamic", "int8"), "weights, or everything, in 8 bits"
)
_CALIBRATION = limits.DEFINE_integer(
    "calibration_images", 200, "training images that int8 ranges are measured on"
)


def main(arguments):
    if flags.FLAGS["calibration_images"].present and _QUANTIZE.value != "int8":
        program.usage_error("--calibration_images is for --quantize=int8: give that too")
    calibrate = _CALIBRATION.value if _QUANTIZE.value == "int8" else 0
    command.export(f"tflite-{_QUANTIZE.value}", arguments, calibrate)


if __name__ == "__main__":
    program.run(main, __doc__)
