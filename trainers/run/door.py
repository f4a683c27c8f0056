"""What the programs do, for Python: in a notebook, in a thread, several times in a process."""

import dataclasses
import os

from trainers.judging import evaluation, pictures
from trainers.judging import options as judging_options
from trainers.plan import flags as plan
from trainers.plan.recipes import RECIPES, Recipe
from trainers.run import classification, keywords, options
from trainers.run import place as places
from zoo import archive


def train(recipe=None, *, run_dir=None, verbose=True, **flags):
    """Trains a classifier as `python -m trainers.classify` does: -> training.Trained.

    `recipe` is a recipe's name, or a Recipe made of one by `dataclasses.replace`; keywords are the
    program's flags, such as `model="resnet20"` or `steps=100`. The same call again resumes. What a
    command line is refused for is a ValueError; Ctrl-C ends it after the steps under way. Of many
    machines each worker is a process of its own, so `strategy="multiworker"` is the program's.
    """
    given = {**_of(recipe), "run_dir": _text(run_dir), **flags}
    values = keywords.parse("trainers.train", (plan.define, options.define), given)
    if values.strategy == "multiworker":
        raise ValueError("trainers.train: a worker is a process: start python -m trainers.classify")
    run = plan.run(values)
    chosen = dataclasses.replace(options.read(run, values), verbose=verbose)
    return classification.train(run, places.stand(run, chosen))


def evaluate(run_dir, **flags):
    """Judges a run as `python -m trainers.evaluate` does: -> the dict that evaluation.json holds.

    Several directories are an ensemble. Keywords are the program's flags, such as `weights="best"`
    or `views="ten_crop"`.
    """
    several = run_dir if isinstance(run_dir, (list, tuple)) else [run_dir]
    given = {"run_dir": [_text(one) for one in several], **flags}
    definers = (judging_options.define_judging,)
    judging = judging_options.read_judging(keywords.parse("trainers.evaluate", definers, given))
    return evaluation.evaluate(judging, evaluation.devices(judging))


def predict(run_dir, paths, **flags):
    """Names pictures as `python -m trainers.predict` does: -> a list of pictures.Guess.

    `paths` is a picture, a folder, or a list of them; a file that is no picture gets a Guess whose
    `error` says so. Keywords are `weights`, `top` and `batch_size`.
    """
    paths = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths
    given = {"run_dir": _text(run_dir), **flags}
    values = keywords.parse("trainers.predict", (judging_options.define_asking,), given)
    model, manifest = archive.load(values.run_dir, values.weights)
    options = dict(top=values.top, batch_size=values.batch_size)
    return list(pictures.guess(model, manifest, map(_text, paths), **options))


def _of(recipe):
    """A recipe as keywords: its name, and of a Recipe every number that is not the name's own."""
    if not isinstance(recipe, Recipe):
        return {"recipe": recipe}
    fields, named = [field.name for field in plan.HYPER_PARAMETERS], RECIPES.get(recipe.name)
    changed = {name: getattr(recipe, name) for name in fields}
    own = {name: value for name, value in changed.items() if value != getattr(named, name, None)}
    return {"recipe": recipe.name, **own}


def _text(path):
    return None if path is None else os.fsdecode(path)
