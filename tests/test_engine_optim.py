"""The optimizer against a numpy rewriting of Caffe's rule, schedules against the paper's points."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as convert

from trainers.engine import optim
from trainers.plan.recipes import RECIPES


def caffe(weight, gradients, rate, momentum, decay):
    """Caffe's SGDSolver: v <- m v + lr (g + l w); w <- w - v."""
    velocity = np.zeros_like(weight)
    for gradient in gradients:
        velocity = momentum * velocity + rate * (gradient + decay * weight)
        weight = weight - velocity
    return weight


def test_coupled_sgd_is_caffes_rule():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(3, 4)), rng.normal(size=4)
    steps = [(rng.normal(size=(3, 4)), rng.normal(size=4)) for _ in range(6)]
    variables = [keras.Variable(kernel, dtype="float64"), keras.Variable(bias, dtype="float64")]
    optimizer = optim.CoupledSGD(0.1, momentum=0.9, coupled_decay=0.05)
    optimizer.build(variables)
    for gradients in steps:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    expected = caffe(kernel, [g for g, _ in steps], 0.1, 0.9, 0.05)
    np.testing.assert_allclose(convert(variables[0]), expected, rtol=1e-6)
    undecayed = caffe(bias, [g for _, g in steps], 0.1, 0.9, 0.0)
    np.testing.assert_allclose(convert(variables[1]), undecayed, rtol=1e-6)
    # Keras' own decay, outside the momentum, is another rule: 1e-6 tells them apart.
    outside = keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.05)
    other = keras.Variable(kernel, dtype="float64")
    outside.build([other])
    for gradient, _ in steps:
        outside.apply([keras.ops.convert_to_tensor(gradient)], [other])
    assert np.abs(convert(other) - expected).max() > 1e-3


@pytest.mark.parametrize("nesterov", [False, True])
def test_without_decay_it_is_keras_own_rule(nesterov):
    """Nesterov's momentum too, which the one operation must be told of."""
    given = dict(momentum=0.9, nesterov=nesterov)
    optimizers = (
        optim.CoupledSGD(0.1, coupled_decay=0.0, **given),
        keras.optimizers.SGD(0.1, **given),
    )
    found = []
    for optimizer in optimizers:
        variable = keras.Variable([1.0, -2.0], dtype="float64")
        optimizer.build([variable])
        for gradient in ([0.5, 1.0], [-1.0, 0.25], [2.0, 0.0]):
            optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient))], [variable])
        found.append(convert(variable))
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_decay_of_all_takes_gamma_beta_and_biases_too():
    """Gradients of zero leave Caffe's rule on the weights: w - lr l w, then momentum besides."""
    recipe = dataclasses.replace(
        RECIPES["cifar10"], weight_decay=0.05, decay="all", drops=(), learning_rate=0.1
    )
    variables = [keras.Variable(np.full(shape, 2.0), dtype="float64") for shape in ((1, 1), (1,))]
    optimizer = optim.momentum_sgd(recipe)
    optimizer.build(variables)
    zeros = [np.zeros(v.shape) for v in variables]
    for _ in range(3):
        optimizer.apply([keras.ops.convert_to_tensor(z) for z in zeros], variables)
    for variable, zero in zip(variables, zeros, strict=True):
        expected = caffe(zero + 2.0, [zero] * 3, 0.1, 0.9, 0.05)
        np.testing.assert_allclose(convert(variable), expected, rtol=1e-6)
    assert optim.CoupledSGD.from_config(optim.CoupledSGD(decay="all").get_config()).decay == "all"
    with pytest.raises(ValueError, match="--decay: expected one of kernels, all, got 'none'"):
        dataclasses.replace(recipe, decay="none")


def rates(recipe, *steps):
    schedule = optim.schedule(recipe)
    return [float(schedule(step)) for step in steps]


def test_cifar_schedule_drops_at_32k_and_48k():
    """Sec. 4.2; the update that is the 32,001st, of step 32,000 counted from 0, is the first."""
    points = rates(RECIPES["cifar10"], 0, 31_999, 32_000, 47_999, 48_000, 63_999)
    assert points == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001], rel=1e-6)


def test_resnet110_is_steered_by_a_factor():
    """0.01 before the training error is below 80 %, then as cifar10 (Sec. 4.2)."""
    schedule = optim.schedule(RECIPES["cifar10_warmup"])
    assert float(schedule(31_999)) == pytest.approx(0.1)
    schedule.factor.assign(0.1)
    found = [float(schedule(step)) for step in (0, 31_999, 32_000)]
    assert found == pytest.approx([0.01, 0.01, 0.001], rel=1e-6)


def test_torchvisions_rate_rises_then_falls():
    """From 0.005 by a straight line to 0.5 in 5 of 600 epochs, then half a cosine to 0."""
    recipe = RECIPES["torchvision"]
    middle = recipe.warmup_steps + (recipe.steps - recipe.warmup_steps) // 2
    points = rates(recipe, 0, 3128, 6256, middle, recipe.steps)
    assert points == pytest.approx([0.005, 0.2525, 0.5, 0.25, 0.0], abs=1e-4)


def test_the_norms_are_those_of_numpy():
    """Of the last gradient, as it came: before decay."""
    variables = [keras.Variable(np.ones((2, 2))), keras.Variable(np.ones(3))]
    optimizer = optim.CoupledSGD(0.1, coupled_decay=0.5)
    optimizer.build(variables)
    for scale in (7.0, 2.0):
        gradients = [np.full((2, 2), scale, "float32"), np.full(3, -1.0, "float32")]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    assert optim.gradient_norm(optimizer) == pytest.approx(np.sqrt(4 * 2.0**2 + 3))


def test_the_moving_average_is_numpys():
    """a <- m a + (1 - m) w after each step, and the first weights to begin with."""
    variable = keras.Variable(np.zeros(2))
    recipe = dataclasses.replace(
        RECIPES["digits"], schedule="step", momentum=0.0, weight_decay=0.0, ema=0.75
    )
    optimizer = optim.momentum_sgd(recipe)
    optimizer.build([variable])
    average = None
    for step in range(1, 5):
        optimizer.apply([keras.ops.ones(2)], [variable])
        weight = -0.1 * step
        average = weight if average is None else 0.75 * average + 0.25 * weight
    (found,) = optimizer._model_variables_moving_average
    np.testing.assert_allclose(convert(found), average, rtol=1e-5)


def test_cosine_falls_to_zero():
    """0.1 (1 + cos(pi t / T)) / 2, by hand at a quarter, half and the end."""
    recipe = dataclasses.replace(RECIPES["digits"], steps=400)
    expected = [0.1, 0.1 * (1 + 0.5**0.5) / 2, 0.05, 0.0]
    assert rates(recipe, 0, 100, 200, 400) == pytest.approx(expected, abs=1e-8)


def test_cosine_starts_after_the_warmup():
    recipe = dataclasses.replace(
        RECIPES["digits"], steps=500, warmup_steps=100, warmup_learning_rate=0.02
    )
    assert rates(recipe, 0, 99, 100, 300) == pytest.approx([0.02, 0.02, 0.1, 0.05], abs=1e-7)


def test_constant_rate_without_drops():
    recipe = dataclasses.replace(RECIPES["cifar10"], drops=())
    assert rates(recipe, 0, 63_999) == pytest.approx([0.1, 0.1], rel=1e-6)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"batch_size": 0}, "batch_size: expected a whole number from 1 to 1048576, got 0"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number from 0 to 1e.30, got -1.0"),
        (
            {"learning_rate": float("nan")},
            "learning_rate: expected a number from 0 to 1e.30, got nan",
        ),
        ({"momentum": 1.0}, "momentum: expected a number from 0 to below 1, got 1.0"),
        ({"steps": "ten"}, "steps: expected a whole number from 1 to .*, got 'ten'"),
        ({"steps": True}, "steps: expected a whole number from 1 to .*, got True"),
        ({"steps": 5.0}, "steps: expected a whole number from 1 to .*, got 5.0"),
        ({"early_stop_rounds": 0}, "early_stop_rounds: expected a whole number from 1"),
        ({"mirror": "yes"}, "mirror: expected True or False, got 'yes'"),
        ({"data": 7}, "data: expected text, got 7"),
        ({"drops": 0.5}, "drops: expected numbers such as 0.5, 0.75, got 0.5"),
        ({"drops": (0.5, float("nan"))}, "drops: expected a number from 0 to below 1, got nan"),
        ({"drops": (0.5, 0.5)}, "drops: expected rising fractions between 0 and 1"),
        ({"mixup": float("nan")}, "mixup: expected a number from 0 to 1000, got nan"),
        ({"warmup": "linear", "schedule": "step"}, "--warmup=linear goes with --schedule=cosine"),
        (
            {"warmup": "error", "warmup_steps": 5, "warmup_learning_rate": 0.1, "learning_rate": 0},
            "--warmup=error needs learning_rate.*above 0, got 0, 0.1 and 5",
        ),
        ({"drops": (0.8, 0.5)}, "drops: expected rising fractions between 0 and 1"),
        ({"schedule": "linear"}, "schedule: expected one of step, cosine, plateau, got 'linear'"),
    ],
)
def test_recipe_that_cannot_be_meant(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(RECIPES["digits"], **change)


def test_a_recipe_keeps_plain_numbers():
    """NumPy's are taken, and become what JSON can write."""
    change = {"steps": np.int64(20), "learning_rate": np.float32(0.5), "ema": 0, "drops": [0.5]}
    recipe = dataclasses.replace(RECIPES["digits"], **change)
    assert [type(x) for x in (recipe.steps, recipe.learning_rate, recipe.ema)] == [
        int,
        float,
        float,
    ]
    assert (recipe.steps, recipe.learning_rate, recipe.drops) == (20, 0.5, (0.5,))
    json.dumps(dataclasses.asdict(recipe))
