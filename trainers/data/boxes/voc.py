"""Pascal VOC folders: VOCdevkit/VOC2007, VOC2012, or one folder as labelling tools write it.

A year, or the folder itself, has Annotations/*.xml, JPEGImages/ and ImageSets/Main/SPLIT.txt. VOC
counts pixels from 1 and its corners are within the box: xmin .. xmax are the edges xmin - 1, xmax.
"""

import hashlib
import pathlib
import xml.etree.ElementTree as ElementTree

from trainers.data import sources
from trainers.data.boxes import files
from trainers.data.boxes.files import Annotated, Object
from trainers.data.sources import folder
from trainers.data.sources.listing import SUFFIXES, short

LISTS = {"train": "train", "validation": "val", "test": "test"}
JOINED = {"trainval": ("train", "validation"), "all": tuple(LISTS)}
CORNERS = ("ymin", "xmin", "ymax", "xmax")


def load(name, split, *, data_dir=None, seed: int = 0) -> sources.Source:
    """All years together; `difficult` objects are to be ignored.

    Classes are those of all lists, in alphabetical order. Without lists `seed` and each name draw
    a fifth for validation.
    """
    if not data_dir:
        raise sources.DataError(f"{name}: expected --data_dir with VOC's folders, got none")
    root = pathlib.Path(data_dir).expanduser()
    found = {}
    for year in years(name, root):
        for part, stems in lists(name, year, seed).items():
            found.setdefault(part, []).extend(parse(name, year, stem) for stem in stems)
    names = sorted({thing[0] for part in found.values() for _, things in part for thing in things})
    chosen = [p for each in JOINED.get(split, (split,)) for p in found.get(each, [])]
    if not chosen or not names:
        raise sources.DataError(
            f"{name}: expected annotated pictures of {split} in {root}, found those of "
            f"{', '.join(part for part in found if found[part]) or 'no split'}"
        )
    label = {each: number for number, each in enumerate(names)}
    pictures = [
        picture._replace(
            image_id=number,
            objects=[Object(w, label[n], box, hard) for n, w, box, hard in things],
        )
        for number, (picture, things) in enumerate(chosen, start=1)
    ]
    classes = {each: number for number, each in enumerate(names, start=1)}
    digests = {
        part: hashlib.blake2b(repr(things).encode(), digest_size=8).hexdigest()
        for part, things in ((p, [(c.image_id, c.size, t) for c, t in found[p]]) for p in found)
    }
    return files.source_of(name, split, root, classes, pictures, {"set": name, "splits": digests})


def years(name, root):
    """The folders that have Annotations/."""
    for place in (root, root / "VOCdevkit"):
        if (place / "Annotations").is_dir():
            return [place]
        found = sorted(p.parent for p in place.glob("*/Annotations") if p.is_dir())
        if found:
            return found
    if any(root.glob("*.xml")):
        return [root]
    raise sources.DataError(f"{name}: expected Annotations/ in {root}, or in folders of it")


def lists(name, year, seed):
    """{split: names of its pictures}, of the lists that are there and annotated, or drawn."""
    place, found = year / "ImageSets" / "Main", {}
    for split, word in LISTS.items():
        path = place / f"{word}.txt"
        if path.is_file():
            stems = path.read_text(encoding="utf-8").split()
            if any(document(year, stem).is_file() for stem in stems):  # VOC2012's test is not
                found[split] = stems
    if found:
        return found
    stems = sorted(path.stem for path in document(year, "x").parent.glob("*.xml"))
    held_out = {s for s in stems if folder.share_of(s, seed) < folder.HELD_OUT}
    held_out = held_out or set(stems[-1:] if len(stems) > 1 else ())
    return {
        "train": [stem for stem in stems if stem not in held_out],
        "validation": [stem for stem in stems if stem in held_out],
    }


def document(year, stem):
    place = year / "Annotations"
    return (place if place.is_dir() else year) / f"{stem}.xml"


def parse(name, year, stem):
    """A picture without its objects, its number its name; (class, where, box, difficult) each."""
    path = document(year, stem)
    size, noted, things = content(name, path)
    return Annotated(picture_of(name, year, path, noted), size, stem, []), things


def content(name, path):
    """What a document tells: (height, width) or None, the picture's name, its objects."""
    try:
        tree = ElementTree.parse(path).getroot()
        size = tree.find("size")
        size = size is not None and tuple(int(size.findtext(k, "0")) for k in ("height", "width"))
        things = [
            thing_of(number, thing) for number, thing in enumerate(tree.findall("object"), start=1)
        ]
    except (OSError, ElementTree.ParseError, TypeError, ValueError) as error:
        told = "no such file" if isinstance(error, OSError) else f"{error!s:.90}"
        raise sources.DataError(
            f"{name}: {short(str(path))}: expected VOC's XML with a name and a bndbox for each "
            f"object: {told}"
        ) from None
    size = size if size and min(size) > 0 else None
    return size, tree.findtext("filename") or "", things


def thing_of(number, thing):
    """One `object` element, its box as continuous edges."""
    label = (thing.findtext("name") or "").strip()
    corners = [thing.findtext(f"bndbox/{corner}") for corner in CORNERS]
    if not label or None in corners:
        raise ValueError(f"object {number} lacks its name or a corner")
    y1, x1, y2, x2 = map(float, corners)
    return label, f"object {number}", (y1 - 1, x1 - 1, y2, x2), thing.findtext("difficult") == "1"


def picture_of(name, year, path, noted):
    """The picture's path: by the document's own name, else by the one that it notes."""
    places = [year / "JPEGImages", year / "images", year]
    candidates = [p / f"{path.stem}{suffix}" for p in places for suffix in SUFFIXES]
    candidates += [p / noted for p in places if noted]
    found = next((str(c) for c in candidates if c.is_file()), None)
    if found is None:
        raise sources.DataError(
            f"{name}: {short(str(path))}: no picture {path.stem}.jpg in {short(str(places[0]))}"
        )
    return found
