"""python -m trainers.predict --run_dir=DIR PICTURE_OR_FOLDER ...: what a network sees in pictures.

Pictures are prepared exactly as evaluation does. A file that is no picture gets its sentence on
standard error, the others go on, and the exit code is 1 at the end. --csv=FILE writes a table in
place of the print: a row a picture with its classes, likeliest first, or with what is wrong.
"""

import json
import pathlib
import sys

from absl import flags

from trainers.judging import options
from zoo import program

options.define_asking()
_JSON = flags.DEFINE_bool("json", False, "print JSON for machines: a list, an object a file")
_CSV = flags.DEFINE_string("csv", None, "write a table there, a row a picture, and print its sums")


def main(paths):
    if not paths:
        program.usage_error("expected pictures or folders to look at, got none")
    if _CSV.value:
        check_csv(pathlib.Path(_CSV.value))
    with program.quiet_start():
        from trainers.judging import pictures
        from zoo import archive

        asked = flags.FLAGS
        model, manifest = archive.load(asked.run_dir, asked.weights)

    guesses = pictures.guess(model, manifest, paths, top=asked.top, batch_size=asked.batch_size)
    if _CSV.value:
        failed = write_csv(_CSV.value, guesses, min(asked.top, len(manifest.class_names)))
    elif _JSON.value:
        failed = print_json([pictures.as_fields(guess) for guess in guesses])
    else:
        failed = print_text(guesses, pictures.as_text)
    for note in pictures.notes(paths, asked.run_dir):
        print(f"NOTE: {note}", file=sys.stderr)
    raise SystemExit(1 if failed else 0)


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
