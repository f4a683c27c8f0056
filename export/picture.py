"""A picture of predictions: what the artifact says of the first held-out images."""

import numpy as np
from PIL import Image, ImageDraw

from zoo import writing

CELL, LINE, COLUMNS = 144, 22, 8
POINTS, ASCENT = 13, 14  # px: of the letters, from the top of a line to what they stand on
RIGHT, WRONG, PLAIN = (0, 110, 50), (190, 30, 30), (60, 60, 60)


def draw(path, images, probabilities, class_names):
    """Writes a PNG of (N, S, S, 3) pixels with each first class and its score under it.

    Green where it is the label, red with the label where it is not, grey where none is known.
    """
    count = len(probabilities)
    rows = -(-count // COLUMNS)
    columns = min(count, COLUMNS)
    sheet = Image.new("RGB", (columns * CELL, rows * (CELL + 2 * LINE)), "white")
    for number in range(count):
        row, column = divmod(number, COLUMNS)
        label = None if images.labels is None else int(images.labels[number])
        top_left = column * CELL, row * (CELL + 2 * LINE)
        sheet.paste(thumbnail(images.pixels[number]), (top_left[0] + 4, top_left[1] + 4))
        caption(sheet, top_left, probabilities[number], label, class_names)
    sheet.save(path, "PNG")


def thumbnail(pixels):
    small = pixels.shape[0] < CELL  # each pixel of a small image is to be seen
    image = Image.fromarray(np.uint8(np.rint(pixels)))
    side = CELL - 8
    return image.resize((side, side), Image.Resampling.NEAREST if small else Image.Resampling.BOX)


def caption(sheet, top_left, probabilities, label, class_names):
    first = int(np.argmax(probabilities))
    color = PLAIN if label is None else RIGHT if first == label else WRONG
    lines = [f"{class_names[first]}  {probabilities[first]:.0%}"]
    if label not in (None, first):
        lines.append(f"is {class_names[label]}")
    pen = ImageDraw.Draw(sheet)
    for number, text in enumerate(lines):
        place = top_left[0] + 6, top_left[1] + CELL + number * (LINE - 4) + ASCENT
        writing.write(pen, place, writing.shortened(text, POINTS, CELL - 10), POINTS, color)
