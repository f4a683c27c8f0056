"""A picture of detections: the boxes that the artifact finds in the first pictures."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL, MARGIN, COLUMNS = 240, 4, 4
SHOWN_SCORE = 0.5  # of a hundred boxes most are hardly believed
COLOURS = ((230, 60, 40), (30, 110, 230), (20, 140, 60), (200, 110, 0), (150, 50, 190))


def draw(path, images, answers, class_names):
    """Writes a PNG of (h, w, 3) pixels with each box of SHOWN_SCORE and more, its class and score.

    Where a picture has none so sure, its best is drawn.
    """
    columns = min(len(images), COLUMNS)
    rows, step = -(-len(images) // COLUMNS), CELL + 2 * MARGIN
    sheet = Image.new("RGB", (columns * step, rows * step), "white")
    for number, (pixels, answer) in enumerate(zip(images, answers, strict=True)):
        row, column = divmod(number, COLUMNS)
        place = column * step + MARGIN, row * step + MARGIN
        sheet.paste(one(pixels, answer, class_names), place)
    sheet.save(path, "PNG")


def one(pixels, answer, class_names):
    """A picture at the size of a cell, with its boxes."""
    height, width = pixels.shape[:2]
    scale = CELL / max(height, width)
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    image = Image.fromarray(np.uint8(np.rint(pixels)))
    image = image.resize([max(1, round(side * scale)) for side in (width, height)], method)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    shown = max(int(np.sum(answer.scores >= SHOWN_SCORE)), min(1, len(answer.scores)))
    for box, score, kind in list(zip(*answer))[:shown][::-1]:  # the best on top
        y1, x1, y2, x2 = (float(edge) * scale for edge in box)
        colour = COLOURS[kind % len(COLOURS)]
        pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=colour, width=2)
        text = f"{class_names[kind]} {score:.0%}"
        place = min(x1, image.width - pen.textlength(text, font=font)), max(0, y1 - 15)
        pen.rectangle(pen.textbbox(place, text, font=font), fill="white")
        pen.text(place, text, fill=colour, font=font)
    return image
