"""A localiser's run (App. C): what differs from a detector's."""

import functools

from trainers.engine.localisation import localisation
from trainers.judging.localisation import rounds
from trainers.plan.localisation import images
from trainers.run import detection
from zoo.localisation.network import build_localiser

LOCALISER = detection.Kind(
    "localiser",
    "localisation",
    images.localiser,
    build_localiser,
    lambda model, localiser, recipe: localisation(localiser, recipe),
    rounds.Rounds,
    images.augmentation,
    images.check,
)

train = functools.partial(detection.train, kind=LOCALISER)
