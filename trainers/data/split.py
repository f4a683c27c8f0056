"""`split.json`: what a run trains on and is judged by, written down when it first starts.

Of a folder every picture of both splits: its name relative to the data directory, its class, its
size and a hash; of a prepared set its fingerprint. Later starts, and whoever judges the network,
take the pictures from there, so that what comes and goes in the directory moves none of them.
"""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
import typing

from trainers.data import sources
from zoo import files

NAME = "split.json"
FORMAT = 1
EDGE = 4096  # bytes at a file's beginning and at its end, which its hash is of
THREADS = 16  # readers of those: what they wait for is the disk
PART = 256  # files a task of a thread: one by one takes twice as long


class File(typing.NamedTuple):
    """One picture; `hash` is BLAKE2b, 64 bits, of its first and last EDGE bytes."""

    name: str
    label: str
    bytes: int
    hash: str


@dataclasses.dataclass(frozen=True)
class Split:
    """`files` of each split, or the `fingerprint` of a set that has none.

    `images` are the counts at the run's first start. `passed_over` are the names of pictures that
    were added later; the run went on without them. `shorter_px` is the side that sized the run,
    `hold_out` how many training images are validated on in place of a test set.
    """

    data: str
    data_dir: str | None
    seed: int
    class_names: tuple[str, ...]
    images: dict[str, int]
    files: dict[str, tuple[File, ...]]
    fingerprint: dict | None = None
    passed_over: tuple[str, ...] = ()
    shorter_px: int | None = None
    hold_out: int = 0


def of(splits, data_dir, seed, shorter_px=None, hold_out=0) -> Split | None:
    """What two Sources hold, {split: Source}; None where nothing could change: digits."""
    train = splits["train"]
    if not train.listing and train.fingerprint is None:
        return None
    return Split(
        train.name,
        os.path.abspath(os.path.expanduser(data_dir)) if data_dir else None,
        seed,
        train.class_names,
        {name: source.length for name, source in splits.items()},
        {name: described(source.pictures, source.files) for name, source in splits.items()},
        train.fingerprint,
        shorter_px=shorter_px,
        hold_out=hold_out,
    )


def described(pictures, paths) -> tuple[File, ...]:
    """Pictures with their sizes and hashes."""
    parts = [paths[i : i + PART] for i in range(0, len(paths), PART)]
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda part: [facts_of(path) for path in part], parts)
        facts = itertools.chain.from_iterable(found)
        return tuple(File(p.name, p.label, *fact) for p, fact in zip(pictures, facts, strict=True))


def facts_of(path) -> tuple[int, str]:
    """(size, hash) of a file; all of it is read only where it is small."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        edges = file.read(EDGE)
        if size > EDGE:
            file.seek(max(EDGE, size - EDGE))
            edges += file.read(EDGE)
    return size, hashlib.blake2b(edges, digest_size=8).hexdigest()


def write(run_dir, split: Split) -> None:
    """A line for each picture, so that people can search and compare; names as ASCII."""
    fields = dataclasses.asdict(split)
    rows = {
        name: ",\n".join(json.dumps(file) for file in files)
        for name, files in fields.pop("files").items()
    }
    lines = [
        *(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items()),
        f' "format": {FORMAT}',
        f' "columns": {json.dumps(File._fields)}',
        *(f" {json.dumps(name)}: [\n{text}\n ]" for name, text in rows.items()),
    ]
    files.write_text(pathlib.Path(run_dir) / NAME, "{\n" + ",\n".join(lines) + "\n}\n")


def read(run_dir) -> Split | None:
    """What was written; None if nothing was. DataError where it cannot be read."""
    path = pathlib.Path(run_dir) / NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["format"] != FORMAT:
            raise ValueError(f"format {fields['format']}, expected {FORMAT}")
        names = [field.name for field in dataclasses.fields(Split) if field.name != "files"]
        fields = {"hold_out": 0} | fields  # which earlier runs know nothing of
        rows = {name: tuple(File(*row) for row in fields[name]) for name in sources.SPLITS}
        kept = {name: fields[name] for name in names}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise sources.DataError(
            f"{path} cannot be read ({str(error):.60}): restore it from a copy; it says which "
            "pictures were trained on"
        ) from None
    kept |= {name: tuple(kept[name]) for name in ("class_names", "passed_over")}
    return Split(files=rows, **kept)
