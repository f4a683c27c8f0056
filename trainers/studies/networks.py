"""Networks that are judged in several ways (Tables 4, 5): given ones, or the studies' own."""

import dataclasses
import pathlib

from absl import flags

from trainers.studies import jobs, scales
from zoo import limits, program

NETS = ("resnet8", "resnet14", "resnet20")
SEEDS = 2
LIMIT = 2000  # images of the demo's 10,000: five scales take thirty times as long as one view
LONGEST_LABEL = 28  # characters below a bar
# The paper's proportions (Sec. 3.4): crops of 14 px where the shorter side is 16 to 30.
JITTERED = {"image_size": "14", "resize_px": "16", "augmentation": "scale_jitter"}
JITTERED |= {"mean": "channel", "steps": "300", "round_steps": "150"}  # a mean image has one size


@dataclasses.dataclass(frozen=True)
class Trained:
    """The runs of one network, a seed each; `paper_label` is its row in the paper's tables."""

    run_dirs: tuple[pathlib.Path, ...]
    paper_label: str


def define():
    """Defines the flags of a study that judges networks."""
    flags.DEFINE_multi_string("run_dir", None, "judge these runs, not the study's own")
    limits.DEFINE_integer("limit", None, "at most so many images; default: all, demo 2,000")


def found(asked):
    """-> ({label: Trained}, a report's origin): what --run_dir names, else the study's own."""
    given = flags.FLAGS.run_dir
    if not given and asked.scale == "paper":
        program.usage_error("--scale=paper judges trained networks: give each by --run_dir=DIR")
    if given:
        for name in ("nets", "steps", "seeds", "jobs"):
            if flags.FLAGS[name].present:
                program.usage_error(f"--{name} is for the study's own runs: leave out --run_dir")
        return {str(path): Trained((pathlib.Path(path),), paper_label(path)) for path in given}, {}
    todo = own_jobs(asked)
    origin = jobs.train(todo, asked).origin
    own = {
        net: Trained(tuple(asked.runs_dir / job.name for job in each), "")
        for net, each in todo.items()
    }
    return own, origin


def own_jobs(asked):
    """Nets of three depths, trained at several scales, as the paper's are."""
    base = scales.demo(asked.data_dir)
    return {
        net: [
            jobs.Job(net, seed, jobs.settings(base, asked, **JITTERED))
            for seed in asked.seeds[:SEEDS]
        ]
        for net in asked.nets or NETS
    }


def below_bars(axes, labels):
    """Writes the labels below an axes' bars; of a directory's long name its end."""
    shown = [x if len(x) <= LONGEST_LABEL else f"…{x[1 - LONGEST_LABEL :]}" for x in labels]
    axes.set_xticks(range(len(shown)), shown, rotation=20, ha="right", fontsize=8)


def paper_label(run_dir):
    """The row of the paper's tables: resnet34 B, or plain34."""
    with program.quiet_start():
        from zoo import archive

    network = archive.load_manifest(run_dir).network
    return f"{network.name} {network.shortcut}" if network.shortcut else network.name


def limit(asked):
    """How many images are judged; None is all of them."""
    own = None if flags.FLAGS.run_dir else LIMIT
    return flags.FLAGS.limit or own


def after(asked):
    """Words that bind a finding to the training it is of: the study's own, given ones have any."""
    if flags.FLAGS.run_dir:
        return ""
    return f" after {own_steps(asked):,} steps"


def own_steps(asked):
    """How many the study's own networks are trained for."""
    return asked.steps or int(JITTERED["steps"])


def images_sentence(count):
    """What the errors of a report are of."""
    return (
        f"Errors are of {count:,} validation images, the same for every network and way of "
        "looking; differences are of pairs, with a 95 % bootstrap interval over images and seeds."
    )


def caveat(asked, nets):
    """What the report says of its scale."""
    if flags.FLAGS.run_dir:
        return (
            "The networks are the ones that the command names; an interval is over images alone, "
            "so it is of these networks and not of others trained alike."
        )
    asked = dataclasses.replace(asked, steps=own_steps(asked))
    return scales.caveat(asked, nets, JITTERED["image_size"]) + (
        " Training cuts these out of images whose shorter side is 16 to 30, as the "
        "paper cuts 224 out of 256 to 480."
    )
