"""A run's images: by which source, how they enter the network, how training changes them."""

import dataclasses

import keras

import zoo
from trainers.data import skipped, sources
from trainers.data.augment import Augmentation
from trainers.plan import transfer
from zoo.preprocess import InputContract

SYNTHETIC_IMAGES = 256  # of a split: enough to time a step, little to evaluate


class ImagesError(ValueError):
    """Images that a network cannot be judged by: what was expected, what came."""


@dataclasses.dataclass(frozen=True)
class Data:
    """Both splits of a run's images, and how they enter the network."""

    train: sources.Source
    validation: sources.Source
    input: InputContract


def load(run, data_dir):
    """Sources by name, and the input contract that the recipe and their images make."""
    options = {}
    if run.data == "synthetic":
        spec = zoo.find(run.model)
        size = run.recipe.image_size or spec.image_size
        options = {"image_size": size, "num_classes": spec.num_classes, "length": SYNTHETIC_IMAGES}
    train, validation = (
        sources.load(run.data, split, data_dir=data_dir, seed=run.seed, **options)
        for split in sources.SPLITS
    )
    if run.init_from:
        return Data(train, validation, transfer.contract(run))
    native = min(train.image_shape[:2]) if train.image_shape else zoo.find(run.model).image_size
    size = run.recipe.image_size or native
    resize_px = run.recipe.resize_px or size
    return Data(train, validation, InputContract(size, max(size, resize_px)))


def tolerant(data):
    """The same images, unreadable ones passed over and noted."""
    train, validation = skipped.tolerant(data.train), skipped.tolerant(data.validation)
    return dataclasses.replace(data, train=train, validation=validation)


def source_of(manifest, data=None, data_dir=None, split="validation"):
    """The images of a trained network's run, or others of the same classes, to judge it by."""
    name = name_of(manifest, data, data_dir)
    own = name == manifest.data.get("name")
    options = {}
    if name == "synthetic":
        options = {
            "image_size": manifest.input.image_size,
            "num_classes": manifest.network.num_classes,
            "length": SYNTHETIC_IMAGES,
        }
    source = sources.load(
        name,
        split,
        data_dir=data_dir or (manifest.data.get("data_dir") if own else None),
        seed=manifest.data.get("seed", 0),
        **options,
    )
    require_classes(source, manifest.class_names)
    return source


def name_of(manifest, data, data_dir):
    """Whose images: those that are named, those of a directory that is given, or the run's own."""
    own = manifest.data.get("name")
    if not data and data_dir and own in (None, *sources.BUILT_IN):
        return "folder"
    if not (data or own):
        raise ImagesError("the run does not say which images it is for: give --data")
    return data or own


def require_classes(source, expected):
    """ImagesError unless the source has the classes that the network names, in that order."""
    found = source.class_names
    if found == tuple(expected):
        return
    more = [name for name in found if name not in expected]
    less = [name for name in expected if name not in found]
    told = [f"{some[0]!r:.40} is {what}" for some, what in ((more, "new"), (less, "gone")) if some]
    raise ImagesError(
        f"{source.name} has other classes than the network: {len(found)}, expected "
        f"{len(expected)}: {', '.join(told) or 'the order differs'}"
    )


def augmentation(recipe, contract, model):
    """The recipe's, with what depends on the images: the colour to pad with, the range of scales.

    The paper pads after subtracting the mean, so with the mean. Its scales are [256, 480] for a
    crop of 224 (Sec. 3.4), here in proportion for any other.
    """
    size = contract.image_size
    mean = keras.ops.convert_to_numpy(model.get_layer("pixels").mean)
    return Augmentation(
        recipe.augmentation,
        pad_px=recipe.pad_px,
        scale_range=(round(size * 256 / 224), round(size * 480 / 224)),
        mirror=recipe.mirror,
        color=recipe.color,
        fill=tuple(float(c) for c in mean.mean(axis=(0, 1))),
        policy=recipe.policy,
        erase=recipe.erase,
        mixup=recipe.mixup,
        cutmix=recipe.cutmix,
    )
