"""COCO's JSON, read directly: the official sets, and what labelling tools export.

`DIR/annotations/instances_SPLIT*.json` with pictures in `DIR/SPLIT*/`, or Roboflow's
`DIR/SPLIT/_annotations.coco.json` beside its pictures.
"""

import json
import pathlib

from trainers.data import sources
from trainers.data.boxes import files
from trainers.data.boxes.files import Annotated, Object
from trainers.data.sources.listing import short

NAMES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
JOINED = {"trainval": ("train", "validation"), "all": tuple(NAMES)}


def load(name, split, *, data_dir=None, seed: int = 0) -> sources.Source:
    """Crowds are to be ignored; ids may have gaps; results' ids are `annotations.category_ids`."""
    if not data_dir:
        raise sources.DataError(f"{name}: expected --data_dir with annotations/, got none")
    root = pathlib.Path(data_dir).expanduser()
    found = {each: tables_of(root, each) for each in NAMES}
    chosen = [found[each] for each in JOINED.get(split, (split,)) if found[each]]
    if not chosen or (split == "trainval" and len(chosen) < 2):
        raise sources.DataError(
            f"{name}: expected annotations/instances_{NAMES[JOINED.get(split, (split,))[0]][0]}"
            f"*.json in {root} for {split}, found none"
        )
    classes, pictures = None, []
    for table in chosen:
        content = Table(name, table, root)
        if classes not in (None, content.classes):
            raise sources.DataError(
                f"{name}: {chosen[0].name} and {table.name} have other categories: expected the "
                "same names and ids in both"
            )
        classes = content.classes
        pictures += content.pictures()
    digests = {each: files.digest(path) for each, path in found.items() if path}
    return files.source_of(name, split, root, classes, pictures, {"set": name, "splits": digests})


def tables_of(root, split):
    """The JSON file of a split, if there is one."""
    found = [
        path
        for word in NAMES[split]
        for path in (
            *root.glob(f"annotations/instances_{word}*.json"),
            *root.glob(f"{word}/_annotations.coco.json"),
        )
        if word != "val" or not path.stem.startswith("instances_valid")
    ]
    if len(found) > 1:
        raise sources.DataError(
            f"coco: {found[0].name} and {found[1].name} in {root} are both for {split}: expected "
            "one of them; move the other elsewhere"
        )
    return found[0] if found else None


class Table:
    """One JSON file: its categories, and its pictures with their objects."""

    def __init__(self, name, path, root):
        self.name, self.path, self.root = name, path, root
        try:
            content = json.loads(path.read_bytes())
            self.images, self.categories = content["images"], content["categories"]
            self.objects = content["annotations"]
            ids = [int(category["id"]) for category in self.categories]
            self.classes = {str(c["name"]): int(c["id"]) for c in self.categories}
            self.label = {number: label for label, number in enumerate(ids)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.fail(f"expected COCO's images, annotations and categories ({error!r:.60})")
        if not ids or len(self.classes) != len(ids) or len(self.label) != len(ids):
            self.fail("expected categories, each with a name and an id of its own")

    def fail(self, sentence):
        raise sources.DataError(f"{self.name}: {short(str(self.path))}: {sentence}") from None

    def pictures(self) -> list[Annotated]:
        """In the file's order."""
        places, found = self.places(), {}
        for image in self.images:
            number, file = image.get("id"), image.get("file_name")
            if not isinstance(number, int) or not isinstance(file, str) or number in found:
                self.fail(f"image {number!r:.20}: expected an id of its own and a file_name")
            path = next((str(p / file) for p in places if (p / file).is_file()), None)
            if path is None:
                self.fail(f"image {number}: no file {short(file)} in {short(str(places[0]))}")
            size = image.get("height"), image.get("width")
            size = size if all(isinstance(side, int) and side > 0 for side in size) else None
            found[number] = Annotated(path, size, number, [])
        for thing in self.objects:
            if thing.get("image_id") not in found:
                self.fail(
                    f"annotation {thing.get('id')}: no image has its image_id "
                    f"{thing.get('image_id')!r:.20}"
                )
            found[thing["image_id"]].objects.append(self.object_of(thing))
        return list(found.values())

    def places(self):
        """Where pictures may be: the folder named as the file is, then others."""
        stem = self.path.stem.removeprefix("instances_")
        folders = (self.root / stem, self.root / "images" / stem, self.path.parent)
        return [p for p in (*folders, self.root / "images", self.root) if p.is_dir()]

    def object_of(self, thing) -> Object:
        """x, y, width, height from the left upper corner -> an Object."""
        where = f"annotation {thing.get('id')}"
        label = self.label.get(thing.get("category_id"))
        if label is None:
            self.fail(
                f"{where}: no category has its category_id {thing.get('category_id')!r:.20}; "
                f"expected one of {len(self.label)}, such as {next(iter(self.label))}"
            )
        try:
            x, y, width, height = map(float, thing["bbox"])
        except (KeyError, TypeError, ValueError):
            self.fail(
                f"{where}: expected bbox: [x, y, width, height], got {thing.get('bbox')!r:.40}"
            )
        area = thing.get("area")
        area = float(area) if isinstance(area, int | float) and not isinstance(area, bool) else None
        return Object(where, label, (y, x, y + height, x + width), bool(thing.get("iscrowd")), area)
