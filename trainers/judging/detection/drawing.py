"""Boxes drawn on pictures: what was found, what is there, both side by side.

Small pictures are enlarged pixel by pixel, large ones shrunk, so that a name can be read on each.
"""

import colorsys
import dataclasses
import math

import numpy as np
from PIL import Image, ImageDraw

from zoo import writing

LEAST_PX, MOST_PX = 480, 1000  # of the longer side, drawn
COARSE_PX = 128  # of a smaller picture each pixel is to be seen
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (150, 150, 150)
LEAST_LUMA = 105
NAME = 24  # characters of a name at a box, at most
GOLDEN = (math.sqrt(5) - 1) / 2  # of the circle of hues: neighbours in number are far apart


@dataclasses.dataclass(frozen=True)
class Box:
    """One box in the picture's own pixels (y1, x1, y2, x2), what is written at it, its colour."""

    edges: tuple
    text: str
    colour: tuple[int, int, int]


def colour(number):
    """The colour of a class, the same in every picture, none too dark: -> (R, G, B)."""
    value, saturation = ((1.0, 0.75), (0.8, 1.0), (1.0, 0.45))[number % 3]
    rgb = 255 * np.array(colorsys.hsv_to_rgb(number * GOLDEN % 1, saturation, value))
    white = max(0.0, (LEAST_LUMA - luma(rgb)) / (255 - luma(rgb)))
    return tuple(np.rint(rgb + white * (255 - rgb)).astype(int).tolist())


def luma(rgb):
    """How light a colour looks (ITU-R BT.601): (R, G, B) -> 0 to 255."""
    return float(np.dot(rgb, (0.299, 0.587, 0.114)))


def of_detections(boxes, scores, classes, class_names):
    """A Box for each detection, best last so that it lies on top."""
    rows = zip(np.asarray(boxes).tolist(), scores, classes)
    made = [
        Box(tuple(edges), f"{brief(class_names[kind])} {score:.0%}", colour(int(kind)))
        for edges, score, kind in rows
    ]
    return made[::-1]


def of_truth(boxes, classes, ignore, class_names):
    """A Box for each labelled object; an ignored one is grey, its name in brackets."""
    rows = zip(np.asarray(boxes).tolist(), classes, ignore)
    return [
        Box(
            tuple(edges),
            f"({brief(class_names[kind])})" if passed else brief(class_names[kind]),
            GREY if passed else colour(int(kind)),
        )
        for edges, kind, passed in rows
    ]


def brief(name):
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def draw(pixels, boxes, least_px=LEAST_PX, most_px=MOST_PX):
    """A picture with its boxes and their names: (H, W, 3) uint8 -> PIL image."""
    image, scale = sized(pixels, least_px, most_px)
    pen = ImageDraw.Draw(image)
    width = max(2, round(max(image.size) / 300))
    placed = [rectangle(box, scale, image.size) for box in boxes]
    for box, edges in zip(boxes, placed):
        pen.rectangle(grown(edges, 1), outline=BLACK, width=width + 2)
        pen.rectangle(edges, outline=box.colour, width=width)
    taken = []
    for box, edges in reversed(list(zip(boxes, placed))):  # the best has its choice of places
        if box.text:
            taken.append(tag(pen, image.size, box, edges, taken))
    return image


def sized(pixels, least_px, most_px):
    """The picture at a size to be read, and how much larger it is: -> (PIL image, scale)."""
    image = Image.fromarray(np.asarray(pixels, np.uint8))
    longer = max(image.size)
    scale = 1.0
    if longer < least_px:
        scale = math.ceil(least_px / longer) if longer <= COARSE_PX else least_px / longer
    elif longer > most_px:
        scale = most_px / longer
    method = Image.Resampling.NEAREST if longer <= COARSE_PX else Image.Resampling.LANCZOS
    size = [max(1, round(side * scale)) for side in image.size]
    return (image.resize(size, method) if scale != 1 else image), scale


def rectangle(box, scale, size):
    """The box on the drawn picture, its edges within and in order: -> (x1, y1, x2, y2)."""
    y1, x1, y2, x2 = (round(edge * scale) for edge in box.edges)
    right, bottom = size[0] - 1, size[1] - 1
    x1, x2 = sorted(min(max(x, 0), right) for x in (x1, x2 - 1))
    y1, y2 = sorted(min(max(y, 0), bottom) for y in (y1, y2 - 1))
    return x1, y1, x2, y2


def grown(edges, by):
    x1, y1, x2, y2 = edges
    return x1 - by, y1 - by, x2 + by, y2 + by


def tag(pen, size, box, edges, taken):
    """Writes a box's text where there is room: above it, below, or in it: -> what it covers."""
    px = max(12, round(max(size) / 45))
    text = writing.shortened(box.text, px, size[0] - 4)
    left, top, right, bottom = writing.extent(text, px)
    wide, high = right - left + 4, bottom - top + 4
    x1, y1, x2, y2 = edges
    x, end = min(x1, size[0] - wide), max(0, x2 + 1 - wide)
    places = [(x, y1 - high), (x, y1), (x, y2 + 1), (x, y2 + 1 - high), (end, y1 - high), (end, y1)]
    spots = [(a, b, a + wide, b + high) for a, b in places if 0 <= b <= size[1] - high]
    spots = spots or [(x, max(0, min(y1, size[1] - high))) + (x + wide, y1 + high)]
    spot = next((s for s in spots if not any(meet(s, other) for other in taken)), spots[0])
    pen.rectangle((spot[0], spot[1], spot[2] - 1, spot[3] - 1), fill=box.colour)
    writing.write(pen, (spot[0] + 2 - left, spot[1] + 2 - top), text, px, BLACK)
    return spot


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
