"""Sizes and orientations of encoded pictures, read from the beginnings of their files.

How large a batch is must be known before a picture is read, and what annotations say of sizes is
not to be believed: of a turned photograph some tools note the sides as stored, others as seen.
"""

import concurrent.futures
import struct

import tensorflow as tf

from zoo import headers, orientation

EDGE = 2**16  # bytes read of a file first: Exif's segment, which may hold a picture, has no more
THREADS = 16  # what they wait for is the disk
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG's markers that a size follows


def of_files(paths):
    """((height, width) as stored, Exif's orientation) of each; zeros of what cannot be read."""
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(of_file, paths))


def of_file(path):
    """((height, width), orientation) of one file."""
    try:
        with open(path, "rb") as file:
            content = file.read(EDGE)
            found = of_bytes(content)
            return found if found[0][0] else of_bytes(content + file.read())
    except OSError:
        return (0, 0), orientation.UPRIGHT


def of_bytes(content):
    """((height, width), orientation) of an encoded picture, or of its first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        turn = int(of_jpeg(content)) if b"Exif\0\0" in content else orientation.UPRIGHT
        return jpeg_size(content), turn
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return struct.unpack(">2I", content[16:24])[::-1], orientation.UPRIGHT
    height, width, _ = of_others(content).numpy()
    return (int(height), int(width)), orientation.UPRIGHT


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def of_jpeg(content):
    return orientation.of_jpeg(content)


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def of_others(content):
    return headers.size_of_others(content)


def jpeg_size(content):
    """(height, width) of a JPEG; zeros where its frame's header is not within the bytes."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in FRAMES:
            return struct.unpack(">2H", content[place + 5 : place + 9])
        filler = marker == 0xFF
        place += 1 if filler else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return 0, 0
