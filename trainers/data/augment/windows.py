"""Random crops in a picture's own pixels: which window is cut, and no more of a JPEG decoded.

A crop of the resized picture is a window of the picture itself, resized: the shorter side s px and
a crop of S px are a square of S * shorter / s px. So the rest need not be decoded, nor resized.
"""

import tensorflow as tf

from trainers.data.augment import regions
from zoo import orientation, preprocess, sizes

MARGIN = 2  # columns: at a window's edge libjpeg lacks the neighbour that smooths colours


def scale_jitter(image, uniforms, size, scale_range=(256, 480), way_up="ignored"):
    """Shorter side random, random crop, mirror half (Sec. 3.4): image -> (S, S, 3) float32.

    `uniforms` (4,) in [0, 1) choose top, left, mirror and the shorter side (whole pixels, both
    ends included). Bilinear without antialias, as OpenCV's. The window is the crop's in the
    picture's own pixels, corner and side rounded to whole ones. `image` as in `cut`. Of a `size`
    (height, width) the scales are the box's shorter side's: `box_window`.
    """
    low, high = scale_range
    box = sizes.of(size)
    if not min(box) <= low <= high:
        raise ValueError(f"expected crop size <= scale_range in order, got {size}, {scale_range}")
    uniforms = tf.cast(uniforms, tf.float32)

    def window(height_width):
        shorter = low + integers(uniforms[3], high - low + 1)
        if not sizes.is_square(size):
            return box_window(height_width, shorter, box, uniforms)
        scaled = preprocess.scaled_size(height_width, shorter)
        corner = integers(uniforms[:2], scaled - size + 1)
        side = tf.reduce_min(height_width)
        pixels = tf.cast(side, tf.float32) / tf.cast(shorter, tf.float32)  # of its own for each
        square = tf.clip_by_value(tf.cast(tf.round(size * pixels), tf.int32), 1, side)
        corner = tf.cast(tf.round(tf.cast(corner, tf.float32) * pixels), tf.int32)
        return tf.concat([tf.minimum(corner, height_width - square), [square, square]], axis=0)

    return resized(mirrored(cut(image, window, way_up), uniforms[2]), size, antialias=False)


def box_window(height_width, shorter, box, uniforms):
    """The window of a crop (height, width) of a picture that just covers the box at this scale.

    `shorter` is the box's shorter side then; the window is as large as fits into the picture.
    """
    sides, ratio = tf.cast(height_width, tf.float32), tf.constant(box, tf.float32) / min(box)
    largest = tf.reduce_min(sides / ratio)  # of its shorter sides
    share = min(box) / tf.cast(shorter, tf.float32)
    rows_columns = tf.cast(tf.round(largest * ratio * share), tf.int32)
    rows_columns = tf.clip_by_value(rows_columns, 1, height_width)
    corner = integers(uniforms[:2], height_width - rows_columns + 1)
    return tf.concat([corner, rows_columns], axis=0)


def random_resized_crop(image, uniforms, more, size, way_up="ignored"):
    """Inception's crop, mirrored half the time: image -> (S, S, 3) float32.

    `uniforms` (4,) choose top, left and mirror, `more` (regions.CROP_DRAWS,) the rectangle.
    """

    def window(height_width):
        return regions.resized_crop(height_width, uniforms[:2], more)

    crop = mirrored(cut(image, window, way_up), uniforms[2])
    return resized(crop, size, antialias=True)


def cut(image, window, way_up="ignored"):
    """A window of a picture: -> (rows, columns, 3).

    `image` is (H, W, 3) pixels or () encoded; `window` maps its (height, width) to (top, left,
    rows, columns), all int32. Of a JPEG that alone is decoded, to the same pixels. `way_up` is
    the contract's orientation.
    """
    if image.dtype != tf.string:
        return sliced(image, window(tf.shape(image)[:2]))

    def of_jpeg():
        height_width = tf.io.extract_jpeg_shape(image)[:2]
        if way_up == "ignored":
            return stored(window(height_width), height_width)
        turn = orientation.of_jpeg(image)
        seen = orientation.seen_size(height_width, turn)
        inside = orientation.stored_window(window(seen), seen, turn)
        return orientation.upright(stored(inside, height_width), turn)

    def stored(inside, height_width):
        top, left, rows, columns = tf.unstack(inside)
        before = tf.minimum(left, MARGIN)
        wider = tf.minimum(before + columns + MARGIN, height_width[1] - (left - before))
        around = tf.stack([top, left - before, rows, wider])
        return tf.io.decode_and_crop_jpeg(image, around, channels=3)[:, before : before + columns]

    def of_others():
        pixels = preprocess.decode(image)
        if way_up != "ignored":
            pixels = orientation.upright(pixels, orientation.of_others(image))
        return sliced(pixels, window(tf.shape(pixels)[:2]))

    return tf.cond(tf.io.is_jpeg(image), of_jpeg, of_others)


def sliced(pixels, window):
    top, left, rows, columns = tf.unstack(window)
    return pixels[top : top + rows, left : left + columns]


def mirrored(image, uniform):
    """The image, or for a uniform below a half its mirror: (H, W, 3) -> (H, W, 3)."""
    # A slice of stride -1 in a tf.cond takes 0.9 ms where this takes 0.1.
    return tf.raw_ops.Reverse(tensor=image, dims=tf.stack([False, uniform < 0.5, False]))


def resized(image, size, antialias: bool):
    height_width = sizes.of(size)
    image = tf.image.resize(image, height_width, method="bilinear", antialias=antialias)
    return tf.ensure_shape(image, (*height_width, 3))


def integers(uniforms, count):
    """Uniforms in [0, 1) -> whole numbers in [0, count), int32."""
    count = tf.cast(count, tf.float32)
    # float32 rounds a product just under `count` up to it
    return tf.cast(tf.minimum(tf.floor(uniforms * count), count - 1.0), tf.int32)
