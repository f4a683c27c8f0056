"""python -m export.page --run_dir=DIR --output_dir=DIR: a page that classifies, in a browser.

Writes OUTPUT_DIR/1, then 2, 3 ...: index.html with a TFLite file and LiteRT.js, which npm fetches
at the first use. Any static server will do (`python -m http.server -d OUTPUT_DIR/1`), and the
pictures stay in the browser. The file is compared with the network on real images first; on a miss
the exit code is 1 and nothing is published. Sample pictures are published with it.
"""

from absl import flags

from export import command
from zoo import limits, program

_QUANTIZE = flags.DEFINE_enum(
    "quantize", "none", ("none", "float16", "dynamic", "int8"), "int8 is a quarter to download"
)
_CALIBRATION = limits.DEFINE_integer(
    "calibration_images", 200, "training images that int8 ranges are measured on"
)


def main(arguments):
    program.no_arguments(arguments)
    if flags.FLAGS["calibration_images"].present and _QUANTIZE.value != "int8":
        program.usage_error("--calibration_images is for --quantize=int8: give that too")
    with program.quiet_start():
        from export.formats import page
    page.fetch()  # before minutes of work
    target = command.export(
        f"page-{_QUANTIZE.value}",
        arguments,
        _CALIBRATION.value if _QUANTIZE.value == "int8" else 0,
    )
    print(f"to see it: python -m http.server --bind 127.0.0.1 -d {target}, then localhost:8000")


if __name__ == "__main__":
    program.run(main, __doc__)
