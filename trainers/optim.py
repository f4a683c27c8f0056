"""The paper's optimizer: SGD with Caffe's momentum and weight decay inside the gradient."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="residual_zoo")
class CoupledSGD(keras.optimizers.SGD):
    """v <- m v - lr (g + l w); w <- w + v, with the decay l on kernels alone.

    Keras' own `weight_decay` shrinks weights outside the momentum, and a regularizer `L2(l)` has
    gradient 2 l w. Biases and the normalisation's gamma and beta are not decayed: they are the
    variables of rank 1. `rates` are factors of the learning rate, one for each variable.
    """

    def __init__(self, learning_rate=0.1, momentum=0.9, coupled_decay=1e-4, rates=None, **kwargs):
        super().__init__(learning_rate, momentum=momentum, **kwargs)
        self.coupled_decay = coupled_decay
        self.rates = rates

    def update_step(self, gradient, variable, learning_rate):
        if self.coupled_decay and len(variable.shape) > 1:
            gradient = ops.add(gradient, ops.multiply(variable, self.coupled_decay))
        if self.rates:
            learning_rate = learning_rate * self.rates[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        own = {"coupled_decay": self.coupled_decay, "rates": self.rates}
        return {**super().get_config(), **own}


def schedule(recipe):
    """The learning rate of each step, counted from 0: Recipe -> keras LearningRateSchedule."""
    if recipe.schedule == "cosine":
        after = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate, max(1, recipe.steps - recipe.warmup_steps)
        )
    else:
        # Keras still gives the earlier value at the boundary itself; Caffe drops there.
        boundaries = [round(drop * recipe.steps) - 1 for drop in recipe.drops]
        rates = [recipe.learning_rate / 10**i for i in range(len(boundaries) + 1)]
        after = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)
        if not boundaries:
            after = Constant(recipe.learning_rate)
    if not recipe.warmup_steps:
        return after
    shift = recipe.warmup_steps if recipe.schedule == "cosine" else 0
    return ConstantWarmup(recipe.warmup_learning_rate, recipe.warmup_steps, after, shift)


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
    return CoupledSGD(
        schedule(recipe), recipe.momentum, recipe.weight_decay, rates=rates, name="sgd"
    )
