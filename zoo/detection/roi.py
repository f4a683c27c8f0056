"""Regions of a map as grids of bins: RoIAlign, and Caffe's RoI max pooling ([7], Sec. 2.1).

Both are (B, h, w, C), (B, R, 4) px -> (B, R, bins, bins, C) in the maps' type. A map's cell is
`stride` px of the picture. Positions are float32 whatever the maps are, and gradients flow to the
maps alone; repeated, they are the same bits, which tf.image.crop_and_resize's are not.

`even` leaves bins 1, 3, ... out, in height and width: a 1x1 convolution of stride 2, as v1 blocks
begin with, does not read them. It then has stride 1, and ceil(bins / 2) bins a side come out.
"""

import tensorflow as tf

SAMPLES = 2  # a side of a bin, as torchvision's detectors take them
MOST_LEVELS = 6  # runs of 1, 2, 4 ... 32 cells


def align(maps, boxes, stride, bins, even=False):
    """RoIAlign: the mean of SAMPLES x SAMPLES bilinear samples a bin, cells centred on 0.5.

    A sample weighs cells by its row times its column, so that a region is rows @ map @ columns^T:
    two matrix products, which every runtime has. A sample beyond the map counts as one on its
    outermost cells, and as 0 further than a cell out: ONNX's RoiAlign in mode half_pixel.
    """
    batch, height, width, channels = _sizes(maps)
    y1, x1, y2, x2 = _corners(boxes, stride)
    rows = tf.cast(_weights(y1, y2, height, bins, even), maps.dtype)  # (B, R, bins, h)
    columns = tf.cast(_weights(x1, x2, width, bins, even), maps.dtype)
    count, bins = _sizes(rows)[1:3]
    columns = tf.reshape(columns, [batch, count * bins, width])
    # Columns first: most pictures are wider than high, and what lies between is smaller so.
    strips = tf.reshape(tf.transpose(maps, [0, 2, 1, 3]), [batch, width, height * channels])
    strips = tf.reshape(tf.matmul(columns, strips), [batch, count, bins, height, channels])
    regions = tf.matmul(tf.expand_dims(rows, 2), strips)
    return tf.transpose(regions, [0, 1, 3, 2, 4])


def _weights(start, stop, length, bins, even):
    """What a side's cells add to its bins: (B, R), (B, R) in cells -> (B, R, bins, length)."""
    read = _read(bins, even)
    parts = [[(bin + (s + 0.5) / SAMPLES) / bins for s in range(SAMPLES)] for bin in read]
    length = tf.cast(length, tf.float32)
    start, stop = (x[..., tf.newaxis, tf.newaxis] for x in (start, stop))
    places = start + (stop - start) * tf.constant(parts, tf.float32) - 0.5
    known = tf.cast((places >= -1.0) & (places <= length), tf.float32)
    places = tf.minimum(tf.maximum(places, 0.0), length - 1.0)
    far = tf.abs(places[..., tf.newaxis] - tf.range(length, dtype=tf.float32))
    weights = tf.maximum(1.0 - far, 0.0) * known[..., tf.newaxis]
    return tf.reduce_mean(weights, axis=-2)


def max_pool(maps, boxes, stride, bins, even=False):
    """Caffe's RoI max pooling: the greatest of the cells that a bin touches, 0 if there are none.

    Corners are rounded to cells, halves up, both included; neighbouring bins may share a cell.
    ONNX's MaxRoiPool, torchvision's roi_pool. Takes log2(h) * log2(w) times the maps' memory, and
    MOST_LEVELS squared times while h and w are unknown; bins of up to 64 cells a side.
    """
    batch, height, width, channels = _sizes(maps)
    y1, x1, y2, x2 = (tf.floor(x + 0.5) for x in _corners(boxes, stride))
    *rows, high = _spans(y1, y2, height, bins, even)
    *columns, wide = _spans(x1, x2, width, bins, even)
    # Maxima of 2^k rows by 2^l columns from each cell on: four of them cover any bin.
    row_levels, column_levels = _levels(maps.shape[1]), _levels(maps.shape[2])
    table = _doublings(_doublings(maps, column_levels), row_levels)  # (k, l, B, h, w, C)
    table = tf.reshape(table, [-1, channels])
    high, wide = high[..., tf.newaxis], wide[..., tf.newaxis, :]
    picture = tf.reshape(tf.range(batch), [-1, 1, 1, 1])
    first = (tf.maximum(high, 0) * column_levels + tf.maximum(wide, 0)) * batch + picture
    found = None
    for row in rows:
        for column in columns:
            cells = (first * height + row[..., tf.newaxis]) * width + column[..., tf.newaxis, :]
            corner = tf.gather(table, cells)
            found = corner if found is None else tf.maximum(found, corner)
    there = ((high >= 0) & (wide >= 0))[..., tf.newaxis]
    return tf.where(there, found, tf.zeros_like(found))


def _spans(start, stop, length, bins, even):
    """Where two runs of 2^k cells start that cover each bin, and k; k is -1 of an empty one."""
    # In integers: a graph divides by multiplying, and a bin would gain a cell by rounding.
    start, stop = (tf.cast(x, tf.int32)[..., tf.newaxis] for x in (start, stop))
    size, numbers = tf.maximum(stop - start + 1, 1), tf.constant(list(_read(bins, even)))
    first = tf.clip_by_value(start + numbers * size // bins, 0, length)
    last = tf.clip_by_value(start + ((numbers + 1) * size + bins - 1) // bins, 0, length)
    # The logarithm by counting and the power by a table: TFLite has no shifts.
    powers = tf.constant([2**k for k in range(MOST_LEVELS)])
    reached = tf.cast((last - first)[..., tf.newaxis] >= powers, tf.int32)
    level = tf.reduce_sum(reached, axis=-1) - 1
    run = tf.gather(powers, tf.maximum(level, 0))
    first, last = tf.minimum(first, length - 1), tf.maximum(last - run, 0)
    return first, last, level


def _levels(length):
    """How many powers of two the runs along a side have, the side unknown or not."""
    return MOST_LEVELS if length is None else min(length.bit_length(), MOST_LEVELS)


def _doublings(x, levels):
    """Greatest of 1, 2, 4, ... neighbours along axis 2, from each cell on: stacked before x."""
    length, found = _sizes(x)[2], [x]
    for level in range(levels - 1):
        step = tf.minimum(2**level, length)
        further = tf.split(found[-1], [step, length - step], axis=2)[1]
        end = tf.split(found[-1], [length - step, step], axis=2)[1]
        found.append(tf.maximum(found[-1], tf.concat([further, end], axis=2)))
    return tf.stack(found)


def _read(bins, even):
    """The bins of a side that come out."""
    return range(0, bins, 2 if even else 1)


def _corners(boxes, stride):
    """Corners in cells: (..., 4) px -> y1, x1, y2, x2."""
    return tf.unstack(tf.stop_gradient(tf.cast(boxes, tf.float32)) / stride, 4, axis=-1)


def _sizes(x):
    """The shape, with a tensor where a size is not known yet."""
    return [tf.shape(x)[i] if size is None else size for i, size in enumerate(x.shape)]
