"""The builder: a fold of blocks over a row of Table 1, or of the 6n + 2 family."""

import dataclasses
import functools

import keras
from keras import layers

from zoo import blocks, sizes
from zoo.layers import PixelNormalization
from zoo.recursion import room_for
from zoo.specs import Network, find


def build(name, *, num_classes=None, shortcut=None, image_size=None, stride="1x1", **more):
    """A classifier: (B, H, W, 3) RGB pixels 0-255 -> (B, num_classes) logits.

    Logits are float32 under any precision policy. None takes the paper's value: 1000 or 10
    classes, shortcut B or A, and any image size. `more` are the other fields of `Network`.
    ValueError lists what is known, of names, of arguments and of their values.
    """
    spec = find(name)
    known = [field.name for field in dataclasses.fields(Network) if field.name != "name"]
    if unknown := sorted(more.keys() - known):
        raise ValueError(
            f"unknown argument {', '.join(unknown)}: expected one of {', '.join(known)}"
        )
    return build_network(
        Network(
            name=name,
            num_classes=spec.num_classes if num_classes is None else num_classes,
            image_size=image_size,
            shortcut=spec.shortcut if shortcut is None else shortcut,
            stride=stride,
            **more,
        )
    )


def build_network(network):
    """The same from its full description, such as a manifest's: Network -> keras.Model."""
    spec, size = network.spec, network.image_size
    # Keras' own default, `floatx`, may be a half, which would round pixels before the first layer.
    sides = (None, None) if size is None else sizes.of(size)
    image = keras.Input((*sides, 3), dtype="float32", name="image")
    x = trunk(network, image, spec.last_stage)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    logits = head(network, x)
    with room_for(4 * spec.layers):
        return keras.Model(image, logits, name=network.name)


def head(network, x):
    """Logits of pooled features: (B, C) -> (B, num_classes)."""
    if network.hidden:
        he_normal = blocks.he_normal()
        x = layers.Dense(network.hidden, kernel_initializer=he_normal, name="hidden")(x)
        x = blocks.relu(x, name="hidden_relu")
    return layers.Dense(
        network.num_classes, kernel_initializer=blocks.he_normal(), dtype="float32", name="logits"
    )(x)


def trunk(network, image, last):
    """Pixels through conv`last`_x: (B, H, W, 3) -> (B, h, w, C)."""
    spec = network.spec
    sides = sizes.of(network.image_size) if network.mean == "pixel" else (1, 1)
    x = PixelNormalization((*sides, 3), name="pixels")(image)
    filters = network.stem_filters or spec.filters[0]
    x = blocks.STEMS[spec.stem](x, filters, pool_pad=network.pool_pad, **_norm(network))
    for number in range(2, last + 1):
        x = stage(network, number, x)
    return x


def stage(network, number, x, halve=None):
    """The blocks of conv`number`_x: (B, H, W, C) -> (B, H/s, W/s, C').

    s, the stride of the first, is 1 in conv2_x and 2 in the others, unless `halve` says otherwise.
    """
    spec = network.spec
    block = functools.partial(blocks.BLOCKS[spec.block, network.stride], **_norm(network))
    shortcut = blocks.SHORTCUTS[network.shortcut]
    if network.shortcut == "A":
        shortcut = functools.partial(shortcut, zeros=network.zeros)
    stride = halve or (2 if number > 2 else 1)
    for unit in range(1, spec.depths[number - 2] + 1):
        name = f"conv{number}_block{unit}"
        x = block(x, spec.filters[number - 2], stride if unit == 1 else 1, shortcut, name=name)
    return x


def _norm(network):
    return {
        "synchronized": network.batch_norm == "synchronized",
        "epsilon": network.bn_epsilon,
    }


def stages(model):
    """Names and tensors a reader may ask for: {"conv2": map, ..., "pool": (B, C), "logits": ...}.

    A stage is known by its last block's output.
    """
    tensors = {"conv1": model.get_layer("conv1_relu").output}
    for layer in model.layers:
        if layer.name.endswith("_out"):
            tensors[layer.name.split("_")[0]] = layer.output
    tensors["pool"] = model.get_layer("avg_pool").output
    tensors["logits"] = model.get_layer("logits").output
    return tensors


def features(model, names=None):
    """The network with inner maps for outputs: pixels -> {name: tensor}, weights shared.

    `names` are keys of `stages` (default: all) or names of layers, in a sequence; a single string
    gives a dict of that one key. ValueError lists the stages.
    """
    names = [names] if isinstance(names, str) else names
    known = stages(model)
    layer_names = {layer.name for layer in model.layers}
    outputs = {}
    for name in known if names is None else names:
        if name not in known and name not in layer_names:
            raise ValueError(
                f"unknown feature {name!r}: expected one of {', '.join(known)}, or a layer's name"
            )
        outputs[name] = known[name] if name in known else model.get_layer(name).output
    with room_for(len(model.layers)):
        return keras.Model(model.input, outputs, name=f"{model.name}_features")
