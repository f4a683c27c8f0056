"""python -m export.saved_model --run_dir=DIR --output_dir=DIR: a TensorFlow SavedModel.

Writes OUTPUT_DIR/1, then 2, 3 ...: the layout that TensorFlow Serving watches. Signatures:
serving_default (`images`: pixels 0-255), serve_bytes (`image_bytes`: encoded JPEG, PNG, BMP,
GIF, WebP) and features; of a detector detect (boxes in the pixels given) and detect_bytes (boxes in
each picture's own pixels). Compared with the network on real images first; on a miss the exit code
is 1 and nothing is published.
"""

from absl import flags

from export import command
from zoo import program

_WEIGHTS_AS = flags.DEFINE_enum(
    "weights_as",
    "variables",
    ("variables", "constants"),
    "variables load and first answer several times as fast and take a fraction of the memory; "
    "constants then answer single images faster, on CPUs",
)


def main(arguments):
    constants = _WEIGHTS_AS.value == "constants"
    command.export("saved_model-constants" if constants else "saved_model", arguments)


if __name__ == "__main__":
    program.run(main, __doc__)
