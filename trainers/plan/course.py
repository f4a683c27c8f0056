"""How long to learn and how fast: what the recipes of every task have in common."""

import dataclasses

from trainers.plan import checks


def setting(help_, default=dataclasses.MISSING):
    """A field whose help becomes its flag's."""
    return dataclasses.field(default=default, metadata={"help": help_})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Course:
    """Batches, steps, rates; durations in optimizer steps, drops as fractions of all steps."""

    name: str
    source: str
    data: str
    model: str
    batch_size: int = setting("images a step, over all devices")
    steps: int | None = setting("optimizer steps in all; default of `folder`: as many pictures say")
    round_steps: int | None = setting("steps between evaluations")
    learning_rate: float = setting("learning rate at its highest")
    epochs: int | None = setting("passes over the images: another way to say steps", None)
    schedule: str = setting(
        "how the learning rate falls: by 10 at `drops` (step), along a cosine, or by 10 when the "
        "validation error has not fallen for `patience_rounds` (plateau)",
        "step",
    )
    drops: tuple[float, ...] = setting("where it is divided by 10, as fractions of all steps", ())
    patience_rounds: int = setting("plateau: rounds without a lower validation error", 5)
    early_stop_rounds: int | None = setting(
        "end after so many rounds without a lower validation error; default: never", None
    )
    warmup: str = setting(
        "at warmup_learning_rate for warmup_steps (constant), rising from it to learning_rate "
        "(linear, with a cosine), or there until the training error is below 80 % (error)",
        "constant",
    )
    warmup_steps: int = setting("steps of the warm-up; error: between two looks at it", 0)
    warmup_learning_rate: float = setting("learning rate of the warm-up", 0.0)
    momentum: float = setting("of the velocity; weighs the old value", 0.9)
    weight_decay: float = setting("added to the gradient as weight_decay * kernel", 1e-4)
    decay: str = setting(
        "what weight_decay is for: kernels, or all that is trained, gamma and beta too", "kernels"
    )
    ema: float = setting(
        "keep a moving average of the weights too, of this momentum; judged and saved as `ema`", 0.0
    )

    batch_norm: str = setting(
        "statistics of each replica's own images, as in the paper, or synchronized over all: "
        "slower, but the same numbers on any count of devices",
        "replica",
    )

    def __post_init__(self):
        checks.settle(self)

    @property
    def pairs(self):
        """Whether images are mixed two by two."""
        return False
