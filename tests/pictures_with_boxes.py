"""Small sets of pictures with boxes in the real formats: COCO's JSON and VOC's folders."""

import io
import json

import numpy as np
from PIL import Image

RED, BLUE = (220, 30, 30), (30, 30, 220)


def drawn(height, width, box, colour=RED):
    """A grey picture with one rectangle, y1, x1, y2, x2 whole pixels: -> (H, W, 3) uint8."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    y1, x1, y2, x2 = box
    pixels[y1:y2, x1:x2] = colour
    return pixels


def encoded(pixels, turn=None, suffix=".jpg"):
    """A PNG, or a JPEG whose Exif says `turn`; the pixels are those stored."""
    out, exif = io.BytesIO(), Image.Exif()
    if turn:
        exif[0x0112] = turn
    options = {"quality": 95, "subsampling": 0, "exif": exif} if suffix == ".jpg" else {}
    Image.fromarray(pixels).save(out, "JPEG" if suffix == ".jpg" else "PNG", **options)
    return out.getvalue()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.write_bytes if isinstance(content, bytes) else path.write_text)(content)
    return path


def coco(root, images, annotations, categories, split="train2017", folder=None):
    """`images` are {file name: (id, pixels or bytes)}, `annotations` dicts as COCO has them."""
    rows = []
    for name, (number, picture) in images.items():
        size = {} if isinstance(picture, bytes) else dict(zip(("height", "width"), picture.shape))
        content = picture if isinstance(picture, bytes) else encoded(picture, suffix=name[-4:])
        write(root / (folder or split) / name, content)
        rows.append({"id": number, "file_name": name, **size})
    table = {
        "images": rows,
        "annotations": [{"id": 10 + n, "iscrowd": 0, **a} for n, a in enumerate(annotations)],
        "categories": [{"id": number, "name": name} for number, name in categories.items()],
    }
    write(root / "annotations" / f"instances_{split}.json", json.dumps(table))
    return root


def voc(root, stem, picture, objects, split=None, size=None):
    """`objects` are (name, (xmin, ymin, xmax, ymax), difficult), counted from 1 as VOC does."""
    content = picture if isinstance(picture, bytes) else encoded(picture)
    write(root / "JPEGImages" / f"{stem}.jpg", content)
    height, width = size or picture.shape[:2]
    things = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult><bndbox><xmin>{x1}</xmin>"
        f"<ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for name, (x1, y1, x2, y2), hard in objects
    )
    text = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>{things}"
    write(root / "Annotations" / f"{stem}.xml", f"<annotation>{text}</annotation>")
    if split:
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        write(path, (path.read_text() if path.exists() else "") + f"{stem}\n")
    return root
