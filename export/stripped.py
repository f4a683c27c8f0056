"""Encoded images without what their cameras noted: places, names, times, comments, thumbnails.

Only the parts that a decoder needs are kept, byte for byte, so the pixels stay what they were; of
Exif the orientation, where the network heeds it.
"""

import struct

import numpy as np
import tensorflow as tf

from zoo import orientation, preprocess

# JPEG (ITU T.81, B.1.1.3): JFIF's and Adobe's segments say how colours are to be read.
APP0, APP14, APP15, COMMENT = 0xE0, 0xEE, 0xEF, 0xFE
SCAN, END = 0xDA, 0xD9
IN_SCAN = (0x00, *range(0xD0, 0xD8))  # what FF is followed by within a scan's data
PNG_KEPT = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT")
WEBP_KEPT = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")
WEBP_NOTES = 0b00101100  # VP8X's flags for a colour profile, Exif and XMP


def stripped(encoded, contract):
    """The same picture: bytes -> bytes. One that is laid out in an unknown way becomes a PNG."""
    turn = 1
    if contract.orientation == "exif":
        turn = int(orientation.orientation(encoded))
    try:
        found = kind_of(encoded)(encoded, turn)
        if np.array_equal(pixels(found, contract), pixels(encoded, contract)):
            return found
    except (ValueError, IndexError, struct.error, tf.errors.InvalidArgumentError):
        pass
    return tf.io.encode_png(pixels(encoded, contract)).numpy()


def pixels(encoded, contract):
    return preprocess.read(encoded, contract).numpy()


def kind_of(encoded):
    kinds = {b"\xff\xd8": jpeg, b"\x89P": png, b"RI": webp}
    if encoded[:2] not in kinds:
        raise ValueError("a kind of which little is known: GIF, BMP")
    return kinds[encoded[:2]]


def jpeg(encoded, turn):
    kept, position = [encoded[:2]], 2
    if turn != 1:
        kept.append(exif(turn))
    while True:
        if encoded[position] != 0xFF:
            raise ValueError("no marker")
        code = encoded[position + 1]
        if code == 0xFF:  # a marker may be filled up in front
            position += 1
            continue
        if code == END:
            return b"".join([*kept, encoded[position : position + 2]])  # and nothing behind it
        end = position + 2 + int.from_bytes(encoded[position + 2 : position + 4], "big")
        if code == SCAN:
            end = behind_scan(encoded, end)
        segment = encoded[position:end]
        notes = APP0 <= code <= APP15 and code not in (APP0, APP14)
        if not notes and code != COMMENT and segment[4:9] != b"JFXX\0":
            kept.append(without_thumbnail(segment) if code == APP0 else segment)
        position = end


def behind_scan(encoded, position):
    """Where the next marker is."""
    while True:
        position = encoded.index(b"\xff", position)
        if encoded[position + 1] not in IN_SCAN:
            return position
        position += 2


def without_thumbnail(segment):
    """JFIF 1.02: its small picture stands behind 16 bytes, whose last two are its sides."""
    return b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0"


def exif(turn):
    """A segment that says the orientation alone (Exif 2.32, 4.6.4)."""
    entry = struct.pack(">HHIHH", orientation.TAG, orientation.SHORT, 1, turn, 0)
    content = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def png(encoded, turn):
    kept, position, kind = [encoded[:8]], 8, None
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", encoded, position)
        kind, end = encoded[position + 4 : position + 8], position + 12 + length
        if kind in PNG_KEPT:
            kept.append(encoded[position:end])
        position = end
    return b"".join(kept)


def webp(encoded, turn):
    kept, position = [], 12
    while position + 8 <= len(encoded):
        kind, (length,) = (
            encoded[position : position + 4],
            struct.unpack_from("<I", encoded, position + 4),
        )
        end = position + 8 + length + length % 2
        chunk = bytearray(encoded[position:end])
        if kind == b"VP8X":
            chunk[8] &= ~WEBP_NOTES & 0xFF
        if kind in WEBP_KEPT:
            kept.append(bytes(chunk))
        position = end
    content = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(content)) + content
