"""python -m export.onnx --run_dir=DIR: an ONNX file, opset 18.

Writes OUTPUT_DIR/1/model.onnx, then 2, 3 ...: `images`, pixels 0-255, to `logits` and
`probabilities`, of a detector to `boxes`, `scores`, `class_ids` and `count`. Compared with the
network on real images, by onnxruntime, first; on a miss the exit code is 1 and nothing is
published.
"""

from export import command
from zoo import program


def main(arguments):
    command.export("onnx", arguments)


if __name__ == "__main__":
    program.run(main, __doc__)
