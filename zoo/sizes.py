"""The size of a network's input: the side of a square in px, or (height, width), as one writes it.

A square stays a number, in Python and in manifests; `192x256` is 192 px high and 256 wide.
"""

import numbers


def of(size):
    """(height, width) of either."""
    return (size, size) if isinstance(size, numbers.Integral) else tuple(size)


def plain(size):
    """A number for a square, else (height, width) of Python's own numbers; ValueError."""
    height, width = (int(side) for side in of(size))
    return height if height == width else (height, width)


def shorter(size):
    return min(of(size))


def is_square(size):
    return len(set(of(size))) == 1


def shown(size):
    """As a person writes it: 224, 192x256."""
    height, width = of(size)
    return f"{height}" if height == width else f"{height}x{width}"


def read(value):
    """`plain` of a text such as 192x256, or of a value of Python's."""
    if not isinstance(value, str):
        return plain(value)
    sides = [int(side) for side in value.split("x")]
    return plain(sides if len(sides) > 1 else sides[0])
