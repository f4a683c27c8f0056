"""Sheets of pictures as PNG files: labelled beside found, the worst misses and false alarms."""

import functools

import numpy as np
from PIL import Image, ImageDraw

from trainers.judging.detection import drawing, objects, voc
from zoo import files, preprocess, writing

COLUMNS, CELL_PX, LINE_PX, MARGIN = 6, 240, 17, 6
LETTER_PX, ASCENT = 12, 12  # of the letters, from the top of a line to what they stand on
AROUND = 1.0  # of a mistake's box, how much of its sides is shown on each side of it
LEAST_AROUND_PX = 16
PAIRS = 8  # pictures shown labelled beside found
SHOWN_SCORE = 0.5  # the least, of what is drawn as found


def reader(source, contract):
    """A function from a picture's number to its upright pixels (H, W, 3) uint8; one is kept."""

    @functools.lru_cache(maxsize=1)
    def read(number):
        images, _ = source.fetch(np.array([number]))
        if source.image_shape:
            return np.asarray(images[0])
        return preprocess.read(images[0], contract).numpy()

    return read


def grid(path, images, captions, columns=COLUMNS):
    """Pictures of any sizes in cells, each above its lines; of none a sheet that says so."""
    columns = max(1, min(columns, len(images)))
    wide = max([CELL_PX, *(image.width for image in images)]) + 2 * MARGIN
    lines = max([1, *map(len, captions)])
    tall = max([0, *(image.height for image in images)]) + lines * LINE_PX + 2 * MARGIN
    rows = max(1, -(-len(images) // columns))
    sheet = Image.new("RGB", (columns * wide, rows * tall), drawing.WHITE)
    pen = ImageDraw.Draw(sheet)
    for number, (image, caption) in enumerate(zip(images, captions)):
        row, column = divmod(number, columns)
        left, top = column * wide + MARGIN, row * tall + MARGIN
        sheet.paste(image, (left, top))
        write(pen, (left, top + image.height + 2), caption, wide - 2 * MARGIN)
    if not images:
        write(pen, (MARGIN, MARGIN), ["none"], wide)
    save(path, sheet)


def write(pen, corner, lines, width):
    for number, line in enumerate(lines):
        place = corner[0], corner[1] + number * LINE_PX + ASCENT
        text = writing.shortened(line, LETTER_PX, width)
        writing.write(pen, place, text, LETTER_PX, drawing.BLACK)


def save(path, image):
    """A PNG: whole, or not at all; the same bytes every time."""
    with files.replacing(path) as temporary:
        image.save(temporary, "PNG")


def pairs(path, truth, found, read, least=SHOWN_SCORE):
    """The first pictures, evenly over all, as they are labelled and as they were found."""
    how = f" with {least:.0%} or more" if least else ""
    places = np.unique(np.linspace(0, len(truth.pictures) - 1, PAIRS).round().astype(int))
    shown, captions = [], []
    for number in truth.pictures[places].tolist():
        pixels = read(number)
        shown += [labelled(pixels, truth, number), detected(pixels, truth, found, number, least)]
        captions += [["labelled"], [f"found{how}"]]
    grid(path, shown, captions, columns=4)


def labelled(pixels, truth, number):
    """A picture with its labelled objects."""
    rows = objects.on_picture(truth, number)
    columns = truth.boxes[rows], truth.classes[rows], truth.ignore[rows]
    return drawing.draw(pixels, drawing.of_truth(*columns, truth.class_names))


def detected(pixels, truth, found, number, least=SHOWN_SCORE):
    """A picture with its detections of a score of `least` on."""
    rows = objects.on_picture(found, number)
    kept = found.scores[rows] >= least
    columns = (column[rows][kept] for column in (found.boxes, found.scores, found.classes))
    return drawing.draw(pixels, drawing.of_detections(*columns, truth.class_names))


def misses(path, listed, truth, found, read):
    """Objects that nothing found, white, with what lies nearest in its class' colour."""
    shown = in_reading_order(listed, truth, lambda one: of_miss(one, truth, found, read))
    grid(path, shown, [lines_of_miss(one, truth, found) for one in listed])


def false_alarms(path, listed, truth, found, read):
    """Wrong detections in their classes' colours, with the object that lies nearest in white."""
    shown = in_reading_order(listed, found, lambda one: of_alarm(one, truth, found, read))
    grid(path, shown, [lines_of_alarm(one, truth, found) for one in listed])


def in_reading_order(listed, them, make):
    """What `make` makes of each, in their order; made picture by picture, each read once."""
    order = np.argsort([them.picture[one.row] for one in listed], kind="stable")
    made = {number: make(listed[number]) for number in order}
    return [made[number] for number in range(len(listed))]


def of_miss(one, truth, found, read):
    near = [] if one.other == voc.NOBODY else [(found, one.other, True)]
    return window(read(int(truth.picture[one.row])), [*near, (truth, one.row, False)])


def of_alarm(one, truth, found, read):
    near = [] if one.other == voc.NOBODY else [(truth, one.other, False)]
    return window(read(int(found.picture[one.row])), [*near, (found, one.row, True)])


def window(pixels, shown):
    """The last box's surroundings with all the boxes: [(them, row, coloured), ...] -> PIL image."""
    edges = [them.boxes[row] for them, row, _ in shown]
    top, left, bottom, right = around(edges[-1], pixels.shape[:2])
    boxes = [
        drawing.Box(
            tuple(box - (top, left, top, left)),
            "",
            drawing.colour(int(them.classes[row])) if coloured else drawing.WHITE,
        )
        for box, (them, row, coloured) in zip(edges, shown)
    ]
    return drawing.draw(pixels[top:bottom, left:right], boxes, CELL_PX, CELL_PX)


def around(box, height_width):
    """Whole pixels about a box and within the picture: -> top, left, bottom, right."""
    margin = np.maximum(AROUND * (box[2:] - box[:2]), LEAST_AROUND_PX)
    first = np.floor(np.clip(box[:2] - margin, 0, np.subtract(height_width, 1)))
    last = np.ceil(np.clip(box[2:] + margin, first + 1, height_width))
    return (*first.astype(int).tolist(), *last.astype(int).tolist())


def lines_of_miss(one, truth, found):
    """What it is, and what was found in its place."""
    name = truth.class_names[truth.classes[one.row]]
    if one.other == voc.NOBODY:
        return [name, "nothing found"]
    called = truth.class_names[found.classes[one.other]]
    score = f"{found.scores[one.other]:.0%}"
    return [name, f"found as {called} {score}, IoU {one.overlap:.2f}"]


def lines_of_alarm(one, truth, found):
    """What was found, and what is there."""
    name = f"{truth.class_names[found.classes[one.row]]} {found.scores[one.row]:.0%}"
    if one.other == voc.NOBODY:
        return [name, "nothing there"]
    there = truth.class_names[truth.classes[one.other]]
    told = {"misplaced": f"{there}, IoU {one.overlap:.2f}", "twice": f"{there}, found before"}
    return [name, told.get(one.kind, f"is {there}, IoU {one.overlap:.2f}")]
