"""The size that an encoded image claims, read from its header in TensorFlow ops, not decoded.

A file of a hundred bytes can claim 60,000 x 60,000 pixels, and a decoder allocates what is claimed.
Formats are told apart as strictly as TensorFlow's decoder does or more, so what has no size here
is refused before a decoder sees it.
"""

import tensorflow as tf

MAX_PIXELS = 2**26  # 8192 x 8192: above any phone's camera but the largest; 800 MB as float32
GIF_BLOCKS = 2**16  # that any GIF may have; more, if there are SUB_BLOCK bytes to each
SUB_BLOCK = 32  # encoders fill all 255 but in the last
ASPECT = 4  # of a panorama; matters where shorter sides become 4096 px or more
HEAD = 32  # bytes; every format but JPEG and GIF has its size within


def is_safe(encoded, resize_px):
    """Whether a size is claimed and decoding and resizing stay small: () string -> () bool.

    As `is_too_large`, and an image whose size nobody knows is not safe either.
    """
    size = claimed_size(encoded)
    return (tf.reduce_min(size) > 0) & ~exceeds(size, resize_px)


def is_too_large(encoded, resize_px):
    """Whether decoding or resizing would take too much memory: () string -> () bool.

    Bounds the decoded pixels, a GIF's frames together, and those of the picture whose shorter side
    is `resize_px`: 1 x 65,535 is small until its shorter side becomes 224. Whatever `resize_px`, a
    picture may be ASPECT times as long as wide. What claims no size is the decoder's to judge.
    Raises InvalidArgumentError on a JPEG without a readable header.
    """
    return exceeds(claimed_size(encoded), resize_px)


def exceeds(size, resize_px):
    """`is_too_large` of a claimed size: (3,) int64 -> () bool."""
    height, width, pixels = tf.unstack(size)
    shorter, longer = tf.minimum(height, width), tf.maximum(height, width)
    resized = resize_px * (resize_px * longer // tf.maximum(shorter, 1))
    most = max(MAX_PIXELS, ASPECT * resize_px**2)
    return (pixels > MAX_PIXELS) | (resized > most)


def bounded(encoded, resize_px):
    """The same bytes, or none, which no decoder takes, of an image that `is_too_large`."""
    # Not an assertion: a server may strip those from a graph. And no tf.where: it copies the bytes.
    return tf.cond(is_too_large(encoded, resize_px), lambda: tf.constant(b""), lambda: encoded)


def claimed_size(encoded):
    """Height, width and pixels of all frames: () string -> (3,) int64; zeros if unknown."""
    return tf.cond(
        tf.io.is_jpeg(encoded), lambda: jpeg_size(encoded), lambda: size_of_others(encoded)
    )


# A function of its own, not inlined: of a JPEG, dozens of operations need not even be passed over.
@tf.function(
    input_signature=[tf.TensorSpec((), tf.string)],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def size_of_others(encoded):
    head = byte_values(tf.strings.substr(encoded + b"\0" * HEAD, 0, HEAD))
    kinds = [
        (starts(head, b"\x89PNG\r\n\x1a\n"), lambda: png_size(head)),
        (starts(head, b"GIF8"), lambda: gif_size(tf.io.decode_raw(encoded, tf.uint8))),
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
    by sub-blocks that begin with their length and end with one of length 0. `values` are uint8.
    Who makes millions of them of a byte each claims more pixels than there may be.
    """
    end = tf.size(values, tf.int64)
    most = GIF_BLOCKS + end // SUB_BLOCK
    values = tf.concat([values, tf.zeros(2 * 256, tf.uint8)], 0)  # so that no look leaves them

    def at(position):
        return tf.cast(tf.gather(values, position), tf.int64)

    def step(position, blocks, size):
        block = at(position + tf.range(10, dtype=tf.int64))
        is_image, is_extension = block[0] == 0x2C, block[0] == 0x21
        claimed = frame(little_endian(block[7:9]), little_endian(block[5:7]))
        claimed = tf.where(is_image, claimed, tf.zeros_like(claimed))
        size = tf.concat([tf.maximum(size[:2], claimed[:2]), size[2:] + claimed[2:]], 0)
        length = tf.where(is_extension, tf.constant(2, tf.int64), end)  # the trailer ends the walk
        length = tf.where(is_image, 10 + palette_bytes(block[9]) + 1, length)
        return *behind_data(tf.minimum(position + length, end), blocks + 1), size

    def behind_data(position, blocks):
        """A loop of its own, of few operations: there are hundreds of sub-blocks to one frame."""
        last, blocks, _ = tf.while_loop(is_data, next_data, (position, blocks, at(position)))
        return last + 1, blocks

    def is_data(_, blocks, length):
        return (length > 0) & (blocks < most)

    def next_data(position, blocks, length):
        position = position + length + 1
        return position, blocks + 1, at(position)

    def is_frame(position, blocks, _):
        return (position < end) & (blocks < most)

    start = 13 + palette_bytes(at(10))
    before = (start, tf.constant(0, tf.int64), tf.zeros(3, tf.int64))
    _, blocks, size = tf.while_loop(is_frame, step, before)
    return tf.where(blocks < most, size, tf.constant([1, 1, MAX_PIXELS + 1], tf.int64))


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
