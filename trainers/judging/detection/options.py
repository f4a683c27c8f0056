"""How a trained detector is judged, as a person says it: flags, read without TensorFlow."""

import dataclasses
import pathlib

from absl import flags

from trainers.judging.options import SPLITS
from zoo import limits

METRICS = ("coco", "voc07", "voc")


@dataclasses.dataclass(frozen=True)
class Which:
    """Which run, which of its weights, on which pictures, and where what is found goes."""

    run_dir: str
    weights: str
    data: str | None
    data_dir: str | None
    split: str
    limit: int | None
    batch_size: int
    output_dir: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Judging(Which):
    """Looked at how, by which metric."""

    refine: bool
    vote: bool
    scales: tuple[int, ...]
    metric: str


def define_judging(values=flags.FLAGS):
    """Defines the flags of `Judging`."""
    own = {"flag_values": values}
    define_which(own)
    flags.DEFINE_bool("refine", False, "pool the found boxes again: box refinement (App. B)", **own)
    flags.DEFINE_bool("vote", False, "box voting (App. B)", **own)
    help_ = "regions from pictures of these shorter sides (App. B), one picture a step"
    limits.DEFINE_numbers("scales", None, help_, fewest=0, **own)
    flags.DEFINE_enum(
        "metric", "coco", METRICS, "COCO's figures, or VOC's: of 2007 11 points, else area", **own
    )


def define_which(own):
    """Defines the flags of `Which`."""
    flags.DEFINE_string("run_dir", None, "the run to judge", required=True, **own)
    flags.DEFINE_string("weights", "model", "as training left them, or ema, best", **own)
    flags.DEFINE_string("data", None, "other pictures than the run's own", **own)
    flags.DEFINE_string("data_dir", None, "where the pictures live; default: the run's", **own)
    flags.DEFINE_enum("split", "validation", SPLITS, "which pictures", **own)
    limits.DEFINE_integer("limit", None, "at most so many pictures", **own)
    limits.DEFINE_integer("batch_size", 4, "pictures a step", **own)
    flags.DEFINE_string("output_dir", None, "default: the run's directory", **own)


def read_judging(values=flags.FLAGS):
    """The Judging that the flags mean. ValueError for what cannot be meant together."""
    names = [field.name for field in dataclasses.fields(Judging)]
    given = {name: values[name].value for name in names}
    scales = tuple(sorted(values.scales or ()))
    if scales and values["batch_size"].present and values.batch_size > 1:
        raise ValueError(
            f"--scales takes one picture a step: leave out --batch_size={values.batch_size}"
        )
    output_dir = pathlib.Path(values.output_dir or values.run_dir)
    return Judging(**given | {"scales": scales, "output_dir": output_dir})
