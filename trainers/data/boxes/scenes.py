"""Handwritten digits on photographs, both of scikit-learn's: scenes to detect, without a download.

`scenes` have up to five digits, `scenes_single` one, and a larger one: pictures to localise in.

The left 70 % of each photograph and the digits that `digits` trains on are for training, the rest
of both for validation. Scene i is a function of the seed and i alone, made when it is asked for.
"""

from importlib import metadata

import numpy as np
import tensorflow as tf

from trainers.data import sources
from trainers.data.boxes.annotations import Annotations, gather
from zoo import preprocess

SIZE = 96  # px
LENGTHS = {"train": 12_000, "validation": 300}
LEFT = 0.7  # of a photograph's width, to train on
MOST, CANDIDATES = 5, 9  # digits in a scene; places tried for them
# Of each set the digits wanted at most, and their height in px, even in its logarithm.
KINDS = {"scenes": (MOST, (12, 40)), "scenes_single": (1, (24, 72))}
WIDE = (0.8, 1.25)  # of the digit's own width
THIN = 6  # px, of a 1
COVERED = 0.15  # of the smaller of two digits, at most
INK = 4 / 16  # the grey from which a digit's box counts a row or column
SCENE_DRAWS, DIGIT_DRAWS = 6, 8
CONTRAST = 90  # grey levels between the colours of digits and white, or black


def load(name, split, *, data_dir=None, seed: int = 0, length=None) -> sources.Source:
    """(96, 96, 3) uint8 scenes of one of KINDS; the `validation` ones are those of any seed."""
    if split not in LENGTHS:
        raise sources.DataError(f"{name}: expected one of {tuple(LENGTHS)}, got {split!r}")
    length = length or LENGTHS[split]
    glyphs, labels = digits(split)
    inks = np.stack([ink(glyph) for glyph in glyphs])
    photographs, sides = bank(split)
    key = (seed if split == "train" else 0, sources.SPLITS.index(split))
    with tf.device("cpu"):
        shape = (length, SCENE_DRAWS + CANDIDATES * DIGIT_DRAWS)
        drawn = tf.random.stateless_uniform(shape, key, alg="philox").numpy()
    scene, chosen = drawn[:, :SCENE_DRAWS], drawn[:, SCENE_DRAWS:]
    chosen = chosen.reshape(length, CANDIDATES, DIGIT_DRAWS)
    glyph = (chosen[..., 0] * len(glyphs)).astype(np.int64)
    kept, boxes = places(scene[:, 5], chosen, inks[glyph], *KINDS[name])
    glyph, colours = of_rows(glyph, kept), of_rows(chosen, kept)[..., 5:]
    there = boxes[..., 2] > 0
    annotations = annotated(boxes, np.where(there, labels[glyph], -1))
    windows = windowed(scene, sides)
    with tf.device("cpu"):
        parts = windows, scene[:, 2] < 0.5, glyphs[glyph], inks[glyph], boxes, colours
        parts = [tf.constant(part) for part in parts]
        photographs = tf.constant(photographs)
    labelled = gather(annotations)

    def fetch(indices):
        indices = tf.convert_to_tensor(indices)
        rows = [tf.gather(part, indices) for part in parts]
        made = tf.map_fn(
            lambda row: scene_of(photographs, *row), rows, fn_output_signature=tf.uint8
        )
        return tf.ensure_shape(made, (None, SIZE, SIZE, 3)), labelled(indices)

    return sources.Source(
        *(name, split, tuple(map(str, range(10))), length, fetch, (SIZE, SIZE, 3)),
        annotations=annotations,
    )


def digits(split):
    """(n, 8, 8) float32 in 0-1 and (n,) int64."""
    source = sources.load("digits", split)
    images, labels = source.fetch(tf.range(source.length))
    return (images[..., 0].numpy() / 255).astype(np.float32), labels.numpy()


def ink(glyph):
    """Where its rows and columns begin and end: (8, 8) -> (4,) float32, y1, x1, y2, x2."""
    rows, columns = (np.flatnonzero((glyph >= INK).any(axis)) for axis in (1, 0))
    return np.float32([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])


def bank(split):
    """Both photographs' part, at full size and at half: (4, H, W, 3) uint8, (4, 2) their sides."""
    found = []
    for name in ("china.jpg", "flower.jpg"):
        path = metadata.distribution("scikit-learn").locate_file(f"sklearn/datasets/images/{name}")
        pixels = preprocess.decode(path.read_bytes()).numpy()
        edge = round(LEFT * pixels.shape[1])
        pixels = pixels[:, :edge] if split == "train" else pixels[:, edge:]
        height, width = (side // 2 for side in pixels.shape[:2])
        whole = pixels[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
        found += [pixels, np.rint(whole.mean(axis=(1, 3))).astype(np.uint8)]
    sides = np.int32([pixels.shape[:2] for pixels in found])
    most = sides.max(axis=0)
    return np.stack(
        [np.pad(p, [*((0, most[i] - p.shape[i]) for i in (0, 1)), (0, 0)]) for p in found]
    ), sides


def windowed(drawn, sides):
    """Number in the bank, top and left of each scene's background: -> (n, 3) int32."""
    number = (drawn[:, 0] * 2).astype(np.int32) * 2 + (drawn[:, 1] * 2).astype(np.int32)
    corner = np.floor(drawn[:, 3:5] * (sides[number] - SIZE + 1)).astype(np.int32)
    return np.concatenate([number[:, None], corner], axis=1)


def places(count, drawn, inks, most, heights):
    """How many digits (n,), and CANDIDATES of them, -> those that there is room for.

    Which of them (n, MOST), and boxes (n, MOST, 4) float32, whole pixels, zeros where there are
    fewer. `drawn` (n, CANDIDATES, DIGIT_DRAWS) are uniforms, `inks` (n, CANDIDATES, 4); `most` and
    `heights` are of KINDS.
    """
    wanted = 1 + (count * most).astype(np.int64)
    tall = np.rint(heights[0] * (heights[1] / heights[0]) ** drawn[..., 1])
    own = (inks[..., 3] - inks[..., 1]) / (inks[..., 2] - inks[..., 0])
    wide = tall * own * (WIDE[0] + (WIDE[1] - WIDE[0]) * drawn[..., 2])
    sides = np.stack([tall, np.maximum(np.rint(wide), THIN)], axis=-1)
    corner = np.floor(drawn[..., 3:5] * (SIZE - sides + 1))
    tried = np.concatenate([corner, corner + sides], axis=-1).astype(np.float32)
    rows, taken = np.arange(len(drawn)), np.zeros(len(drawn), np.int64)
    boxes = np.zeros((len(drawn), MOST + 1, 4), np.float32)  # the last for those without room
    which = np.zeros((len(drawn), MOST + 1), np.int64)
    for number in range(CANDIDATES):
        box = tried[:, number]
        free = (covered(box[:, None], boxes) <= COVERED).all(axis=1) & (taken < wanted)
        place = np.where(free, taken, MOST)
        boxes[rows, place], which[rows, place] = box, number
        boxes[:, MOST] = 0
        taken += free
    return which[:, :MOST], boxes[:, :MOST]


def of_rows(values, chosen):
    """Of each row's values those chosen: (n, C, ...), (n, M) -> (n, M, ...)."""
    return values[np.arange(len(values))[:, None], chosen]


def covered(a, b):
    """The share of the smaller that lies in both: boxes (..., 4) -> (...)."""
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.maximum(sides, 0).prod(-1)
    smaller = np.minimum(*((box[..., 2:] - box[..., :2]).prod(-1) for box in (a, b)))
    return both / np.maximum(smaller, 1)


def annotated(boxes, classes) -> Annotations:
    """Padded boxes and classes as Annotations."""
    picture, column = np.nonzero(classes >= 0)
    boxes = boxes[picture, column]
    return Annotations(
        picture,
        boxes,
        classes[picture, column].astype(np.int32),
        np.zeros(len(picture), bool),
        (boxes[:, 2:] - boxes[:, :2]).astype(np.float64).prod(axis=1),
        np.full((len(classes), 2), SIZE, np.int32),
        np.arange(len(classes)),
        tuple(f"scene {number}" for number in range(len(classes))),
        np.arange(10),
    )


def scene_of(photographs, window, mirrored, glyphs, inks, boxes, colours):
    """One scene: a window of a photograph, perhaps mirrored, digits painted on: -> uint8."""
    number, top, left = tf.unstack(window)
    image = photographs[number, top : top + SIZE, left : left + SIZE]
    image = tf.ensure_shape(tf.cast(image, tf.float32), (SIZE, SIZE, 3))
    image = tf.raw_ops.Reverse(tensor=image, dims=tf.stack([False, mirrored, False]))
    return tf.cast(tf.round(painted(image, glyphs, inks, boxes, colours)), tf.uint8)


def painted(image, glyphs, inks, boxes, colours):
    """Digits stretched over their boxes, bright on dark and dark on bright: -> (S, S, 3) float32.

    Bilinear, by two matrix products. One scene a call: in batches they round otherwise.
    """
    down, across = (
        stretched(boxes[:, side::2], inks[:, side::2], glyphs.shape[1 + side]) for side in (0, 1)
    )
    alpha = tf.minimum(1.5 * tf.matmul(tf.matmul(down, glyphs), across, transpose_b=True), 1.0)
    for number in range(glyphs.shape[0]):
        inside = tf.cast(tf.einsum("y,x->yx", *(reach(w[number]) for w in (down, across))), bool)
        under = tf.reduce_mean(image, axis=-1)
        count = tf.maximum(tf.reduce_sum(tf.cast(inside, tf.float32)), 1.0)
        dark = tf.reduce_sum(tf.where(inside, under, 0.0)) / count < 128.0
        colour = CONTRAST * colours[number]
        colour = tf.where(dark, 255.0 - colour, colour)
        image += alpha[number, :, :, None] * (colour - image)
    return image


def stretched(ends, ink_ends, pixels: int):
    """Weights of a digit's rows (or columns) in a scene's: (n, 2), (n, 2) -> (n, SIZE, pixels)."""
    start, end = ends[:, :1], ends[:, 1:]
    first, last = ink_ends[:, :1], ink_ends[:, 1:]
    centre = tf.range(SIZE, dtype=tf.float32) + 0.5
    position = first + (centre - start) / tf.maximum(end - start, 1.0) * (last - first) - 0.5
    position = tf.clip_by_value(position, first, last - 1.0)[..., None]
    weights = tf.maximum(1.0 - tf.abs(position - tf.range(pixels, dtype=tf.float32)), 0.0)
    inside = (centre > start) & (centre < end)
    return tf.where(inside[..., None], weights, 0.0)


def reach(weights):
    """1 where a row takes part, else 0: (SIZE, pixels) -> (SIZE,)."""
    return tf.cast(tf.reduce_sum(weights, axis=-1) > 0, tf.float32)
