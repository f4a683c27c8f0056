"""How a detector is computed on CPUs where exports have no say: in training and judging.

The same weights and sums in another order, so the last bits are not those of the plain layers. A
GPU's library chooses its own ways.
"""

import tensorflow as tf

from zoo import winograd
from zoo.detection import commuted, network

# Narrower layers, of maps of 480 x 640 pictures, lose more by a normalisation apart than they gain.
LEAST_CHANNELS = 256


def parts(model, detector):
    """`network.Parts` of a built detector."""
    halves = network.parts(model)
    if not on_cpus():
        return halves
    first, second = halves.first, halves.second
    if convolutions := commuted.first_convolutions(model, detector):
        second = commuted.second(model, convolutions)
    return network.Parts(part(first), part(second))


def part(function):
    """A network, or part of one, whose wide 3x3 convolutions are `winograd.convolve`."""
    if not on_cpus():
        return function

    def call(*inputs, **how):
        with winograd.from_channels(LEAST_CHANNELS):
            return function(*inputs, **how)

    return call


def on_cpus():
    return not tf.config.list_logical_devices("GPU")
