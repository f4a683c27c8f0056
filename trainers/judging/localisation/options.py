"""How a trained localiser is judged, as a person says it: flags, read without TensorFlow."""

import dataclasses
import pathlib

from absl import flags

from trainers.judging.detection import options

VIEWS = ("dense", "center")


@dataclasses.dataclass(frozen=True)
class Judging(options.Which):
    """Looked at how, classes by whom."""

    views: str
    classifier: str | None
    localiser: str | None


def define_judging(values=flags.FLAGS):
    """Defines the flags of `Judging`."""
    own = {"flag_values": values}
    options.define_which(own)
    help_ = "the whole picture, or its central crop, of training's size"
    flags.DEFINE_enum("views", "dense", VIEWS, help_, **own)
    help_ = "a classifier's run to guess classes by; default: the localiser's own scores"
    flags.DEFINE_string("classifier", None, help_, **own)
    help_ = "of a run of trainers.refine: who proposes; default: the localiser it was trained with"
    flags.DEFINE_string("localiser", None, help_, **own)


def read_judging(values=flags.FLAGS):
    """The Judging that the flags mean."""
    given = {field.name: values[field.name].value for field in dataclasses.fields(Judging)}
    return Judging(**given | {"output_dir": pathlib.Path(values.output_dir or values.run_dir)})
