"""absl flags of the trainers on boxes; a hyper-parameter's is derived from its recipe's field.

`recipes` are those of a detector or of a localiser: the first is the built-in pictures', the second
that of who names neither.
"""

import dataclasses

from absl import flags

from trainers.plan import adopt
from trainers.plan.detection.recipes import RECIPES
from trainers.plan.flags import (
    define_hyper_parameter,
    define_network,
    hyper_parameters,
    of_network,
)

SETS = "coco for annotations in JSON, voc for those in XML, imagenet for the challenge's archive"


def define(values=flags.FLAGS, recipes=RECIPES):
    """Defines the flags that say what a run on boxes computes."""
    own = {"flag_values": values}
    define_network(own)
    help_ = (
        "scenes, scenes_single, coco, voc, imagenet (the localisation archive), or voc/2007, "
        "voc/2012, coco/2017 of TFDS; default: the recipe's"
    )
    flags.DEFINE_string("data", None, help_, **own)
    flags.DEFINE_enum("recipe", None, sorted(recipes), "default: the data's", **own)
    for field in hyper_parameters(first(recipes)):
        define_hyper_parameter(field, own)


def first(recipes):
    return next(iter(recipes.values()))


def run(values=flags.FLAGS, recipes=RECIPES):
    """The Run that the flags mean. ValueError, of one sentence, for what cannot be meant."""
    adopted = adopt.settings(values) if values.init_from else {}
    data = values.data or (recipes[values.recipe].data if values.recipe else None)
    data = data or unnamed(values, recipes)
    recipe = recipes[values.recipe or default_for(data, recipes)]
    check_directory(values, data)
    recipe = dataclasses.replace(recipe, **changed(values, recipe))
    return of_network(values, adopted, data, recipe)


def check_directory(values, data):
    """ValueError for a directory of what is in none."""
    if data.startswith("scenes") and "data_dir" in values and values.data_dir:
        raise ValueError(
            f"--data_dir={values.data_dir:.80} is not for {data}, which need none: give --data for "
            f"the pictures in it: {SETS}"
        )


def unnamed(values, recipes):
    """The data that no flag names: the built-in, unless a directory says that there are others."""
    if "data_dir" in values and values.data_dir:
        raise ValueError(f"--data_dir={values.data_dir:.80}: expected --data with it: {SETS}")
    return first(recipes).data


def default_for(data, recipes=RECIPES):
    """The recipe's name when the user names none: that of the data's kind, else the second."""
    named = (r.name for r in recipes.values() if data.startswith(r.data))
    return next(named, list(recipes)[1])


def changed(values, recipe):
    """What the flags change of a recipe, and what stays constant of weights that are there."""
    given = {f.name: values[f.name].value for f in hyper_parameters(recipe)}
    given = {name: value for name, value in given.items() if value is not None}
    if values.steps and values.epochs:
        raise ValueError(
            f"--steps={values.steps} and --epochs={values.epochs} both say how long: leave one out"
        )
    if values.epochs:
        given["steps"] = None
    if given.get("freeze", recipe.freeze) not in (None, "none") and not values.init_from:
        raise ValueError("--freeze: meant for weights that are there, give --init_from")
    given.setdefault("freeze_bn", bool(values.init_from))
    return given
