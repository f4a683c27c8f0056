"""python -m trainers.explain --run_dir=DIR [PICTURE_OR_FOLDER ...]: where a network looks.

Grad-CAM (Selvaraju et al. 2017): beside each picture, as the network is shown it, a map over it of
what speaks for its likeliest class, or for --label. Without a picture the worst mistakes of the
held-out images are explained, each for what it was called and for what it is. A PNG a picture and
explain.json go to --output_dir.
"""

import pathlib
import sys

from absl import flags

from trainers.judging import options
from zoo import limits, program

OF_MISTAKES = ("data", "data_dir", "accept_changed_data", "split", "limit", "images")
OF_PICTURES = ("top", "label")

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the run, or import, to ask", required=True)
_WEIGHTS = flags.DEFINE_string("weights", "model", "the run's own, or another set of its manifest")
_LAYER = flags.DEFINE_string(
    "layer", None, "whose map: conv1 ... conv5, or a layer's name; default: the last one"
)
_TOP = limits.DEFINE_integer("top", 1, "of pictures: so many classes each, likeliest first")
_LABEL = flags.DEFINE_string("label", None, "of pictures: the class to explain, in their place")
_DATA = flags.DEFINE_string("data", None, "other images than the run's own, for mistakes")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
options.define_accepting({"flag_values": flags.FLAGS})
_SPLIT = flags.DEFINE_enum("split", "validation", options.SPLITS, "whose mistakes")
_LIMIT = limits.DEFINE_integer("limit", None, "judge at most so many images for mistakes")
_IMAGES = limits.DEFINE_integer("images", 12, "at most so many mistakes, worst first; 30 at most")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "default: explain in the run's directory")


def main(paths):
    for name in OF_MISTAKES if paths else OF_PICTURES:
        if flags.FLAGS[name].present:
            other = "worst mistakes: give no pictures" if paths else "pictures: name some"
            program.usage_error(f"--{name} is for {other}")
    if _LABEL.value is not None and flags.FLAGS["top"].present:
        program.usage_error("--label takes the place of the likeliest classes: leave --top out")
    with program.quiet_start():
        from trainers.judging import explaining
        from trainers.plan import images

    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text at all
    output_dir = pathlib.Path(_OUTPUT_DIR.value or pathlib.Path(_RUN_DIR.value) / "explain")
    asked = explaining.Asked(
        *(_RUN_DIR.value, _WEIGHTS.value, _LAYER.value, _TOP.value, _LABEL.value, output_dir)
    )
    if paths:
        found = explaining.of_pictures(asked, paths)
    else:
        other = images.Images(_DATA.value, _DATA_DIR.value, flags.FLAGS.accept_changed_data)
        count = _IMAGES.value
        found = explaining.of_mistakes(asked, other, _SPLIT.value, _LIMIT.value, count)
    raise SystemExit(1 if print_all(found, explaining.archive, output_dir) else 0)


def print_all(found, archive, output_dir):
    """A line for each picture, sentences on standard error: -> how many those were."""
    names = archive.load_manifest(_RUN_DIR.value).class_names
    drawn = failed = 0
    for file, each, told in found:
        if each is None:
            failed += 1
            print(f"{file}: {told}", file=sys.stderr, flush=True)
            continue
        drawn += 1
        pairs = zip(each.classes, each.probabilities, strict=True)
        print(f"{told}  {file}: {', '.join(f'{names[c]} {p:.1%}' for c, p in pairs)}", flush=True)
    if drawn:
        print(f"written: {output_dir}: {drawn} picture{'s' * (drawn > 1)}, explain.json")
    elif not failed:
        print("no mistakes to explain")
    return failed


if __name__ == "__main__":
    program.run(main, __doc__)
