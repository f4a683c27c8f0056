"""Folders of small pictures for the tests: each class has a colour of its own, at its frame."""

import numpy as np
import tensorflow as tf

COLOURS = {"blue": (40, 60, 220), "red": (220, 60, 40), "green": (40, 200, 60)}


def picture(colour, seed=0, size=48, frame=6):
    """Noise within a frame of one colour: -> (size, size, 3) uint8."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    inner = slice(frame, size - frame)
    framed = np.broadcast_to(np.uint8(COLOURS.get(colour, colour)), pixels.shape).copy()
    framed[inner, inner] = pixels[inner, inner]
    return framed


def write(path, pixels):
    """A PNG, or by its name a JPEG; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = tf.io.encode_jpeg if path.suffix in (".jpg", ".jpeg") else tf.io.encode_png
    path.write_bytes(encode(pixels).numpy())


def fill(root, count=10, classes=("blue", "red"), suffix=".png", **options):
    """`count` pictures in each class' folder: -> root."""
    for label in classes:
        for number in range(count):
            seed = hash((COLOURS[label], number)) % 2**32
            write(root / label / f"{number}{suffix}", picture(label, seed, **options))
    return root
