"""Keywords of a Python call, read by the very flags that a command line fills."""

import json

from absl import flags

from zoo import limits, sizes, texts


def parse(caller, definers, given):
    """FlagValues of their own, as `definers` define them and `given` sets them.

    ValueError, as the command line's sentence, for what is unknown or cannot be meant. A keyword
    that is None was not given.
    """
    values = flags.FlagValues()
    for define in definers:
        define(values)
    unknown = [name for name in given if name not in values]
    if unknown:
        raise ValueError(
            f"{caller}: unknown keyword {unknown[0]!r}: expected one of {', '.join(sorted(values))}"
        )
    words = [
        w for name, value in given.items() if value is not None for w in said(values, name, value)
    ]
    try:
        values([caller, *words])
        texts.settle_flags(values)
    except (flags.Error, ValueError) as error:
        raise ValueError(f"{caller}: {limits.told(error)}") from None
    return values


def said(values, name, value):
    """One keyword as words of a command line."""
    flag = values[name]
    if flag.boolean and value in (True, False):
        return [f"--{name}" if value else f"--no{name}"]
    if isinstance(value, dict):  # class weights
        return [f"--{name}={json.dumps(value)}"]
    if name == "image_size" and isinstance(value, (list, tuple)):
        return [f"--{name}={sizes.shown(value)}"]
    if isinstance(value, (list, tuple)):
        if isinstance(flag, flags.MultiFlag):
            return [f"--{name}={part}" for part in value]
        value = ",".join(map(str, value))
    return [f"--{name}={value}"]
