"""Regions of a map as grids of bins: RoIAlign, and Caffe's RoI max pooling ([7], Sec. 2.1).

Both are (B, h, w, C), (B, R, 4) px -> (B, R, bins, bins, C) in the maps' type. A map's cell is
`stride` px of the picture. Positions are float32 whatever the maps are, and gradients flow to the
maps alone; repeated, they are the same bits, which tf.image.crop_and_resize's are not.

`even` leaves bins 1, 3, ... out, in height and width: a 1x1 convolution of stride 2, as v1 blocks
begin with, does not read them. It then has stride 1, and ceil(bins / 2) bins a side come out.
"""

import tensorflow as tf

SAMPLES = 2  # a side of a bin, as torchvision's detectors take them


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


def _read(bins, even):
    """The bins of a side that come out."""
    return range(0, bins, 2 if even else 1)


def _corners(boxes, stride):
    """Corners in cells: (..., 4) px -> y1, x1, y2, x2."""
    return tf.unstack(tf.stop_gradient(tf.cast(boxes, tf.float32)) / stride, 4, axis=-1)


def _sizes(x):
    """The shape, with a tensor where a size is not known yet."""
    return [tf.shape(x)[i] if size is None else size for i, size in enumerate(x.shape)]
