"""python -m zoo.importers.to_torch: a run directory -> .safetensors in a layout of PyTorch's.

For the nets that torchvision has, option B, strides on the 3x3 (--stride=3x3 when training), its
names; for the 6n + 2 nets those of the CIFAR repositories, whose option A has zeros on both sides.
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
        from zoo.importers.layouts import TORCHVISION

        tf.config.list_logical_devices()
    model, manifest = archive.load(_RUN_DIR.value)
    torch_layout.save(model, manifest.network, _FILE.value)
    known = "torchvision"
    if torch_layout.layout(manifest.network) is not TORCHVISION:
        known = "PyTorch's CIFAR repositories"
    print(f"{_FILE.value}: {manifest.network.name} for {known}")


if __name__ == "__main__":
    program.run(main, __doc__)
