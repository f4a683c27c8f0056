"""Examples that could not be read: noted while a stream passes over them, listed in `skipped.txt`.

Which ones a finished run met follows from its seed, its steps and the files alone: what was noted
before a kill is merged with what is noted after it.
"""

import dataclasses
import pathlib
import threading

from trainers.data import sources
from zoo import files, texts

NAME = "skipped.txt"


class Skipped:
    """The unreadable examples of one source, by their index; filled by the stream's threads."""

    def __init__(self):
        self.indices = set()
        self.lock = threading.Lock()

    def add(self, index):
        """For tf.numpy_function: () int64 -> () int64, the same."""
        with self.lock:
            self.indices.add(int(index))
        return index

    def names(self, source):
        """`split<tab>file`, or the index where there is no file, in the order of the indices."""
        with self.lock:
            chosen = sorted(self.indices)
        named = [texts.on_one_line(source.files[i]) if source.files else i for i in chosen]
        return [f"{source.split}\t{name}" for name in named]


def tolerant(source):
    """The source, its unreadable examples to be passed over and noted."""
    return dataclasses.replace(source, skipped=Skipped())


def merge(run_dir, own):
    """Adds `Skipped.names` to the file's lines: -> all lines. No file without any."""
    path = pathlib.Path(run_dir) / NAME
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = sorted({*there, *own})
    if lines != there:
        files.write_text(path, "".join(f"{line}\n" for line in lines))
    return lines


def check(lines, source, limit, run_dir):
    """DataError where more than the share `limit` of a split's examples is listed."""
    count = sum(line.startswith(f"{source.split}\t") for line in lines)
    if count > limit * source.length:
        raise sources.DataError(
            f"{source.name}: {count:,} of {source.length:,} examples of {source.split} cannot be "
            f"read, expected at most {limit:.2%} (--max_skipped); {pathlib.Path(run_dir) / NAME} "
            "names them: replace or remove them"
        )
