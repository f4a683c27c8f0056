"""How a folder was read and drawn before runs wrote their split down: for runs of that time.

Pictures directly in a class' folder, a fifth of them drawn by a sample of their sorted paths.
"""

import pathlib
import random

from trainers.data.sources.listing import DataError, Listing, Picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")
SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "val")}


def read(root: pathlib.Path, seed: int, held_out: float) -> Listing:
    """Every picture with its split. DataError for a class of none, or of one to be drawn from."""
    splits = {
        split: root / name
        for split, names in SPLIT_NAMES.items()
        for name in names
        if (root / name).is_dir()
    }
    if len(splits) < len(SPLIT_NAMES):
        splits = {None: root}
    pictures = []
    for split, folder in splits.items():
        classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        for inner in classes:
            files = sorted(str(p) for p in inner.iterdir() if p.suffix.lower() in SUFFIXES)
            if len(files) < (1 if split else 2):
                raise DataError(f"folder: expected more pictures in {inner}, found {len(files)}")
            count = 0 if split else max(1, round(held_out * len(files)))
            chosen = set(random.Random(f"{seed}/{inner.name}").sample(files, count))
            for file in files:
                drawn = split or ("validation" if file in chosen else "train")
                name = pathlib.Path(file).relative_to(root).as_posix()
                pictures.append(Picture(name, inner.name, drawn))
    return Listing(root, tuple(pictures), {})
