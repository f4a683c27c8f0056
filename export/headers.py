"""The size that an encoded image claims, read from its header in TensorFlow ops, not decoded.

A file of a hundred bytes can claim 60,000 x 60,000 pixels, and a decoder allocates what is claimed.
Formats are told apart as strictly as TensorFlow's decoder does or more, so what has no size here
is refused before a decoder sees it.
"""

import tensorflow as tf

MAX_PIXELS = 2**26  # 8192 x 8192: above any phone's camera but the largest; 800 MB as float32
HEAD = 32  # bytes; every format but JPEG and GIF has its size within


def is_safe(encoded, resize_px):
    """Whether decoding and resizing stay small: () string -> () bool.

    Bounds the decoded pixels, a GIF's frames together, and the resized ones: a picture of 1 x
    65,535 is small until its shorter side becomes 224. Raises InvalidArgumentError on a JPEG
    without a readable header.
    """
    height, width, pixels = tf.unstack(claimed_size(encoded))
    shorter, longer = tf.minimum(height, width), tf.maximum(height, width)
    resized = resize_px * resize_px * (longer // tf.maximum(shorter, 1) + 1)
    return (shorter > 0) & (pixels <= MAX_PIXELS) & (resized <= MAX_PIXELS)


def claimed_size(encoded):
    """Height, width and pixels of all frames: () string -> (3,) int64; zeros if unknown."""
    head = byte_values(tf.strings.substr(encoded + b"\0" * HEAD, 0, HEAD))
    kinds = [
        (starts(head, b"\xff\xd8\xff"), lambda: jpeg_size(encoded)),
        (starts(head, b"\x89PNG\r\n\x1a\n"), lambda: png_size(head)),
        (starts(head, b"GIF8"), lambda: gif_size(byte_values(encoded))),
        (starts(head, b"BM"), lambda: bmp_size(head)),
        (starts(head, b"RIFF") & starts(head[8:], b"WEBP"), lambda: webp_size(head)),
    ]
    found = tf.stack([matches for matches, _ in kinds] + [tf.constant(True)])
    branches = [size for _, size in kinds] + [lambda: tf.zeros(3, tf.int64)]
    return tf.switch_case(tf.argmax(tf.cast(found, tf.int32), output_type=tf.int32), branches)


def jpeg_size(encoded):
    height, width, _ = tf.unstack(tf.image.extract_jpeg_shape(encoded, output_type=tf.int32))
    return frame(height, width)


def png_size(head):
    """IHDR is the first chunk, big-endian (PNG specification, 11.2.2)."""
    return frame(big_endian(head[20:24]), big_endian(head[16:20]))


def bmp_size(head):
    """BITMAPINFOHEADER; a negative height is an image stored from the top."""
    height, width = little_endian(head[22:26]), little_endian(head[18:22])
    return frame(tf.where(height >= 2**31, 2**32 - height, height), width)


def webp_size(head):
    """RFC 9649: VP8 has 14 bits a side, VP8L 14 bits less one, VP8X 24 bits less one."""
    lossy = frame(little_endian(head[28:30]) % 2**14, little_endian(head[26:28]) % 2**14)
    bits = little_endian(head[21:25])
    lossless = frame(bits // 2**14 % 2**14 + 1, bits % 2**14 + 1)
    extended = frame(little_endian(head[27:30]) + 1, little_endian(head[24:27]) + 1)
    size = tf.where(starts(head[12:], b"VP8 "), lossy, tf.zeros_like(lossy))
    size = tf.where(starts(head[12:], b"VP8L"), lossless, size)
    return tf.where(starts(head[12:], b"VP8X"), extended, size)


def gif_size(values):
    """The largest frame, and the pixels of all frames, which the decoder unpacks before the first.

    Walks the blocks of GIF89a, appendix A: an extension (0x21) or an image (0x2C), each followed
    by sub-blocks that begin with their length and end with one of length 0. All is int64.
    """
    end = tf.size(values, tf.int64)
    values = tf.concat([values, tf.zeros(HEAD, tf.int64)], 0)  # so that no look-ahead leaves them

    def step(position, in_data, size):
        block = tf.gather(values, position + tf.range(10, dtype=tf.int64))
        is_image = ~in_data & (block[0] == 0x2C)
        is_extension = ~in_data & (block[0] == 0x21)
        claimed = frame(little_endian(block[7:9]), little_endian(block[5:7]))
        claimed = tf.where(is_image, claimed, tf.zeros_like(claimed))
        size = tf.concat([tf.maximum(size[:2], claimed[:2]), size[2:] + claimed[2:]], 0)
        length = tf.where(in_data, 1 + block[0], end)  # the trailer, or nonsense, ends the walk
        length = tf.where(is_extension, tf.constant(2, tf.int64), length)
        length = tf.where(is_image, 11 + palette_bytes(block[9]), length)
        return position + length, ~in_data | (block[0] > 0), size

    start = 13 + palette_bytes(values[10])
    before = (start, tf.constant(False), tf.zeros(3, tf.int64))
    return tf.while_loop(lambda position, *_: position < end, step, before)[2]


def palette_bytes(flags):
    return tf.where(flags >= 0x80, 6 * 2 ** (flags % 8), tf.zeros_like(flags))


def frame(height, width):
    height, width = tf.cast(height, tf.int64), tf.cast(width, tf.int64)
    return tf.stack([height, width, height * width])


def byte_values(encoded):
    return tf.cast(tf.io.decode_raw(encoded, tf.uint8), tf.int64)


def starts(values, prefix):
    return tf.reduce_all(values[: len(prefix)] == tf.constant(list(prefix), tf.int64))


def little_endian(values):
    return tf.reduce_sum(values * tf.constant([1, 2**8, 2**16, 2**24], tf.int64)[: tf.size(values)])


def big_endian(values):
    return little_endian(values[::-1])
