"""How a trained network is judged or asked, as a person says it: flags, read without TensorFlow."""

import dataclasses
import pathlib

from absl import flags

from zoo import limits

VIEWS = ("center", "ten_crop", "multi_scale")
STRATEGIES = ("auto", "none", "mirrored")
SPLITS = ("train", "validation", "test", "all")
UNDIVIDED = ("none", "multiworker", "tpu")  # these leave the CPU whole


@dataclasses.dataclass(frozen=True)
class Judging:
    """Which networks, which of their weights, on which images, looked at how, on what devices."""

    run_dir: tuple[str, ...]
    weights: str
    views: str
    mirrors: bool
    data: str | None
    data_dir: str | None
    split: str
    batch_size: int
    limit: int | None
    strategy: str
    logical_devices: int
    output_dir: pathlib.Path
    accept_changed_data: bool = False


def define_judging(values=flags.FLAGS):
    """Defines the flags of `Judging`."""
    own = {"flag_values": values}
    flags.DEFINE_multi_string(
        "run_dir", None, "the run to judge; given several times, an ensemble", required=True, **own
    )
    flags.DEFINE_string(
        "weights",
        "model",
        "as training left them, or ema, best, precise: trainers.precise_bn",
        **own,
    )
    flags.DEFINE_enum("views", "center", VIEWS, "how to look at an image", **own)
    flags.DEFINE_bool("mirrors", True, "ten_crop, multi_scale: mirror images too", **own)
    flags.DEFINE_string("data", None, "other images than the run's own", **own)
    flags.DEFINE_string("data_dir", None, "where the images live; default: the run's", **own)
    define_accepting(own)
    flags.DEFINE_enum("split", "validation", SPLITS, "which images; test where there is one", **own)
    limits.DEFINE_integer("batch_size", 64, "images a step, over all devices", **own)
    limits.DEFINE_integer("limit", None, "at most so many images", **own)
    flags.DEFINE_enum("strategy", "auto", STRATEGIES, "devices", **own)
    limits.DEFINE_integer("logical_devices", 1, "split the CPU", **own)
    flags.DEFINE_string(
        "output_dir",
        None,
        "default: the run's directory, an ensemble's is `ensemble` in the first's",
        **own,
    )


def define_accepting(own):
    """Defines the flag by which a person takes a run's pictures as they are now."""
    flags.DEFINE_bool(
        "accept_changed_data",
        False,
        "the run's pictures that are still there, if some are not",
        **own,
    )


def read_judging(values=flags.FLAGS):
    """The Judging that the flags mean. ValueError for what cannot be meant together."""
    check_parts(values.strategy, values.logical_devices)
    if values["mirrors"].present and values.mirrors and values.views == "center":
        raise ValueError("--mirrors is for --views=ten_crop or multi_scale: give one of them too")
    names = [field.name for field in dataclasses.fields(Judging)]
    first, *others = values.run_dir
    beside = pathlib.Path(first) / "ensemble" if others else first
    given = {name: values[name].value for name in names}
    places = {
        "run_dir": tuple(values.run_dir),
        "output_dir": pathlib.Path(values.output_dir or beside),
    }
    return Judging(**given | places)


def check_parts(strategy, logical_devices):
    """ValueError for parts of the CPU that the strategy would not look at."""
    if logical_devices > 1 and strategy in UNDIVIDED:
        raise ValueError(
            f"--logical_devices={logical_devices} makes replicas on the CPU, "
            f"--strategy={strategy} takes none of them: leave one of them out"
        )


def define_asking(values=flags.FLAGS):
    """Defines the flags of a question to one network: which one, how many answers."""
    own = {"flag_values": values}
    flags.DEFINE_string("run_dir", None, "the run, or import, to ask", required=True, **own)
    flags.DEFINE_string("weights", "model", "the run's own, or another set of its manifest", **own)
    limits.DEFINE_integer("top", 5, "so many classes for each picture", **own)
    limits.DEFINE_integer("batch_size", 32, "pictures a step", **own)
