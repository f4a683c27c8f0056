"""absl flags of the detector's trainer; a hyper-parameter's is derived from its recipe's field."""

import dataclasses

from absl import flags

from trainers.plan import adopt
from trainers.plan.detection.recipes import RECIPES, DetectionRecipe, default_for
from trainers.plan.flags import (
    define_hyper_parameter,
    define_network,
    hyper_parameters,
    of_network,
)

HYPER_PARAMETERS = hyper_parameters(DetectionRecipe)


def define(values=flags.FLAGS):
    """Defines the flags that say what a detector's run computes."""
    own = {"flag_values": values}
    define_network(own)
    help_ = "scenes, coco, voc, or voc/2007, voc/2012, coco/2017 of TFDS; default: the recipe's"
    flags.DEFINE_string("data", None, help_, **own)
    flags.DEFINE_enum("recipe", None, sorted(RECIPES), "default: the data's", **own)
    for field in HYPER_PARAMETERS:
        define_hyper_parameter(field, own)


def run(values=flags.FLAGS):
    """The Run that the flags mean. ValueError, of one sentence, for what cannot be meant."""
    adopted = adopt.settings(values) if values.init_from else {}
    data = values.data or (RECIPES[values.recipe].data if values.recipe else unnamed(values))
    recipe = RECIPES[values.recipe or default_for(data)]
    if data == "scenes" and "data_dir" in values and values.data_dir:
        raise ValueError(
            f"--data_dir={values.data_dir:.80} is not for scenes, which need none: give "
            "--data=coco or --data=voc for the pictures in it"
        )
    recipe = dataclasses.replace(recipe, **changed(values, recipe))
    return of_network(values, adopted, data, recipe)


def unnamed(values):
    """The data that no flag names: scenes, unless a directory says that there are others."""
    if "data_dir" in values and values.data_dir:
        raise ValueError(
            f"--data_dir={values.data_dir:.80}: expected --data with it: coco for annotations in "
            "JSON, voc for those in XML"
        )
    return "scenes"


def changed(values, recipe):
    """What the flags change of a recipe, and what stays constant of weights that are there."""
    given = {f.name: values[f.name].value for f in HYPER_PARAMETERS}
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
