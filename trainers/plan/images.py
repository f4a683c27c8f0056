"""A run's images: by which source, how they enter the network, how training changes them."""

import contextlib
import dataclasses

import keras

import zoo
from trainers.data import recorded, skipped, sources, split, whose
from trainers.data.augment import Augmentation
from trainers.plan import selection, sizing, transfer, weighting
from zoo import archive, sizes
from zoo.preprocess import InputContract

SYNTHETIC_IMAGES = 256  # of a split: enough to time a step, little to evaluate


class ImagesError(ValueError):
    """Images that a network cannot be judged by: what was expected, what came."""


@dataclasses.dataclass(frozen=True)
class Images:
    """Which images a person wants: by name, by directory, or both; none: the run's own.

    `accepted`: although some of the run's own are not as they were.
    """

    data: str | None = None
    data_dir: str | None = None
    accepted: bool = False


OWN = Images()


@dataclasses.dataclass(frozen=True)
class Data:
    """Both splits of a run's images, and how they enter the network.

    `drawing` is how a folder's held-out part is drawn, where it is; `shorter_px` is its pictures'
    side, where that was asked for. `class_weights` are in the order of the classes, if there are
    any. `hold_out` training images are validated on in place of a test set.
    """

    train: sources.Source
    validation: sources.Source
    input: InputContract
    drawing: str = "hash"
    shorter_px: int | None = None
    class_weights: tuple[float, ...] | None = None
    hold_out: int = 0


def load(run, data_dir, begun=None, accepted=False):
    """Sources by name, and the input contract that the recipe and their images make."""
    return settled(run, data_dir, begun, accepted)[1]


def settled(run, data_dir, begun=None, accepted=False):
    """The Run with what its images settle, and those: -> (Run, Data).

    `begun` is the directory of a run that goes on, with the images that it began with; what has
    changed since is refused unless `accepted`.
    """
    options = {}
    if run.data == "synthetic":
        spec = zoo.find(run.model)
        size = run.recipe.image_size or spec.image_size
        options = {"image_size": size, "num_classes": spec.num_classes, "length": SYNTHETIC_IMAGES}
    facts = {"name": run.data, "data_dir": data_dir, "seed": run.seed}
    facts["drawing"] = drawing_of(begun) if begun else "hash"
    kept = split.read(begun) if begun else None
    facts["hold_out"] = kept.hold_out if kept else selection.held_out(run, data_dir)
    train, validation = recorded.load(begun, facts, sources.SPLITS, accepted, **options).values()
    if begun:
        require_trained_classes(train, begun)
    side = kept.shorter_px if kept else None
    if side is None and sizing.asks_for_side(run):
        side = sizing.typical_side(train)
    run = sizing.settled(run, kept.images["train"] if kept else train.length, side)
    weights = weighting.of(run.recipe, train)
    return run, Data(
        train, validation, contract(run, train), facts["drawing"], side, weights, facts["hold_out"]
    )


def contract(run, train):
    """How images enter the network."""
    if run.init_from:
        return transfer.contract(run)
    native = min(train.image_shape[:2]) if train.image_shape else zoo.find(run.model).image_size
    size = run.recipe.image_size or native
    shorter = sizes.shorter(size)
    resize_px = max(shorter, run.recipe.resize_px or shorter)
    return InputContract(size, resize_px, orientation="exif")


def require_trained_classes(source, run_dir):
    """ImagesError where the network that the run has saved is of other classes."""
    with contextlib.suppress(archive.ArchiveError):
        require_classes(source, archive.load_manifest(run_dir).class_names)


def drawing_of(run_dir):
    """How a run drew a folder's held-out part, if its manifest is there to tell."""
    try:
        return archive.load_manifest(run_dir).data.get("drawing", "sample")
    except archive.ArchiveError:
        return "sample"


def tolerant(data):
    """The same images, unreadable ones passed over and noted."""
    train, validation = skipped.tolerant(data.train), skipped.tolerant(data.validation)
    return dataclasses.replace(data, train=train, validation=validation)


def source_of(manifest, part="validation", other=OWN, run_dir=None):
    """The images of a trained network's run, or others of the same classes, to judge it by.

    Its own are those that `run_dir` has recorded, unless it is of a time when none did.
    """
    name = name_of(manifest, other)
    options = {}
    if name == "synthetic":
        options = {
            "image_size": manifest.input.image_size,
            "num_classes": manifest.network.num_classes,
            "length": SYNTHETIC_IMAGES,
        }
    facts = {**manifest.data, "name": name}
    if not is_own(manifest, other, name):
        facts |= {"data_dir": other.data_dir, "drawing": "hash", "hold_out": 0}
    elif other.data_dir:
        facts["data_dir"] = other.data_dir
    kept_in = run_dir if is_own(manifest, other, name) and part in sources.SPLITS else None
    source = recorded.load(kept_in, facts, [part], other.accepted, **options)[part]
    require_classes(source, manifest.class_names)
    return source


def is_own(manifest, other, name):
    """Whether these are the run's own images."""
    return whose.is_own(manifest.data, other.data, other.data_dir, name)


def name_of(manifest, other):
    """Whose images: those that are named, those of a directory that is given, or the run's own."""
    name = whose.name_of(manifest.data, other.data, other.data_dir)
    if not name:
        raise ImagesError("the run does not say which images it is for: give --data")
    return name


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
    size = sizes.shorter(contract.image_size)
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
