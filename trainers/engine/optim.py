"""The paper's optimizer: SGD with Caffe's momentum and weight decay inside the gradient."""

import math

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable(package="residual_zoo")
class CoupledSGD(keras.optimizers.SGD):
    """v <- m v - lr (g + l w); w <- w + v, with the decay l on kernels alone, or on all.

    Keras' own `weight_decay` shrinks weights outside the momentum, and a regularizer `L2(l)` has
    gradient 2 l w. Biases and the normalisation's gamma and beta are the variables of rank 1: they
    are decayed where `decay` is "all", as Caffe does by default. `rates` are factors of the
    learning rate, one for each variable. It remembers the square of the last gradient, before decay
    and over all replicas: `gradient_norm`.
    """

    def __init__(
        self,
        learning_rate=0.1,
        momentum=0.9,
        coupled_decay=1e-4,
        *,
        decay="kernels",
        rates=None,
        **kwargs,
    ):
        super().__init__(learning_rate, momentum=momentum, **kwargs)
        self.schedule = learning_rate
        self.coupled_decay = coupled_decay
        self.least_rank = {"kernels": 2, "all": 0}[decay]
        self.decay = decay
        self.rates = rates

    def build(self, variables):
        if not self.built:
            self.square = self.add_variable((), dtype="float32", name="gradient_square")
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        square = ops.sum(ops.square(ops.cast(gradient, "float32")))
        (self.assign_add if index else self.assign)(self.square, square)
        if self.coupled_decay and len(variable.shape) >= self.least_rank:
            gradient = ops.add(gradient, ops.multiply(variable, self.coupled_decay))
        if self.rates:
            learning_rate = learning_rate * self.rates[index]
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        # Keras' five operations in one, which writes where the weights and their momentum lie.
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[index].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )

    def get_config(self):
        own = {"coupled_decay": self.coupled_decay, "decay": self.decay, "rates": self.rates}
        return {**super().get_config(), **own}


def innermost(optimizer):
    """The CoupledSGD itself, where float16 has wrapped it into a loss scale."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def gradient_norm(optimizer):
    """The length of the last step's gradient, of the mean loss without decay."""
    return math.sqrt(float(ops.convert_to_numpy(innermost(optimizer).square)))


def weight_norm(model):
    """The length of all that is trained, as one vector."""
    weights = [ops.convert_to_numpy(v).astype("float64") for v in model.trainable_variables]
    return math.sqrt(sum(float((w**2).sum()) for w in weights))


def schedule(recipe):
    """The learning rate of each step, counted from 0: Recipe -> keras LearningRateSchedule."""
    if recipe.warmup == "error" or recipe.schedule == "plateau":
        return Steered(planned(recipe), keras.Variable(1.0, trainable=False, name="rate_factor"))
    return planned(recipe)


def planned(recipe):
    """What is known before training: the part of the schedule that no error decides."""
    warmup_steps = 0 if recipe.warmup == "error" else recipe.warmup_steps
    after = AFTER_WARMUP[recipe.schedule](recipe, warmup_steps)
    if not warmup_steps or (recipe.warmup, recipe.schedule) == ("linear", "cosine"):
        return after
    shift = warmup_steps if recipe.schedule == "cosine" else 0
    return ConstantWarmup(recipe.warmup_learning_rate, warmup_steps, after, shift)


def _cosine(recipe, warmup_steps):
    falling = max(1, recipe.steps - warmup_steps)
    if warmup_steps and recipe.warmup == "linear":
        return keras.optimizers.schedules.CosineDecay(
            recipe.warmup_learning_rate,
            falling,
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup_steps,
        )
    return keras.optimizers.schedules.CosineDecay(recipe.learning_rate, falling)


def _steps(recipe, warmup_steps):
    if not recipe.drops:
        return Constant(recipe.learning_rate)
    # Keras still gives the earlier value at the boundary itself; Caffe drops there.
    boundaries = [round(drop * recipe.steps) - 1 for drop in recipe.drops]
    rates = [recipe.learning_rate / 10**i for i in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


AFTER_WARMUP = {
    "cosine": _cosine,
    "step": _steps,
    "plateau": lambda recipe, warmup_steps: Constant(recipe.learning_rate),
}


class Steered(keras.optimizers.schedules.LearningRateSchedule):
    """A planned schedule times a factor that `trainers.engine.policies` sets while training."""

    def __init__(self, plan, factor):
        self.plan, self.factor = plan, factor

    def __call__(self, step):
        return self.plan(step) * ops.convert_to_tensor(self.factor)

    def get_config(self):
        return {"plan": self.plan, "factor": self.factor}


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """The same rate at every step."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return ops.convert_to_tensor(self.rate, "float32")

    def get_config(self):
        return {"rate": self.rate}


class ConstantWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """A low constant rate for the first steps, then another schedule (Sec. 4.2, ResNet-110)."""

    def __init__(self, rate, steps, after, shift=0):
        self.rate, self.steps, self.after, self.shift = rate, steps, after, shift

    def __call__(self, step):
        step = ops.cast(step, "float32")
        later = self.after(ops.maximum(step - self.shift, 0.0))
        return ops.where(step < self.steps, ops.cast(self.rate, later.dtype), later)

    def get_config(self):
        return {
            "rate": self.rate,
            "steps": self.steps,
            "after": self.after,
            "shift": self.shift,
        }


def momentum_sgd(recipe, rates=None):
    """The recipe's optimizer, with its schedule: Recipe -> CoupledSGD."""
    average = {"use_ema": True, "ema_momentum": recipe.ema} if recipe.ema else {}
    own = {"decay": recipe.decay, "rates": rates}
    return CoupledSGD(
        schedule(recipe), recipe.momentum, recipe.weight_decay, **own, name="sgd", **average
    )
