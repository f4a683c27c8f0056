"""The pictures of a run on proposals, those of the localiser, and how a region enters."""

from trainers.plan import sizing
from trainers.plan.detection import images
from trainers.plan.images import Data, require_classes
from trainers.plan.localisation.images import check
from zoo.preprocess import InputContract


def load(run, localiser, data_dir, begun=None, accepted=False):
    """The Run, its steps settled, and both splits, drawn as the localiser's were: -> (Run, Data).

    `localiser` is its Manifest; the Data's `input` is how it sees a picture.
    """
    seed = localiser.data.get("seed", 0)
    train, validation = images.splits(run.data, data_dir, seed, begun, accepted)
    data = Data(train, validation, localiser.input)
    require_classes(train, localiser.class_names)
    check(data)
    return sizing.settled(run, train.length), data


def contract(recipe):
    """How a region enters: each side resized by itself, low-passed where it shrinks."""
    return InputContract(recipe.region_px, recipe.region_px, orientation="exif")
