"""How long a study of plain nets trains: a run's flags at a multiple of the scale's steps."""

from trainers.studies import jobs, scales

ROUNDS = 5  # of a demo's run: an evaluation of 10,000 images costs as much as 50 steps
# Of digits. At scales' 0.02 plain56 stays at chance from the first step on: its gradients explode,
# which is no degradation. At 0.005 nets of 32 layers and fewer learn.
DIGITS_RATE = "0.005"


def settings(net, asked, budget=1, **more):
    """A Job's settings: the net's at `asked`'s scale, but `budget` times the steps."""
    flags = dict(jobs.settings(scales.base(net, asked), asked, **more))
    if flags["data"] == "digits":
        flags["learning_rate"] = DIGITS_RATE
    if asked.scale == "paper" and budget == 1:
        return tuple(flags.items())
    steps = max(1, round(budget * steps_of(net, flags)))
    rounds = ROUNDS if asked.scale == "demo" else steps // int(flags.get("round_steps", 1000))
    flags |= {"steps": str(steps), "round_steps": str(max(1, steps // rounds))}
    return tuple(flags.items())


def seeds(asked, budget):
    """The seeds that are trained so long: of a demo's long runs, which cost most, the first."""
    return asked.seeds[:1] if asked.scale == "demo" and budget > 1 else asked.seeds


def steps_of(net, flags):
    """The steps of a run with such flags, or those of the net's recipe."""
    return int(flags.get("steps", scales.FULL_STEPS[scales.stem(net)]))


def caveat(asked, nets):
    """What a report says of its scale, with these studies' rate where it is of digits."""
    return scales.caveat(asked, nets).replace("rate of 0.02", f"rate of {DIGITS_RATE}")
