"""The same body under another head: a network's weights, for classes of one's own."""

import keras
import numpy as np

HEAD = "logits"
HIDDEN = "hidden"  # before it, in some imports: learned features, as in VGG


class HeadError(ValueError):
    """Weights that do not fit the network that they are meant for."""


def places(source_names, names):
    """Where each class stands in the source's head: -> (C,) int, or None unless they are the same.

    Told apart by name: the same classes in another order keep their rows, any other set of classes
    needs a head of its own.
    """
    known = {name: place for place, name in enumerate(source_names)}
    if len(known) != len(source_names) or sorted(source_names) != sorted(names):
        return None
    return np.array([known[name] for name in names])


def fill(model, source, head_places=None):
    """Gives `model` the weights of `source`, layer by layer, by name.

    The first layer's mean and scale come along, so it sees pixels as the source does. The head
    stays as it is, freshly initialised say, unless `head_places` tells which of the source's
    classes each class is. HeadError, before anything is changed, if shapes differ.
    """
    check(model, source, head_places)
    arrays = {layer.name: layer.get_weights() for layer in source.layers if layer.weights}
    for layer in model.layers:
        if layer.weights and layer.name != HEAD:
            layer.set_weights(arrays[layer.name])
    if head_places is not None:
        kernel, bias = arrays[HEAD]
        model.get_layer(HEAD).set_weights([kernel[:, head_places], bias[head_places]])


def check(model, source, head_places=None):
    """HeadError unless both have the same layers with weights of the same shapes, by name."""
    wanted, found = shapes(model), shapes(source)
    if head_places is None:
        # Only the width of the features must fit, not the count of classes.
        wanted[HEAD], found[HEAD] = wanted[HEAD][0][:1], found[HEAD][0][:1]
    wrong = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    if wrong == ["pixels"]:
        raise HeadError(
            f"{source.name} subtracts a mean of shape {found['pixels'][0]}, of its own image size, "
            f"and {wanted['pixels'][0]} was asked for: keep its image size, or take a source with "
            "a channel's mean"
        )
    if wrong:
        first = wrong[0]
        raise HeadError(
            f"{source.name} does not fit {model.name} in {len(wrong)} layers; the first is "
            f"{first!r}: expected weights of shapes {wanted.get(first, 'none')}, found "
            f"{found.get(first, 'none')}"
        )


def shapes(model):
    """{layer name: [shape of each weight]} of the layers that have any."""
    return {x.name: [tuple(w.shape) for w in x.weights] for x in model.layers if x.weights}


def freeze(model, through="none", batch_norm=False):
    """Makes layers constant: those up to the stage `through`, and every normalisation if asked.

    `through` is "none", a stage such as "conv4", or "backbone", all but the head. A frozen
    normalisation is in inference mode, as App. A has it: its statistics, gamma and beta stay.
    HeadError lists the stages of a network that has no such one.
    """
    stages = sorted({x.name.split("_")[0] for x in model.layers if x.name.startswith("conv")})
    if through not in ("none", "backbone", *stages):
        raise HeadError(
            f"freeze: expected none, backbone or one of {', '.join(stages)} for {model.name}, "
            f"got {through!r}"
        )
    frozen = {"none": [], "backbone": [*stages, HIDDEN]}.get(through)
    if frozen is None:
        frozen = stages[: stages.index(through) + 1]
    for layer in model.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        if layer.name.split("_")[0] in frozen or (is_norm and batch_norm):
            layer.trainable = False
