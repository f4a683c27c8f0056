"""python -m trainers.data.prepare: put a TFDS set on disk, with the set's own builder."""

import time

from absl import flags

from trainers.data.sources import builders
from zoo import program

_DATA = flags.DEFINE_string("data", "fashion_mnist", "the TFDS set to prepare")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where to put it; TFDS has its own default")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    start = time.monotonic()
    with program.quiet_start():
        import tensorflow as tf

        tf.config.list_logical_devices()
    path = builders.prepare(_DATA.value, _DATA_DIR.value)
    print(f"{_DATA.value}: prepared in {path} ({time.monotonic() - start:.0f} s)")


if __name__ == "__main__":
    program.run(main, __doc__)
