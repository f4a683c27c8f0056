"""Fonts for names in any script: the first installed one that has all of a text's characters.

Matplotlib brings DejaVu Sans along (Latin, Greek, Cyrillic, Arabic, Hebrew and more); for Chinese,
Japanese or Korean names one of the system's is looked for. Where none has them all, the best shows
boxes in place of the rest.
"""

import functools
import pathlib

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

PLACEHOLDERS = "LastResort"  # a font that has every character, as a box


def of(text, size):
    """A Pillow font for the text, `size` px high."""
    return loaded(best(frozenset(text)), size)


def families(text):
    """The names of fonts that together have the text's characters, for Matplotlib."""
    paths = dict.fromkeys([default(), best(frozenset(text))])
    return [FT2Font(path).family_name for path in paths]


@functools.lru_cache(maxsize=64)
def loaded(path, size):
    return ImageFont.truetype(path, size)


@functools.lru_cache(maxsize=1024)
def best(characters):
    """The file of the first font that lacks none of the characters, or fewest."""
    fewest, chosen = lacking(default(), characters), default()
    for path in others() if fewest else ():
        number = lacking(path, characters)
        if number < fewest:
            fewest, chosen = number, path
        if not fewest:
            break
    return chosen


def lacking(path, characters):
    """How many of the characters a font has not; of one that cannot be scaled, or read: all."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return len(characters)
    if not font.scalable:
        return len(characters)
    return sum(not font.get_char_index(ord(one)) for one in characters)


@functools.cache
def default():
    return str(pathlib.Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")


@functools.cache
def others():
    """The installed fonts' files, in the same order every time: upright and regular ones first."""
    entries = [x for x in font_manager.fontManager.ttflist if PLACEHOLDERS not in x.fname]
    order = {x.fname: (x.style != "normal", x.weight != 400, x.fname) for x in entries}
    return sorted(order, key=order.get)
