"""Files that are whole or absent, and stay so when the power goes: flushed before they have a name.

Every file that we keep is written by way of `replacing` or `settle`. A temporary file is named for
the process that writes it, so that what a killed one left behind is known for what it is.
"""

import contextlib
import csv
import functools
import hashlib
import itertools
import json
import os
import pathlib
import re
import socket
import time

ABANDONED_SECONDS = 24 * 3600  # of another machine's file: then nobody writes it any more


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path of the same ending; it becomes `path` if the block ends well.

    The temporary name starts with a dot, so that a reader of the folder passes over it, and is
    removed if the block raises.
    """
    path = pathlib.Path(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def settle(source, target):
    """Gives a written file, or a directory of them, its name for good.

    Its bytes are on the disk before it has the name, and the name is there when this returns.
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    for inside in sorted(source.rglob("*")) if source.is_dir() else ():
        flush(inside)
    flush(source)
    os.replace(source, target)
    flush(target.parent)


def flush(path):
    """Waits until a file's bytes, or a directory's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path):
    """The directory and those above it, where they are missing, their names on the disk."""
    path = pathlib.Path(path)
    missing = [p for p in (path, *path.parents) if not p.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        flush(made.parent)
    return path


def temporary_name(path):
    """The path beside it that this process writes first: `.HOST-PID-START.NAME`."""
    path = pathlib.Path(path)
    return path.with_name(f".{own_mark()}.{path.name}")


def sweep(directory):
    """Removes the temporary files and directories of processes that are no more."""
    for left in pathlib.Path(directory).glob(".*-*-*.*"):
        mark = re.fullmatch(r"\.(?P<host>[\w-]*)-(?P<pid>\d+)-(?P<start>\d+)\..+", left.name)
        if mark and is_dead(left, **mark.groupdict()):
            remove(left)


def is_dead(left, host, pid, start):
    """Whether nobody writes it any more; of another machine, whether it has lain for a day."""
    if host == own_host():
        return started(pid) != start
    with contextlib.suppress(FileNotFoundError):
        return time.time() - left.stat().st_mtime > ABANDONED_SECONDS
    return False


def remove(path):
    """A file, or a directory and what is in it; one that is gone already is no failure."""
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            for inside in path.iterdir():
                remove(inside)
            path.rmdir()
        else:
            path.unlink()


def own_mark():
    """What a temporary file is named for: this machine, this process, when it was started."""
    return f"{own_host()}-{os.getpid()}-{started(os.getpid())}"


@functools.cache
def own_host():
    return re.sub(r"[^\w-]", "_", socket.gethostname())[:40]


def started(pid):
    """When a process was started, in ticks since the machine was, as digits; "" if there is none.

    A number that is given again, as the first of every container is, is told apart by it.
    """
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def write_text(path, text):
    r"""The text as UTF-8; bytes of a file's name that are no text as `\udc80` to `\udcff`.

    In JSON that is the name again when it is read.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path, value):
    """Readable JSON; ValueError on NaN or infinity, which JSON does not have."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def write_csv(path, header, rows):
    """A table as RFC 4180 has it, lines ended by LF, in UTF-8; None is an empty field.

    Rows may be a generator. What is no text, as a file's name may be, is written with backslashes.
    """
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(itertools.chain([header], rows))


def sha256(path):
    """Of the file's bytes, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
