"""python -m trainers.predict --run_dir=DIR PICTURE_OR_FOLDER ...: what a network sees in pictures.

Pictures are prepared exactly as evaluation does. A file that is no picture gets its sentence on
standard error, the others go on, and the exit code is 1 at the end.
"""

import json
import sys

from absl import flags

from trainers.judging import options
from zoo import program

options.define_asking()
_JSON = flags.DEFINE_bool("json", False, "print JSON for machines: a list, an object a file")


def main(paths):
    if not paths:
        program.usage_error("expected pictures or folders to look at, got none")
    with program.quiet_start():
        from trainers.judging import pictures
        from zoo import archive

        asked = flags.FLAGS
        model, manifest = archive.load(asked.run_dir, asked.weights)

    guesses = pictures.guess(model, manifest, paths, top=asked.top, batch_size=asked.batch_size)
    if _JSON.value:
        failed = print_json([pictures.as_fields(guess) for guess in guesses])
    else:
        failed = print_text(guesses, pictures.as_text)
    for note in pictures.notes(paths, asked.run_dir):
        print(f"NOTE: {note}", file=sys.stderr)
    raise SystemExit(1 if failed else 0)


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
