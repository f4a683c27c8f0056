"""A person's own names on Pillow's pictures, each part in a font that has its characters."""

import functools

from PIL import ImageFont

from zoo import lettering


def write(pen, place, text, px, fill):
    """One line of a drawable text, `px` high, from (x, y) on, y being what letters stand on."""
    x, y = place
    for part, font in parts(text, px):
        pen.text((x, y), part, fill=fill, font=font, anchor="ls")
        x += font.getlength(part)


def extent(text, px):
    """What such a line covers around (0, 0): left, top, right, bottom in px."""
    x, boxes = 0.0, []
    for part, font in parts(text, px):
        left, top, right, bottom = font.getbbox(part, anchor="ls")
        boxes.append((x + left, top, x + right, bottom))
        x += font.getlength(part)
    if not boxes:
        return 0, 0, 0, 0
    lefts, tops, rights, bottoms = zip(*boxes)
    return min(lefts), min(tops), max(rights), max(bottoms)


def shortened(text, px, width):
    """The text, drawable, with an ellipsis for its end where it is longer than `width` px."""
    text = lettering.drawable(text)
    whole = text
    while text and length(text if text is whole else f"{text}…", px) > width:
        text = text[:-1].rstrip()
    return text if text is whole else f"{text}…"


def length(text, px):
    return sum(font.getlength(part) for part, font in parts(text, px))


def parts(text, px):
    """[(part, its font)]."""
    return [(part, loaded(path, px)) for part, path in lettering.runs(text)]


@functools.lru_cache(maxsize=64)
def loaded(path, px):
    return ImageFont.truetype(path, px)
