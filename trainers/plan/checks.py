"""What a recipe may hold: each field by its type and limits, then what goes with what.

ValueError, of one sentence, for the first thing that cannot be meant.
"""

import dataclasses
import types
import typing

from zoo import limits
from zoo.limits import LimitError

SIZED = "folder"  # the recipe that trainers.plan.sizing completes
CHOICES = {
    "schedule": ("step", "cosine", "plateau"),
    "warmup": ("constant", "linear", "error"),
    "augmentation": ("none", "pad_crop", "scale_jitter", "random_resized_crop"),
    "policy": ("none", "trivial", "rand"),
    "mean": ("channel", "pixel"),
    "decay": ("kernels", "all"),
    "batch_norm": ("replica", "synchronized"),
    "pooling": ("align", "max"),
    "freeze": ("none", "conv1", "conv2", "conv3", "conv4", "conv5", "backbone"),
}


def settle(recipe):
    """Checks a recipe and makes its numbers Python's own: NumPy's could not be written as JSON."""
    for field in dataclasses.fields(recipe):
        value = plain(field, getattr(recipe, field.name))
        object.__setattr__(recipe, field.name, value)  # frozen from here on
    check_length(recipe)
    check_drops(recipe)
    check_warmup(recipe)


def check_pairs(recipe):
    if recipe.pairs and recipe.batch_size % 2:
        raise ValueError(
            f"mixup and cutmix take images by pairs: batch_size={recipe.batch_size} is odd"
        )


def plain(field, value):
    """The value of one field, checked."""
    name, kinds = field.name, typing.get_args(field.type) or (field.type,)
    if value is None and types.NoneType in kinds:
        return None
    if typing.get_origin(field.type) is tuple:
        return tuple(limits.check(name, number) for number in _sequence(name, value))
    if name in limits.LIMITS:
        return limits.check(name, value)
    if name in CHOICES and value not in CHOICES[name]:
        known = ", ".join(CHOICES[name])
        raise LimitError(f"--{name}: expected one of {known}, got {limits.shown(value)}")
    if not isinstance(value, kinds):
        what = "True or False" if bool in kinds else "text"
        raise LimitError(f"--{name}: expected {what}, got {limits.shown(value)}")
    return value


def _sequence(name, value):
    if not isinstance(value, (tuple, list)):
        shown = limits.shown(value)
        raise LimitError(f"--{name}: expected numbers such as 0.5, 0.75, got {shown}")
    return value


def check_length(recipe):
    """The recipe of a folder is as long as its pictures make it; others say how long."""
    if recipe.name != SIZED and recipe.steps is None and recipe.epochs is None:
        raise ValueError(f"recipe {recipe.name}: expected steps or epochs, got neither")


def check_drops(recipe):
    if 0 in recipe.drops or list(recipe.drops) != sorted(set(recipe.drops)):
        raise LimitError(
            "--drops: expected rising fractions between 0 and 1, got "
            f"{limits.shown(','.join(map(str, recipe.drops)))}"
        )


def check_warmup(recipe):
    if recipe.warmup == "linear" and recipe.schedule != "cosine":
        raise ValueError("--warmup=linear goes with --schedule=cosine")
    rates = (recipe.learning_rate, recipe.warmup_learning_rate)
    if recipe.warmup == "error" and not (all(rates) and recipe.warmup_steps):
        raise ValueError(
            "--warmup=error needs learning_rate, warmup_learning_rate and warmup_steps above 0, "
            f"got {rates[0]:g}, {rates[1]:g} and {recipe.warmup_steps}"
        )
