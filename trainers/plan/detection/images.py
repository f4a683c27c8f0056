"""A detector's pictures: by which source, how they enter the network, how training changes them."""

import dataclasses

from trainers.data import boxes, recorded, skipped, sources, split
from trainers.data.boxes import pipelines
from trainers.plan import sizing
from trainers.plan.images import Data, ImagesError, require_classes
from zoo.detection.preprocess import DetectionInput
from zoo.detection.specs import Detector


def load(run, data_dir, begun=None, accepted=False):
    """The Run, its steps settled, and both splits: -> (Run, images.Data).

    `begun` is the directory of a run that goes on: what has changed since is refused, unless
    `accepted`. Pictures that cannot be read are passed over.
    """
    train, validation = splits(run.data, data_dir, run.seed, begun, accepted)
    return sizing.settled(run, train.length), Data(train, validation, contract(run.recipe))


def splits(data, data_dir, seed, begun=None, accepted=False):
    """Pictures to train on and to validate by, as `load` has them: -> (Source, Source)."""
    kept = split.read(begun) if begun else None
    found = []
    for name in sources.SPLITS:
        source = boxes.load(data, name, data_dir=data_dir, seed=seed)
        if kept:
            recorded.check_set(kept, source, begun, accepted)
        found.append(skipped.tolerant(source))
    train, validation = found
    if validation.annotations.ignore.all():
        raise sources.DataError(
            f"{train.name}: expected objects to judge by in {validation.split}, found none"
        )
    return train, validation


def source_of(manifest, part, name=None, data_dir=None):
    """The pictures of a detector's run, or others of the same classes, to judge it by."""
    own = manifest.data
    name = name or own.get("name")
    if not name:
        raise ImagesError("the run does not say which pictures it is for: give --data")
    if name == own.get("name"):
        data_dir = data_dir or own.get("data_dir")
    source = boxes.load(name, part, data_dir=data_dir, seed=own.get("seed", 0))
    require_classes(source, manifest.class_names)
    return skipped.tolerant(source)


def contract(recipe):
    return DetectionInput(recipe.shorter_px, recipe.longer_px)


def augmentation(recipe):
    return pipelines.BoxAugmentation(recipe.mirror, recipe.scales)


def detector(run, network, num_classes):
    """What the manifest calls the network: zoo.Network -> Detector."""
    recipe = run.recipe
    named = {f.name for f in dataclasses.fields(Detector)} & {
        f.name for f in dataclasses.fields(recipe)
    }
    return Detector(
        network=network,
        num_classes=num_classes,
        sizes=recipe.anchor_sizes,
        ratios=recipe.anchor_ratios,
        **{name: getattr(recipe, name) for name in named},
    )
