"""The flags that every study has, as one value."""

import dataclasses
import pathlib

from absl import flags

from zoo import limits, program

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
_SCALE = flags.DEFINE_enum(
    "scale", "demo", ("demo", "paper"), "minutes on two cores, or the paper's data and recipe"
)
_SEEDS = limits.DEFINE_numbers("seeds", [0, 1, 2], "one run a seed, for mean and deviation")
_NETS = flags.DEFINE_list("nets", None, "other networks than the study's own")
_STEPS = limits.DEFINE_integer("steps", None, "optimizer steps; default: the scale's")
_JOBS = flags.DEFINE_bool(
    "jobs", False, "print the commands of the runs that are not there yet, and train nothing"
)
_PARALLEL = limits.DEFINE_integer(
    "parallel", 1, "runs that train side by side; with several, each writes a log beside itself"
)
_PRECISION = flags.DEFINE_enum("precision", None, PRECISIONS, "of the runs: trainers.classify's")
_ACCUMULATE = limits.DEFINE_integer(
    "accumulate", None, "of the runs: so many parts a batch, each normalised by itself"
)
_XLA = flags.DEFINE_bool("xla", False, "of the runs: for GPUs")
_RUNS_DIR = flags.DEFINE_string("runs_dir", "runs/studies", "the runs, which studies share")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; TFDS has its own default")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "reports", "where the report goes")


@dataclasses.dataclass(frozen=True)
class Options:
    """What a study was asked for; `nets` and `steps` None are the study's own."""

    scale: str = "demo"
    seeds: tuple[int, ...] = (0,)
    nets: tuple[str, ...] | None = None
    steps: int | None = None
    runs_dir: pathlib.Path = pathlib.Path("runs/studies")
    data_dir: str | None = None
    output_dir: pathlib.Path = pathlib.Path("reports")
    jobs: bool = False
    parallel: int = 1
    precision: str | None = None
    accumulate: int | None = None
    xla: bool = False

    @property
    def engine(self):
        """Flags of a run that change its numbers, or its rounding; none of them is the default."""
        given = {"precision": self.precision, "accumulate": self.accumulate}
        given |= {"xla": "true" if self.xla else None}
        return {name: str(value) for name, value in given.items() if value is not None}


def read(arguments):
    """The flags' values; ends the program for a command line that cannot be meant."""
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    return Options(
        scale=_SCALE.value,
        seeds=tuple(dict.fromkeys(_SEEDS.value)),
        nets=tuple(_NETS.value) if _NETS.value else None,
        steps=_STEPS.value,
        runs_dir=pathlib.Path(_RUNS_DIR.value),
        data_dir=_DATA_DIR.value,
        output_dir=pathlib.Path(_OUTPUT_DIR.value),
        jobs=_JOBS.value,
        parallel=_PARALLEL.value,
        precision=_PRECISION.value,
        accumulate=_ACCUMULATE.value,
        xla=_XLA.value,
    )
