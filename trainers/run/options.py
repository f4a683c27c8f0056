"""Where and how a run happens, as a person says it: flags, read without TensorFlow."""

import contextlib
import dataclasses

from absl import flags

from trainers.engine import cluster
from trainers.judging import options as judging
from zoo import limits, program

STRATEGIES = ("auto", "none", "mirrored", "multiworker", "tpu")


@dataclasses.dataclass(frozen=True)
class Options:
    """The flags beside those of the plan; none changes what is computed, but for rounding."""

    run_dir: str
    data_dir: str | None
    strategy: str
    logical_devices: int
    checkpoint_steps: int
    steps_per_execution: int | None
    accumulate: int
    xla: bool
    max_skipped: float
    data_service: str | None
    profile_steps: tuple[int, int] | None
    pictures: bool
    accept_changed_data: bool = False
    verbose: bool = True

    @property
    def several_processes(self):
        return self.strategy == "multiworker"


def define(values=flags.FLAGS):
    """Defines the flags of `Options`."""
    own = {"flag_values": values}
    _define_place(own)
    _define_devices(own)
    _define_pace(own)


def _define_place(own):
    flags.DEFINE_string("run_dir", None, "where the run lives; default: runs/MODEL_DATA", **own)
    flags.DEFINE_string("data_dir", None, "where the images live; TFDS has its own default", **own)
    limits.DEFINE_float(
        "max_skipped", 0.001, "share of a split that may be unreadable: named in skipped.txt", **own
    )
    help_ = "go on with those of the run's pictures that are still there"
    flags.DEFINE_bool("accept_changed_data", False, help_, **own)
    help_ = "grpc://host:port of a trainers.data.serve that makes the batches"
    flags.DEFINE_string("data_service", None, help_, **own)


def _define_devices(own):
    help_ = "auto mirrors over all GPUs, if there are any; tpu is untried"
    flags.DEFINE_enum("strategy", "auto", STRATEGIES, help_, **own)
    help_ = "split the CPU, to try replication anywhere"
    limits.DEFINE_integer("logical_devices", 1, help_, **own)
    flags.DEFINE_string("cluster", None, "multiworker: host:port of every worker, by commas", **own)
    help_ = "multiworker: this one's place in --cluster, from 0"
    limits.DEFINE_integer("worker", None, help_, **own)
    help_ = "compute the batch in so many parts, one after another, to save memory"
    limits.DEFINE_integer("accumulate", 1, help_, **own)
    flags.DEFINE_bool("xla", False, "compile the step by XLA: for GPUs, slower on CPUs", **own)


def _define_pace(own):
    help_ = "save every so often, besides the end of each round"
    limits.DEFINE_integer("checkpoint_steps", 1000, help_, **own)
    help_ = "steps of one call to the device; default: half a second's"
    limits.DEFINE_integer("steps_per_execution", None, help_, **own)
    help_ = "FROM,TO: record what these steps do, for TensorBoard's profile tab"
    limits.DEFINE_numbers("profile_steps", None, help_, **own)
    help_ = (
        "show TensorBoard images, mistakes, responses a few times; takes the network's memory twice"
    )
    flags.DEFINE_bool("pictures", True, help_, **own)


def read(run, values=flags.FLAGS):
    """The Options that the flags mean for this Run. ValueError for what cannot be meant."""
    names = {field.name for field in dataclasses.fields(Options)} & {*values}
    quiet = "quiet" in values and values.quiet  # a program's
    given = {name: values[name].value for name in names}
    options = Options(
        **given
        | {
            "run_dir": values.run_dir or run.run_dir,
            "profile_steps": _profile_steps(values.profile_steps),
            "verbose": not quiet,
        }
    )
    check_engine(run, options)
    check_idle(options, values)
    if options.several_processes:
        cluster.configure(values.cluster, values.worker)
        cluster.peers()
    return options


def check_engine(run, options):
    """ValueError for what Keras 3 cannot do together, before anything is started."""
    if options.xla and run.recipe.batch_norm == "synchronized":
        raise ValueError(
            "--xla cannot compile --batch_norm=synchronized, whose sums cross devices: "
            "leave one of them out"
        )
    if run.recipe.batch_size % options.accumulate:
        raise ValueError(
            f"--batch_size={run.recipe.batch_size} does not divide into "
            f"--accumulate={options.accumulate} parts"
        )


def check_idle(options, values):
    """ValueError for a flag that would change nothing: who gave it expects something else."""
    if not options.several_processes:
        for name in ("cluster", "worker"):
            if values[name].value is not None:
                raise ValueError(f"--{name} is for --strategy=multiworker: give that too")
    judging.check_parts(options.strategy, options.logical_devices)


def waiting_aloud(options):
    """Inside, a worker says which others it waits for."""
    if not options.several_processes:
        return contextlib.nullcontext()
    program.quiet_errors()  # each worker would log at length that another is gone
    return cluster.waiting_aloud()


def _profile_steps(given):
    """(from, to) or None. ValueError unless they are two steps in order."""
    if given is None:
        return None
    if len(given) != 2 or given[0] >= given[1]:
        shown = limits.shown(",".join(map(str, given)))
        raise ValueError(f"--profile_steps: expected two steps such as 100,110, got {shown}")
    return tuple(given)
