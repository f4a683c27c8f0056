"""A person's own names, drawn: by fonts that have their characters, or spelled out.

Nothing in a name is mathematics, whatever Matplotlib makes of `$`, and no warning is printed.
"""

import functools
import unicodedata

from matplotlib import font_manager, ft2font

PLAIN = "DejaVu Sans"  # comes with Matplotlib
# Boxes for all that there is, and fonts that draw other characters than those they are asked for.
UNFIT = ("Last Resort", "cmb", "cmex", "cmmi", "cmr", "cms", "cmt", "STIXN", "STIXS")
INVISIBLE = {"Cf", "Mn", "Me"}  # joiners, variations and accents of characters that are spelled out


def drawn(names) -> tuple[list[str], dict]:
    """Names as they can be drawn, and how: keywords of Matplotlib's texts."""
    names = [drawable(name) for name in names]
    families = dict.fromkeys(font_of(character) for name in names for character in name)
    families.pop(PLAIN, None)
    return names, {"parse_math": False, "fontfamily": [PLAIN, *families]}


def drawable(name: str) -> str:
    """The name with what no font here has spelled out: "猫" as "[732B]", or as itself."""
    return "".join(c if font_of(c) else spelled(c) for c in unicodedata.normalize("NFC", name))


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def runs(name: str) -> list[tuple[str, str]]:
    """A drawable name in parts of one font each: [(part, path of the font)]."""
    parts = []
    for character in name:
        path = file_of(font_of(character))
        if parts and parts[-1][1] == path:
            parts[-1] = (parts[-1][0] + character, path)
        else:
            parts.append((character, path))
    return parts


@functools.cache
def font_of(character: str) -> str | None:
    """The family that has it, None if no font does."""
    return next((family for family in families() if ord(character) in characters_of(family)), None)


@functools.cache
def families() -> tuple[str, ...]:
    """Of the fonts that are installed, upright and of the usual weight; PLAIN first."""
    upright = {f.name for f in font_manager.fontManager.ttflist if is_usual(f)}
    return (PLAIN, *sorted(name for name in upright - {PLAIN} if not name.startswith(UNFIT)))


def is_usual(font) -> bool:
    return (font.style, font.weight, font.stretch) == ("normal", 400, "normal")


@functools.cache
def characters_of(family: str) -> frozenset[int]:
    """What its font has; nothing if it is one of bitmaps, which cannot be scaled."""
    try:
        font = ft2font.FT2Font(file_of(family))
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(font.get_charmap()) if font.scalable else frozenset()


@functools.cache
def file_of(family: str) -> str:
    return font_manager.findfont(font_manager.FontProperties(family=[family]))


def spelled(character: str) -> str:
    """Without its accents if those alone are missing, else by its Unicode name, or number."""
    if unicodedata.category(character) in INVISIBLE:
        return ""
    apart = unicodedata.normalize("NFKD", character)
    simple = "".join(c for c in apart if unicodedata.category(c) not in INVISIBLE)
    if simple and all(font_of(c) for c in simple):
        return simple
    number = f"{ord(character):04X}"  # an ideograph's name is its number too
    name = unicodedata.name(character, number)
    return f"[{number if name.endswith(number) else name.lower()}]"
