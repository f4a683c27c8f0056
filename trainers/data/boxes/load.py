"""Finds a set of pictures with boxes by its name; libraries are imported for those that need them.

What comes is a `sources.Source`, its labels a dict of tensors, a row a picture, M the most objects
that any picture of the split has, 1 at least:
    boxes (B, M, 4) float32   y1, x1, y2, x2: continuous edges, pixels of the picture as it is seen
    classes (B, M) int32      0 .. K-1; -1 fills up
    ignore (B, M) bool        a crowd, or VOC's difficult: neither learned nor judged
and whose `annotations` has the same without a look at the pictures.
"""

import importlib

from trainers.data import sources

SPLITS = (*sources.SPLITS, "trainval", "test", "all")
_LOADERS = {
    "scenes": "scenes",
    "scenes_single": "scenes",
    "coco": "coco",
    "voc": "voc",
    "imagenet": "imagenet",
}
TFDS = ("voc/2007", "voc/2012", "coco/2017")
KNOWN = (*_LOADERS, *TFDS)
BUILT_IN = ("scenes", "scenes_single")  # which need no directory


def load(name: str, split: str, *, data_dir: str | None = None, seed: int = 0, **options):
    """The set called `name`, one of KNOWN: -> Source with `annotations`. Raises DataError.

    `trainval` is train and validation together. The scenes take `length`.
    """
    if name not in KNOWN:
        raise sources.DataError(f"data: expected one of {', '.join(KNOWN)}, got {name!r:.60}")
    if split not in SPLITS:
        raise sources.DataError(f"{name}: expected one of its splits {SPLITS}, got {split!r:.40}")
    loader = importlib.import_module(f"{__package__}.{_LOADERS.get(name, 'tfds')}")
    return loader.load(name, split, data_dir=data_dir, seed=seed, **options)
