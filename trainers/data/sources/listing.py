"""Which files of a directory are pictures, of which class and split; TensorFlow is not needed.

Directories are laid out as torchvision, Keras, fast.ai or Roboflow write them: `CLASS/...`, or
`train/CLASS/...` with `validation`, `val` or `valid` and `test` beside it, any of them missing.
"""

import collections
import dataclasses
import os
import pathlib
import shlex
import typing

from trainers.data.sources.source import DataError

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp")
# Pictures that TensorFlow 2.21 has no decoder for: counted, and named to the person.
FOREIGN = (
    *(".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".tga", ".exr"),
    *(".ppm", ".pgm", ".pbm", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2"),
)
SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
JUNK = ("__MACOSX", "@eaDir")  # what macOS' archives and Synology's disks add, pictures' copies
LONGEST_NAME = 40  # characters of a file's name in a sentence


class Picture(typing.NamedTuple):
    """A file by its name relative to the root, `/` between folders; no split: to be drawn."""

    name: str
    label: str
    split: str | None = None


@dataclasses.dataclass(frozen=True)
class Listing:
    """The pictures under `root`, by class, then by name, and how many others there are of a kind.

    `left_out` counts the picture-like files that are not read: {".tif": 12, "in unsup/": 3}.
    """

    root: pathlib.Path
    pictures: tuple[Picture, ...]
    left_out: dict[str, int]

    def path(self, picture):
        return str(self.root / picture.name)

    def __str__(self):
        left_out = f"; {as_text(self.left_out)} left out" if self.left_out else ""
        return f"{len(self.pictures):,} pictures{left_out}"


def listed(root, pictures, left_out) -> Listing:
    """A Listing in its order, which no file system has a say in."""
    ordered = sorted(pictures, key=lambda picture: (picture.label, picture.name))
    return Listing(root, tuple(ordered), dict(left_out))


def read(root: pathlib.Path) -> Listing:
    """The pictures of a directory. DataError where it cannot be told which class they are of."""
    folders, direct = visible(root)
    require_no_pictures(root, direct)
    if not folders:
        raise DataError(f"folder: expected a folder a class in {root}, found no folder")
    splits = split_folders(root, folders)
    left_out, pictures = collections.Counter(), []
    for folder, split in splits.items() if splits else [(root, None)]:
        classes, direct = visible(folder)
        require_no_pictures(folder, direct)
        for label in classes:
            inside = walk(folder / label, left_out)
            require_pictures(folder / label, inside)
            names = (path.relative_to(root).as_posix() for path in inside)
            pictures += [Picture(name, label, split) for name in names]
    if splits:
        for name in folders:
            if root / name not in splits:
                beside = walk(root / name, left_out)
                left_out[f"in {name}/"] += len(beside)
    else:
        require_classes(root, folders)
    return listed(root, pictures, +left_out)


def visible(folder: pathlib.Path) -> tuple[list[str], list[str]]:
    """Names of the folders and of the files in `folder`, sorted, without what systems hide there.

    A link counts as what it leads to, one that leads nowhere not at all.
    """
    folders, found = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in JUNK:
                continue
            if entry.is_dir():
                folders.append(entry.name)
            elif entry.is_file():
                found.append(entry.name)
    return sorted(folders), sorted(found)


def walk(folder: pathlib.Path, left_out, above=()) -> list[pathlib.Path]:
    """Pictures in `folder` at any depth; those that cannot be decoded go into the counter."""
    here = os.path.realpath(folder)
    if here in above:  # a link to a folder around it
        return []
    folders, names = visible(folder)
    left_out.update(s for s in map(suffix_of, names) if s in FOREIGN)
    found = [folder / name for name in names if suffix_of(name) in SUFFIXES]
    for name in folders:
        found += walk(folder / name, left_out, (*above, here))
    return found


def suffix_of(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def split_folders(root, folders) -> dict[pathlib.Path, str]:
    """{directory: split} where `root` holds splits, and not classes of which one is called so."""
    named = [n for n in folders if n.lower() in SPLIT_NAMES and visible(root / n)[0]]
    splits = {root / name: SPLIT_NAMES[name.lower()] for name in named}
    doubled = collections.Counter(splits.values()).most_common(1)
    if doubled and doubled[0][1] > 1:
        names = " and ".join(p.name for p, split in splits.items() if split == doubled[0][0])
        raise DataError(f"folder: {names} in {root} mean the same split: expected one of them")
    others = [name for name in folders if splits and name.lower() not in SPLIT_NAMES]
    if "train" in splits.values() and len(splits) > 1:
        return splits
    if any(walk(root / name, collections.Counter()) for name in others):
        return {}
    return splits


def require_no_pictures(folder, names) -> None:
    """A picture beside the folders has no class, or another one than its neighbours think."""
    found = [name for name in names if suffix_of(name) in (*SUFFIXES, *FOREIGN)]
    if found:
        raise DataError(
            f"folder: expected each picture in its class' folder, found {count(len(found), found)} "
            f"in {folder} itself: move them into one, or elsewhere"
        )


def require_pictures(folder, found) -> None:
    """A class without pictures cannot be learned."""
    if found:
        return
    others = collections.Counter()
    walk(folder, others)
    if others:
        raise DataError(
            f"folder: all pictures of {folder} are of kinds that TensorFlow cannot decode "
            f"({as_text(others)}): convert them to PNG or JPEG"
        )
    raise DataError(
        f"folder: expected pictures ({' '.join(SUFFIXES)}) in {folder}, found none: put some "
        "there, or take the empty folder out"
    )


def require_classes(root, folders) -> None:
    """DataError where the folders in `root` look like anything but classes."""
    inner = {name: visible(root / name)[0] for name in folders}
    first = folders[0]
    if all(name.lower() in SPLIT_NAMES for name in folders):
        raise DataError(
            f"folder: expected a folder a class in {root / first}, found pictures without one"
        )
    if len(folders) == 1 and inner[first]:
        meant = shlex.quote(f"--data_dir={root / first}")
        raise DataError(
            f"folder: expected a folder a class in {root}, found {first} alone, with folders in "
            f"it: is {meant} meant?"
        )
    if all("train" in map(str.lower, names) for names in inner.values()):
        raise DataError(
            f"folder: expected train/CLASS in {root}, found CLASS/train, as in {root / first}"
        )


def count(number: int, names) -> str:
    """How many, and the first of them: "3 pictures (a.jpg ...)"."""
    shown = short(names[0]) + (" ..." if number > 1 else "")
    return f"{number:,} picture{'s' * (number > 1)} ({shown})"


def short(name: str) -> str:
    """A file's name in a sentence: its end, where names differ."""
    return name if len(name) <= LONGEST_NAME else f"...{name[-LONGEST_NAME + 3 :]}"


def as_text(left_out) -> str:
    """What is not read, most first: "12 .tif, 3 .heic"."""
    kinds = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds)
