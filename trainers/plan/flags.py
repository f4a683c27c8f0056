"""absl flags of the trainer; a hyper-parameter's flag is derived from the Recipe's field.

Such a flag defaults to "as the recipe says", so `--recipe=cifar10 --learning_rate=0.05` changes
one number, and the run directory's `flags.txt` holds every number that came of it.
"""

import dataclasses
import typing

from absl import flags

from trainers.plan import adopt, weighting
from trainers.plan.checks import CHOICES
from trainers.plan.course import Course
from trainers.plan.recipes import RECIPES, Recipe, default_for
from zoo import limits, sizes, specs


def hyper_parameters(recipe):
    """The fields of a kind of recipe that are flags, or of a recipe of it."""
    return tuple(field for field in dataclasses.fields(recipe) if "help" in field.metadata)


HYPER_PARAMETERS = hyper_parameters(Recipe)


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run computes: equal Runs with equal devices end in equal bits."""

    model: str
    shortcut: str | None
    stride: str
    data: str
    seed: int
    precision: str
    recipe: Course
    init_from: str | None = None

    @property
    def places(self):
        """Flags that name a directory which the run's numbers depend on."""
        return {"init_from": self.init_from}

    @property
    def run_dir(self):
        """Where it lives if nobody says."""
        return f"runs/{self.model}_{self.data}"


def define(values=flags.FLAGS):
    """Defines the flags that say what a classifier's run computes."""
    own = {"flag_values": values}
    define_network(own)
    help_ = (
        "digits, folder, scenes_single, synthetic or a TFDS name; default: the recipe's or digits"
    )
    flags.DEFINE_string("data", None, help_, **own)
    help_ = "default: finetune with --init_from, else the data's or the network's"
    flags.DEFINE_enum("recipe", None, sorted(RECIPES), help_, **own)
    flags.DEFINE_bool(
        "scale_learning_rate",
        False,
        "learning rates in proportion to --batch_size over the recipe's (Goyal et al. 2017)",
        **own,
    )
    for field in HYPER_PARAMETERS:
        define_hyper_parameter(field, own)


def define_network(own):
    """Defines which network of the zoo is taken, from where, and how its numbers are drawn."""
    flags.DEFINE_string("model", None, "a network of `python -m zoo`; default: the recipe's", **own)
    help_ = "default: the paper's for the network"
    flags.DEFINE_enum("shortcut", None, specs.SHORTCUTS, help_, **own)
    help_ = "of a bottleneck: the paper's, or v1.5's 3x3"
    flags.DEFINE_enum("stride", "1x1", specs.STRIDES, help_, **own)
    help_ = "a run or import to start from; its network is taken as it is"
    flags.DEFINE_string("init_from", None, help_, **own)
    limits.DEFINE_integer("seed", 0, "of weights, order and augmentation", **own)
    help_ = "Keras' dtype policy; of the two halves, bfloat16 needs no loss scale"
    kinds = ("float32", "mixed_bfloat16", "mixed_float16")
    flags.DEFINE_enum("precision", "float32", kinds, help_, **own)


def define_hyper_parameter(field, own):
    """Defines the flag of a recipe's field, with the field's help."""
    kinds = set(typing.get_args(field.type)) or {field.type}
    help_ = f"recipe: {field.metadata['help']}"
    if field.name in CHOICES:
        flags.DEFINE_enum(field.name, None, CHOICES[field.name], help_, **own)
    elif bool in kinds:
        flags.DEFINE_bool(field.name, None, help_, **own)
    elif typing.get_origin(field.type) is tuple:
        fewest = 0 if field.default == () else 1
        limits.DEFINE_numbers(field.name, None, help_, fewest=fewest, **own)
    elif int in kinds:
        limits.DEFINE_integer(field.name, None, help_, **own)
    elif str in kinds:
        flags.DEFINE_string(field.name, None, help_, **own)
    else:
        limits.DEFINE_float(field.name, None, help_, **own)


def run(values=flags.FLAGS):
    """The Run that the flags mean. ValueError, of one sentence, for what cannot be meant."""
    adopted = adopt.settings(values) if values.init_from else {}
    named = values.recipe or (adopt.RECIPE if values.init_from else None)
    data = values.data or (RECIPES[named].data if named else _unnamed(values))
    _check_data(values, data)
    model = adopted.get("model", values.model)
    stem = specs.find(model).stem if model else "cifar"
    recipe = RECIPES[named or default_for(data, stem)]
    settled = _scaled(values, recipe) | _resized(values, recipe)
    settled |= _unscaled(recipe, stem) | _changed(values)
    recipe = dataclasses.replace(recipe, **settled)
    recipe = dataclasses.replace(recipe, **adopt.recipe_settings(recipe, adopted))
    return of_network(values, adopted, data, recipe)


def of_network(values, adopted, data, recipe):
    """The Run of such data and recipe, on the network that is adopted, named, or the recipe's."""
    model = adopted.get("model", values.model or recipe.model)
    spec = specs.find(model)
    if spec.plain and values.shortcut:
        raise ValueError(f"{model} has no shortcuts: leave --shortcut={values.shortcut} out")
    return Run(
        model=model,
        shortcut=adopted.get("shortcut", values.shortcut or spec.shortcut),
        stride=adopted.get("stride", values.stride),
        data=data,
        seed=values.seed,
        precision=values.precision,
        recipe=recipe,
        init_from=values.init_from,
    )


def _unnamed(values):
    """The data that no flag names: a directory's pictures, if there is one, else digits."""
    return "folder" if "data_dir" in values and values.data_dir else "digits"


def _check_data(values, data):
    """ValueError where a directory is given to what is in none."""
    if (
        data in ("digits", "scenes_single", "synthetic")
        and "data_dir" in values
        and values.data_dir
    ):
        raise ValueError(
            f"--data_dir={values.data_dir:.80} is not for {data}, which need none: leave one out, "
            "or give --data=folder for the pictures in it"
        )


def _scaled(values, recipe):
    """Learning rates in proportion to the batch, where that was asked for."""
    if not values.scale_learning_rate:
        return {}
    if values.learning_rate is not None:
        raise ValueError(
            "--scale_learning_rate works on the recipe's learning rate: leave out one of it and "
            f"--learning_rate={values.learning_rate}"
        )
    factor = (values.batch_size or recipe.batch_size) / recipe.batch_size
    scaled = {"learning_rate": recipe.learning_rate * factor}
    if values.warmup_learning_rate is None:
        scaled["warmup_learning_rate"] = recipe.warmup_learning_rate * factor
    return scaled


def _resized(values, recipe):
    """`resize_px` in the recipe's proportion to an `image_size` that was given alone.

    Left as it is, a smaller crop would be the middle of each picture.
    """
    if values.image_size is None or not (recipe.image_size and recipe.resize_px):
        return {}
    shorter = sizes.shorter(values.image_size)
    resize_px = round(shorter * recipe.resize_px / sizes.shorter(recipe.image_size))
    return {"resize_px": min(resize_px, limits.SIDE.most)}


def _unscaled(recipe, stem):
    """Crops of padded pictures where a CIFAR net is tuned by the recipe for photographs.

    Of 32 px a window at 1.1 to 2.1 times their size shows too little: `resnet20` with 18.8 % error
    on CIFAR-10's JPEGs became 25.3 % by scale_jitter, 14.6 % by pad_crop.
    """
    if (recipe.name, stem) != (adopt.RECIPE, "cifar"):
        return {}
    return {"augmentation": "pad_crop"}


def other_batch(run):
    """A sentence for the user whose batch is not the recipe's at the recipe's learning rate."""
    recipe = RECIPES[run.recipe.name]
    ours, theirs = run.recipe.batch_size, recipe.batch_size
    if ours == theirs or run.recipe.learning_rate != recipe.learning_rate:
        return None
    return (
        f"NOTE: --batch_size={ours} is not the {theirs} that recipe {recipe.name}'s learning rate "
        f"{recipe.learning_rate:g} is for: --scale_learning_rate makes it "
        f"{recipe.learning_rate * ours / theirs:g}"
    )


def _changed(values):
    changed = {f.name: values[f.name].value for f in HYPER_PARAMETERS}
    if values.class_weights is not None:
        changed["class_weights"] = weighting.read(values.class_weights)
    if values.steps and values.epochs:
        raise ValueError(
            f"--steps={values.steps} and --epochs={values.epochs} both say how long: leave one out"
        )
    if values.epochs:
        return {k: v for k, v in changed.items() if v is not None} | {"steps": None}
    return {name: value for name, value in changed.items() if value is not None}
