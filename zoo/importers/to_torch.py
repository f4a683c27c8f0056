"""python -m zoo.importers.to_torch: a run directory -> .safetensors in torchvision's layout.

For the nets that torchvision has: option B, strides on the 3x3 (--stride=3x3 when training).
"""

import pathlib

from absl import flags

from zoo import program

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the trained or imported network")
_FILE = flags.DEFINE_string("file", None, "the .safetensors file to write")


def main(arguments):
    missing = [flag.name for flag in (_RUN_DIR, _FILE) if not flag.value]
    if arguments or missing:
        program.usage_error(f"unexpected {arguments}" if arguments else f"missing --{missing[0]}")
    folder = pathlib.Path(_FILE.value).parent
    if not folder.is_dir():
        program.usage_error(f"--file: the directory {folder} is missing: make it first")
    with program.quiet_start():
        import tensorflow as tf

        from zoo import archive
        from zoo.importers import torch_layout

        tf.config.list_logical_devices()
    model, manifest = archive.load(_RUN_DIR.value)
    torch_layout.save(model, manifest.network, _FILE.value)
    print(f"{_FILE.value}: {manifest.network.name} for torchvision")


if __name__ == "__main__":
    program.run(main, __doc__)
