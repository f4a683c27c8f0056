"""Which way up a picture is: Exif's orientation, read and undone by TensorFlow ops alone.

A camera stores a picture as its sensor lay and notes how to turn it (Exif 2.32, 4.6.4, tag 274);
browsers and people see it turned. JPEG, PNG and WebP have it; the others are as they are stored.
"""

import tensorflow as tf

UPRIGHT = 1
TAG, SHORT = 274, 3
ENTRY = 12  # bytes: tag 2, type 2, count 4, value 4
MOST_ENTRIES = 128
MOST_SEGMENTS = 32  # passed over in search of Exif's, which is among the first
NAMED = b"Exif\0\0"  # before the TIFF: in JPEG always, in WebP by some writers


def orientation(encoded):
    """1 to 8, as Exif numbers them; 1 where nothing says otherwise: () string -> () int32."""
    return tf.cond(tf.io.is_jpeg(encoded), lambda: of_jpeg(encoded), lambda: of_others(encoded))


# A function of its own, not inlined: of a JPEG its operations need not even be passed over.
@tf.function(
    input_signature=[tf.TensorSpec((), tf.string)],
    autograph=False,
    experimental_attributes={"_noinline": True},
)
def of_others(encoded):
    """The orientation of a PNG or a WebP; of anything else it is 1: () string -> () int32."""
    head = values_at(encoded, tf.constant(0), 12)
    is_webp = equals(head[:4], b"RIFF") & equals(head[8:], b"WEBP")
    return tf.cond(
        equals(head[:8], b"\x89PNG\r\n\x1a\n"),
        lambda: of_png(encoded),
        lambda: tf.cond(is_webp, lambda: of_webp(encoded), lambda: tf.constant(UPRIGHT)),
    )


def of_png(encoded):
    """Chunks of length, name, content and checksum up to the pixels (PNG 3, 5.3 and 11.3.4.4)."""
    return of_chunks(
        encoded,
        tf.constant(8),
        lambda head: (head[4:], 12 + big_endian(head[:4])),
        (b"eXIf", b"IDAT", b"IEND"),
    )


def of_webp(encoded):
    """Chunks of name, length and content, filled up to an even length (RFC 9649, 2.3 and 2.7)."""

    def parted(head):
        length = big_endian(head[:3:-1])
        return head[:4], 8 + length + length % 2

    return of_chunks(encoded, tf.constant(12), parted, (b"EXIF",))


def of_chunks(encoded, start, parted, ends):
    """Walks from chunk to chunk until one of `ends`; the first of those is Exif's: -> () int32.

    `parted` makes of a chunk's eight first bytes its name and how far it is to the next.
    """

    def goes_on(position, head, number):
        name, _ = parted(head)
        there = (position < tf.strings.length(encoded)) & (number < MOST_SEGMENTS)
        return there & ~tf.reduce_any([equals(name, end) for end in ends])

    def following(position, head, number):
        _, step = parted(head)
        after = position + tf.where((step >= 8) & (step < 2**30), step, 2**30)
        after = tf.minimum(after, tf.strings.length(encoded))
        return after, values_at(encoded, after, 8), number + 1

    first = start, values_at(encoded, start, 8), tf.constant(0)
    position, head, _ = tf.while_loop(goes_on, following, first)
    content = position + 8
    named = equals(values_at(encoded, content, len(NAMED)), NAMED)
    return tf.cond(
        equals(parted(head)[0], ends[0]),
        lambda: of_tiff(encoded, content + tf.where(named, len(NAMED), 0)),
        lambda: tf.constant(UPRIGHT),
    )


def equals(values, text):
    return tf.reduce_all(values == tf.constant([*text]))


def of_jpeg(encoded):
    """Walks the segments before the tables: () string -> () int32.

    Each has a marker, FF E0 to EF or FF FE, and a length; Exif's has FF E1 and begins with a name.
    """

    def goes_on(_, head, number):
        other = (head[0] == 0xFF) & ((head[1] // 16 == 0xE) | (head[1] == 0xFE))
        return other & ~is_exif(head) & (number < MOST_SEGMENTS)

    def following(position, head, number):
        after = position + 2 + big_endian(head[2:4])
        return after, values_at(encoded, after, 10), number + 1

    first = tf.constant(2), values_at(encoded, tf.constant(2), 10), tf.constant(0)
    position, head, _ = tf.while_loop(goes_on, following, first)
    return tf.cond(
        is_exif(head), lambda: of_tiff(encoded, position + 10), lambda: tf.constant(UPRIGHT)
    )


def is_exif(head):
    return equals(tf.concat([head[:2], head[4:]], axis=0), b"\xff\xe1" + NAMED)


def of_tiff(encoded, start):
    """The tag in the first directory of Exif's TIFF: -> () int32. Its bytes come in two orders."""
    head = values_at(encoded, start, 8)
    little = head[0] == ord("I")

    def number(values):  # (..., n) bytes -> (...) int32
        return big_endian(tf.where(little, values[..., ::-1], values))

    # A picture cannot be that large: what is beyond is no position.
    directory = start + tf.clip_by_value(number(head[4:8]), 8, 2**16)
    entries = tf.minimum(number(values_at(encoded, directory, 2)), MOST_ENTRIES)
    rows = tf.reshape(values_at(encoded, directory + 2, entries * ENTRY), (-1, ENTRY))
    ours = (number(rows[:, :2]) == TAG) & (number(rows[:, 2:4]) == SHORT)
    found = tf.reduce_max(tf.where(ours, number(rows[:, 8:10]), 0))
    return tf.where((found >= 1) & (found <= 8), found, UPRIGHT)


def values_at(encoded, position, count):
    """So many bytes from a position on, zeros beyond the end: -> (count,) int32."""
    position = tf.minimum(position, tf.strings.length(encoded))
    padded = tf.strings.substr(encoded, position, count)
    values = tf.cast(tf.io.decode_raw(padded, tf.uint8), tf.int32)
    values = tf.pad(values, [[0, count - tf.size(values)]])
    return tf.ensure_shape(values, (count,)) if isinstance(count, int) else values


def big_endian(values):
    """(..., n) bytes, n at most 4 -> (...) int32."""
    count = values.shape[-1]
    return tf.reduce_sum(values * tf.constant([2 ** (8 * i) for i in range(count)][::-1]), axis=-1)


def upright(image, turn):
    """Stored pixels as they are to be seen: (H, W, 3), () int32 -> (H, W, 3) or (W, H, 3)."""

    def turned():
        flipped = tf.cond(turn > 4, lambda: sides_swapped(image), lambda: image)
        return tf.raw_ops.Reverse(tensor=flipped, dims=tf.stack([*flips(turn), False]))

    return tf.cond(turn == UPRIGHT, lambda: image, turned)


def sides_swapped(image):
    """Rows for columns: (H, W, 3) uint8 -> (W, H, 3) uint8.

    Gathered: of a transposition of bytes oneDNN says on standard error that it cannot, on some
    processors, and the graph's optimiser moves casts to and fro behind it.
    """
    height, width, _ = tf.unstack(tf.shape(image))
    rows = tf.range(height)[None, :] * width + tf.range(width)[:, None]
    return tf.gather(tf.reshape(image, (-1, 3)), rows)


def flips(turn):
    """Whether rows and columns change their order, after the sides have changed places above 4.

    As stored, row 0 and column 0 are seen at (Exif): 1 top left, 2 top right, 3 bottom right,
    4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
    """
    rows = (turn == 3) | (turn == 4) | (turn == 7) | (turn == 8)
    columns = (turn == 2) | (turn == 3) | (turn == 6) | (turn == 7)
    return rows, columns


def seen_size(height_width, turn):
    """Height and width as seen, of those stored, and the other way round: (2,) -> (2,)."""
    return tf.where(turn > 4, height_width[::-1], height_width)


def stored_window(window, height_width, turn):
    """A window of the picture as seen, in its stored pixels: (4,) int32 -> (4,).

    `window` is top, left, rows, columns; `height_width` is the seen size.
    """
    corner, sides = window[:2], window[2:]
    corner = tf.where(tf.stack(flips(turn)), height_width - corner - sides, corner)
    return tf.concat([seen_size(corner, turn), seen_size(sides, turn)], axis=0)
