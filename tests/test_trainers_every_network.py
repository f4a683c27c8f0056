"""Two steps of training for every network of the paper, in one process."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as convert

import zoo
from trainers.plan import images
from trainers.plan.flags import Run
from trainers.plan.recipes import RECIPES, default_for
from trainers.run import classification, training
from trainers.run.place import Place
from zoo import archive

# Plain and residual; resnet50, of bottlenecks and Table 1, is in test_trainers_classify.py.
ALWAYS = {"plain20", "resnet20"}


def named(model):
    return pytest.param(model, marks=[] if model in ALWAYS else pytest.mark.exhaustive)


@pytest.mark.slow
@pytest.mark.parametrize("model", [named(name) for name in zoo.names() if name != "resnet50"])
def test_two_steps_of_every_network(tmp_path, model):
    spec = zoo.find(model)
    recipe = RECIPES[default_for("synthetic", spec.stem)]
    size = {"imagenet": 32, "cifar": 8}[spec.stem]
    recipe = dataclasses.replace(recipe, steps=2, round_steps=2, batch_size=2, image_size=size)
    run = Run(model, spec.shortcut, "1x1", "synthetic", 0, "float32", recipe)
    data = images.load(run, None)
    state = classification.build(run, data, tf.distribute.get_strategy())
    place = Place(tmp_path, None, tf.distribute.get_strategy(), pictures=False)
    ends = [state.model.trainable_variables[end] for end in (0, -1)]
    before = [convert(v) for v in ends]
    work = classification.work(run, place, data, state)
    assert training.train(run, place, work, state).stopped_by is None
    assert state.step == 2
    for variable, old in zip(ends, before, strict=True):
        assert not np.array_equal(convert(variable), old), variable.path
    loaded, _ = archive.load(tmp_path)
    for ours, theirs in zip(loaded.variables, state.model.variables, strict=True):
        np.testing.assert_array_equal(convert(ours), convert(theirs))
