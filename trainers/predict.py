"""python -m trainers.predict --run_dir=DIR PICTURE_OR_FOLDER ...: what a network sees in pictures.

Of a classifier's run the likeliest classes of each picture; --csv=FILE writes a table in place of
the print: a row a picture with its classes, or with what is wrong. Of a detector's the objects: a
PNG of each picture with its boxes, detections.json in COCO's results format, and images.json, which
says what its numbers are. Pictures are prepared exactly as evaluation does. A file that is no
picture gets its sentence on standard error, the others go on, and the exit code is 1 at the end.
"""

import json
import pathlib
import sys

from absl import flags

from trainers.judging import options
from zoo import limits, program

options.define_asking()
_JSON = flags.DEFINE_bool("json", False, "print JSON for machines: a list, an object a file")
_CSV = flags.DEFINE_string("csv", None, "write a table there, a row a picture, and print its sums")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "a detector's pictures and results; default: RUN_DIR/predictions"
)
_LEAST_SCORE = limits.DEFINE_float("least_score", 0.5, "of a detector's boxes, to draw and print")
# Which flags have no say for a run's kind.
NOT_FOR = {"classifier": ("output_dir", "least_score"), "detector": ("top", "batch_size", "csv")}


def main(paths):
    if not paths:
        program.usage_error("expected pictures or folders to look at, got none")
    if _CSV.value:
        check_csv(pathlib.Path(_CSV.value))
    with program.quiet_start():
        from trainers.judging import pictures
        from zoo import archive

        asked = flags.FLAGS
        kind = archive.load_manifest(asked.run_dir).kind
        if kind not in NOT_FOR:
            raise archive.ArchiveError(
                f"{asked.run_dir:.80} holds a {kind}, expected a classifier or a detector; "
                "trainers.evaluate_localisation shows what a localiser finds"
            )
        foreign = [name for name in NOT_FOR[kind] if asked[name].present]
        if foreign:
            program.usage_error(f"--{foreign[0]} has no meaning for a {kind}: leave it out")
        model, manifest = archive.load(asked.run_dir, asked.weights, kind=kind)

    failed = {"classifier": classify, "detector": detect}[kind](model, manifest, paths)
    for note in pictures.notes(paths, asked.run_dir):
        print(f"NOTE: {note}", file=sys.stderr)
    raise SystemExit(1 if failed else 0)


def classify(model, manifest, paths):
    """Prints the likeliest classes, or writes the table; returns how many files failed."""
    from trainers.judging import pictures

    asked = flags.FLAGS
    guesses = pictures.guess(model, manifest, paths, top=asked.top, batch_size=asked.batch_size)
    if _CSV.value:
        return write_csv(_CSV.value, guesses, min(asked.top, len(manifest.class_names)))
    return printed(guesses, pictures.as_fields, pictures.as_text)


def detect(model, manifest, paths):
    """Draws and prints what is found; returns how many files failed."""
    from trainers.judging.detection import asking

    place = pathlib.Path(_OUTPUT_DIR.value or pathlib.Path(flags.FLAGS.run_dir) / "predictions")
    told = dict(class_names=manifest.class_names, least_score=_LEAST_SCORE.value)
    failed = printed(
        asking.look_at(model, manifest, paths, place, _LEAST_SCORE.value),
        lambda sight: asking.as_fields(sight, **told),
        lambda sight: asking.as_text(sight, **told),
    )
    if not _JSON.value:
        print(f"written: {place}/{asking.DETECTIONS}, {asking.IMAGES}, a PNG of each picture")
    return failed


def printed(answers, as_fields, as_text):
    """Prints answers as a list in JSON, or as text; returns how many are errors."""
    if _JSON.value:
        return print_json([as_fields(answer) for answer in answers])
    return print_text(answers, as_text)


def check_csv(path):
    """Ends the program where no table could be written, before any picture is looked at."""
    if _JSON.value:
        program.usage_error("--csv and --json are two ways to answer: leave one out")
    if path.is_dir() or not path.absolute().parent.is_dir():
        program.usage_error(f"--csv: expected a file in a folder that is there, got {path}")


def write_csv(path, guesses, top):
    """Writes each as it comes; errors on standard error too: -> how many there were."""
    from trainers.judging import pictures
    from zoo import disks, files, progress

    counted = {"pictures": 0, "failed": 0}

    def rows():
        for guess in guesses:
            counted["failed" if guess.error else "pictures"] += 1
            if guess.error:
                print(f"{guess.file}: {guess.error}", file=sys.stderr, flush=True)
            yield pictures.as_row(guess, top)

    with disks.told(pathlib.Path(path).absolute().parent):
        looked_at = progress.over(rows(), "looking at pictures", None)
        files.write_csv(path, pictures.columns(top), looked_at)
    failed = f", {counted['failed']:,} that could not be read" * bool(counted["failed"])
    print(f"written: {path}: {counted['pictures']:,} pictures{failed}")
    return counted["failed"]


def print_json(items):
    """Prints the list, errors on standard error too; returns how many there were."""
    print(json.dumps(items, indent=2, ensure_ascii=False), flush=True)
    failed = [item for item in items if "error" in item]
    for item in failed:
        print(f"{item['file']}: {item['error']}", file=sys.stderr)
    return len(failed)


def print_text(guesses, as_text):
    """Prints each as it comes, sentences on standard error; returns how many there were."""
    failed = 0
    for guess in guesses:
        if guess.error:
            failed += 1
            print(f"{guess.file}: {guess.error}", file=sys.stderr, flush=True)
        else:
            print(as_text(guess), flush=True)
    return failed


if __name__ == "__main__":
    program.run(main, __doc__)
