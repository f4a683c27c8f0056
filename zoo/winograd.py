"""3x3 convolutions of fewer multiplications: Winograd's F(4x4, 3x3), Lavin & Gray 2015, 1509.09308.

A tile of 4 x 4 outputs, of 6 x 6 inputs, is 36 products a channel where its sums are of 144. On
CPUs, whose convolutions already run at the rate of a matrix product, wide layers gain by it; cuDNN
chooses it by itself. It adds in another order, so its last bits are not a plain convolution's.
"""

import contextlib
import contextvars
import functools

import numpy as np
import tensorflow as tf

TILE, TAPS = 4, 3
SIDE = TILE + TAPS - 1  # of a tile's inputs
POINTS = (0, 1, -1, 0.5, -2)  # and infinity: small ones, for float32's sake
_least = contextvars.ContextVar("least_channels", default=None)


@contextlib.contextmanager
def from_channels(count):
    """Within, a `layers.Conv2D` of so many channels or more, in and out, is `convolve`.

    A tf.function keeps what held when it was traced.
    """
    token = _least.set(count)
    try:
        yield
    finally:
        _least.reset(token)


def asked_of(channels):
    """Whether `from_channels` is for a layer of so many, in or out, whichever are fewer."""
    least = _least.get()
    return least is not None and channels >= least


@tf.custom_gradient
def convolve(x, kernel):
    """A convolution of stride 1 that keeps the size: (B, H, W, C), (3, 3, C, F) -> (B, H, W, F).

    What is transformed has up to four times the memory of a map or a kernel: for the gradient it is
    made again.
    """

    def gradient(of_y):
        # After of_y, or TensorFlow's optimizer would find that both are there and keep them.
        with tf.control_dependencies([of_y]):
            again = tf.identity(x), tf.identity(kernel)
        with tf.GradientTape() as tape:
            tape.watch(again)
            y = _convolve(*again)
        return tape.gradient(y, again, of_y)

    return _convolve(x, kernel), gradient


def _convolve(x, kernel):
    """Rows, then columns into tiles' points; a product a point; columns, then rows back."""
    batch, height, width = (tf.shape(x)[i] if x.shape[i] is None else x.shape[i] for i in range(3))
    channels, filters = kernel.shape[2:]
    (into_rows, from_rows), (into_columns, from_columns) = _side(height), _side(width)
    down, across = (-(-length // TILE) for length in (height, width))

    x = tf.matmul(into_rows, tf.reshape(x, [batch, height, width * channels]))
    x = tf.matmul(into_columns, tf.reshape(x, [batch * SIDE * down, width, channels]))
    x = tf.reshape(x, [batch, SIDE, down, SIDE, across, channels])
    x = tf.transpose(x, [1, 3, 0, 2, 4, 5])
    x = tf.reshape(x, [SIDE**2, batch * down * across, channels])

    _, taps, _ = _transforms()
    kernel = tf.matmul(np.kron(taps, taps), tf.reshape(kernel, [TAPS**2, channels * filters]))
    x = tf.matmul(x, tf.reshape(kernel, [SIDE**2, channels, filters]))

    x = tf.reshape(x, [SIDE, SIDE, batch, down, across, filters])
    x = tf.transpose(x, [2, 0, 3, 1, 4, 5])
    x = tf.reshape(x, [batch * SIDE * down, SIDE * across, filters])
    x = tf.reshape(tf.matmul(from_columns, x), [batch, SIDE * down, width * filters])
    return tf.reshape(tf.matmul(from_rows, x), [batch, height, width, filters])


def _side(length):
    """Matrices from a side's cells to its t tiles' points, and back to cells.

    (SIDE * t, length) and (length, SIDE * t), all tiles of a point together. The zeros around the
    map are in them.
    """
    inputs, _, outputs = _transforms()
    tiles, cells = tf.range(-(-length // TILE)), tf.range(length)
    # Which of a tile's inputs a cell is: they begin one cell before its outputs.
    place = cells - TILE * tiles[:, tf.newaxis] + TAPS // 2
    known = np.pad(inputs.T, [(1, 1), (0, 0)])  # a cell that is none adds nothing
    into = tf.gather(known, tf.clip_by_value(place, -1, SIDE) + 1)
    own = tf.cast(cells[:, tf.newaxis] // TILE == tiles, tf.float32)
    back = tf.gather(outputs, cells % TILE)[:, :, tf.newaxis] * own[:, tf.newaxis]
    into = tf.reshape(tf.transpose(into, [2, 0, 1]), [-1, length])
    return into, tf.reshape(back, [length, tf.shape(into)[0]])


@functools.cache
def _transforms():
    """B (SIDE, SIDE), G (SIDE, TAPS), A (TILE, SIDE): outputs are A ((G taps) * (B inputs)).

    Toom and Cook: polynomials multiplied by their values at POINTS and at infinity.
    """
    points, infinity = np.array(POINTS), np.eye(SIDE)[-1]
    others = [np.delete(points, i) for i in range(len(points))]
    polynomials = [*map(np.poly, others), np.poly(points)]  # the highest power first
    inputs = np.array([np.pad(p[::-1], (0, SIDE - len(p))) for p in polynomials])
    scale = np.array([np.prod(p - rest) for p, rest in zip(points, others)])
    taps = np.vander(points, TAPS, increasing=True) / scale[:, np.newaxis]
    taps = np.vstack([taps, infinity[-TAPS:]])
    outputs = np.vstack([np.vander(points, TILE, increasing=True), infinity[-TILE:]]).T
    return tuple(matrix.astype(np.float32) for matrix in (inputs, taps, outputs))
