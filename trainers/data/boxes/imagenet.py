"""ImageNet's localisation task (App. C): the boxes that TFDS' imagenet2012 builder leaves out.

`DIR/Annotations/CLS-LOC/train/WNID/*.xml` and `.../val/*.xml`, VOC's documents, with pictures in
`DIR/Data/CLS-LOC/` beside them, as the challenge's archive has it; DIR may be the folder above,
too. Pictures without a document, over half of the training set, are left out.

As in TensorFlow's own preparation of it, boxes are shares of the size that a document notes, which
is not each picture's, and a training picture is of its folder's class: some of its objects have a
name in words, and those of another class' number are left out.
"""

import hashlib
import pathlib

import numpy as np

from trainers.data import sources
from trainers.data.boxes import files, heads, voc
from trainers.data.boxes.files import Annotated, Object
from trainers.data.sources.listing import short

FOLDERS = {"train": "train", "validation": "val"}
JOINED = {"trainval": tuple(FOLDERS), "all": tuple(FOLDERS)}
ANNOTATIONS, PICTURES = ("Annotations", "CLS-LOC"), ("Data", "CLS-LOC")


def load(name, split, *, data_dir=None, seed: int = 0) -> sources.Source:
    """Classes are WordNet's numbers, in the order of TFDS' labels."""
    root = root_of(name, data_dir)
    classes = classes_of(name, root)
    listed = {part: documents(root, part) for part in FOLDERS}
    chosen = [path for part in JOINED.get(split, (split,)) for path in listed.get(part, ())]
    if not chosen:
        raise sources.DataError(
            f"{name}: expected annotations of {split} in {short(str(root.joinpath(*ANNOTATIONS)))}"
            f", found those of {', '.join(part for part in listed if listed[part]) or 'no split'}"
        )
    paths = [picture_of(name, root, path) for path in chosen]
    pictures = [
        annotated(name, path, (number, str(picture), head), classes)
        for number, (path, picture, head) in enumerate(
            zip(chosen, paths, heads.of_files(paths), strict=True), start=1
        )
    ]
    facts = {part: digest(root, found) for part, found in listed.items()}
    numbers = {label: number for number, label in enumerate(classes, start=1)}
    facts = {"set": name, "splits": facts}
    return files.source_of(name, split, root, numbers, pictures, facts)


def root_of(name, data_dir):
    """The folder that has Annotations/CLS-LOC."""
    if not data_dir:
        raise sources.DataError(f"{name}: expected --data_dir with Annotations/CLS-LOC, got none")
    place = pathlib.Path(data_dir).expanduser()
    for root in (place, place / "ILSVRC"):
        if root.joinpath(*ANNOTATIONS).is_dir():
            return root
    raise sources.DataError(
        f"{name}: expected Annotations/CLS-LOC and Data/CLS-LOC in {short(str(place))}, as the "
        "challenge's localisation archive has them"
    )


def classes_of(name, root):
    """The folders of training annotations, sorted: {WordNet's number: class}."""
    place = root.joinpath(*ANNOTATIONS, "train")
    found = sorted(path.name for path in place.glob("*") if path.is_dir())
    if not found:
        raise sources.DataError(f"{name}: expected a folder for each class in {short(str(place))}")
    return {label: number for number, label in enumerate(found)}


def documents(root, part):
    """The XML files of a split, by their folders, then names."""
    pattern = "*/*.xml" if part == "train" else "*.xml"
    return sorted(root.joinpath(*ANNOTATIONS, FOLDERS[part]).glob(pattern))


def picture_of(name, root, path):
    """The picture of a document: the same name in Data/."""
    inner = path.relative_to(root.joinpath(*ANNOTATIONS))
    picture = root.joinpath(*PICTURES, inner).with_suffix(".JPEG")
    if not picture.is_file():
        raise sources.DataError(
            f"{name}: {short(str(inner))}: no picture {short(str(picture.relative_to(root)))}"
        )
    return picture


def annotated(name, path, about, classes):
    """A document and what is known of its picture, (number, path, head) -> Annotated."""
    number, picture, head = about
    noted, _, things = voc.content(name, path)
    kinds = [path.parent.name, *(thing[0] for thing in things)]  # of a validation picture the first
    label = next((kind for kind in kinds if kind in classes), None)
    if label is None:
        raise sources.DataError(
            f"{name}: {short(str(path))}: expected an object of one of {len(classes):,} classes, "
            f"got {', '.join(kinds[1:3]) or 'none':.60}"
        )
    (height, width), turn = head
    stored, seen = (height, width), (width, height) if turn > 4 else (height, width)
    size, scale = noted, np.ones(4)
    if noted and noted not in (stored, seen) and min(seen):
        size, scale = seen, np.tile(np.divide(seen, noted), 2)
    objects = [
        Object(where, classes[label], tuple((np.array(box) * scale).tolist()))
        for kind, where, box, _ in things
        if kind == label or kind not in classes
    ]
    return Annotated(picture, size, number, objects, head)


def digest(root, documents):
    """BLAKE2b, 64 bits, of the documents' names."""
    names = "\n".join(path.relative_to(root).as_posix() for path in documents)
    return hashlib.blake2b(names.encode(), digest_size=8).hexdigest()
