"""The parts of Fig. 2, 3 and 5: convolution with its normalisation, shortcuts, blocks, stems.

Every stride-2 window is padded alike on both sides, as in Caffe and Torch. TensorFlow's "same"
pads one pixel less before than behind, which is another network for the same weights.
"""

import keras
from keras import layers

from zoo.layers import Conv2D, FusedBatchNormalization, IdentityShortcut

BN_EPSILON = 1e-5  # Caffe's and Torch's; Keras' own is 1e-3
BN_MOMENTUM = 0.9  # of the old value; Torch writes the same rule as 0.1


def he_normal():
    """N(0, 2 / fan_in), He et al. 2015 [13]; Keras' own "he_normal" cuts the tails off."""
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")


def relu(x, *, name):
    return layers.ReLU(name=name)(x)


def conv_bn(x, filters, kernel, stride=1, *, name, **norm):
    """Convolution without bias, then batch normalisation: (B, H, W, C) -> (B, H/s, W/s, filters).

    H/s is rounded up. Layers are named `{name}_conv` and `{name}_bn`. `norm`, here and below, are
    settings of the batch normalisation: `synchronized`, `epsilon`.
    """
    if stride > 1 and kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="valid" if stride > 1 else "same",
        use_bias=False,
        kernel_initializer=he_normal(),
        name=f"{name}_conv",
    )(x)
    norm = {"momentum": BN_MOMENTUM, "epsilon": BN_EPSILON, **norm}
    return FusedBatchNormalization(name=f"{name}_bn", **norm)(x)


def identity(x, filters, stride, *, name, zeros="end", **norm):
    """Option A: no parameters anywhere; zeros for the channels that x does not have."""
    if stride == 1 and x.shape[-1] == filters:
        return x
    return IdentityShortcut(filters, stride, zeros, name=f"{name}_0_identity")(x)


def projection(x, filters, stride, *, name, **norm):
    """Option C: a 1x1 convolution and its normalisation, everywhere."""
    return conv_bn(x, filters, 1, stride, name=f"{name}_0", **norm)


def projection_where_wider(x, filters, stride, *, name, **norm):
    """Option B: a projection where the dimension grows, the identity elsewhere."""
    grows = stride > 1 or x.shape[-1] != filters
    wire = projection if grows else identity
    return wire(x, filters, stride, name=name, **norm)


SHORTCUTS = {"A": identity, "B": projection_where_wider, "C": projection, None: None}


def join(x, y, stride, shortcut, *, name, **norm):
    """ReLU of F(x) + shortcut(x), Eqn. 1 and 2; of F(x) alone in a plain net."""
    if shortcut is not None:
        x = shortcut(x, y.shape[-1], stride, name=name, **norm)
        y = layers.Add(name=f"{name}_add")([x, y])
    return relu(y, name=f"{name}_out")


def basic(x, filters, stride, shortcut, *, name, **norm):
    """3x3, 3x3 (Fig. 5, left): (B, H, W, C) -> (B, H/stride, W/stride, filters)."""
    y = conv_bn(x, filters, 3, stride, name=f"{name}_1", **norm)
    y = relu(y, name=f"{name}_1_relu")
    y = conv_bn(y, filters, 3, name=f"{name}_2", **norm)
    return join(x, y, stride, shortcut, name=name, **norm)


def bottleneck(x, filters, stride, shortcut, *, name, **norm):
    """1x1, 3x3, 1x1 (Fig. 5, right): (B, H, W, C) -> (B, H/stride, W/stride, 4*filters).

    The first 1x1 halves the map, as in the paper's nets (v1).
    """
    y = narrow_and_widen(x, filters, (stride, 1), name=name, **norm)
    return join(x, y, stride, shortcut, name=name, **norm)


def bottleneck_v15(x, filters, stride, shortcut, *, name, **norm):
    """The bottleneck whose 3x3 halves the map, as in Torch's nets (v1.5)."""
    y = narrow_and_widen(x, filters, (1, stride), name=name, **norm)
    return join(x, y, stride, shortcut, name=name, **norm)


def narrow_and_widen(x, filters, strides, *, name, **norm):
    """F of a bottleneck; `strides` are those of its 1x1 and its 3x3."""
    y = conv_bn(x, filters, 1, strides[0], name=f"{name}_1", **norm)
    y = relu(y, name=f"{name}_1_relu")
    y = conv_bn(y, filters, 3, strides[1], name=f"{name}_2", **norm)
    y = relu(y, name=f"{name}_2_relu")
    return conv_bn(y, 4 * filters, 1, name=f"{name}_3", **norm)


# By block and by the convolution that carries the stride; a basic block's is always a 3x3.
BLOCKS = {
    ("basic", "1x1"): basic,
    ("basic", "3x3"): basic,
    ("bottleneck", "1x1"): bottleneck,
    ("bottleneck", "3x3"): bottleneck_v15,
}


def imagenet_stem(x, filters=64, *, pool_pad="both", **norm):
    """conv1 and the max pool of Table 1: (B, H, W, 3) -> (B, H/4, W/4, filters)."""
    x = conv_bn(x, filters, 7, 2, name="conv1", **norm)
    x = relu(x, name="conv1_relu")
    # Zeros cannot win against a ReLU's output, so padding with them is padding with -inf.
    sides = 1 if pool_pad == "both" else ((0, 1), (0, 1))
    x = layers.ZeroPadding2D(sides, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def cifar_stem(x, filters=16, *, pool_pad="both", **norm):
    """The first 3x3 of Sec. 4.2: (B, H, W, 3) -> (B, H, W, filters)."""
    x = conv_bn(x, filters, 3, name="conv1", **norm)
    return relu(x, name="conv1_relu")


STEMS = {"imagenet": imagenet_stem, "cifar": cifar_stem}
