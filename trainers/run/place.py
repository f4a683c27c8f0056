"""Where a run happens: a directory, and devices that stand ready."""

import dataclasses
import pathlib
import sys

from trainers.engine import distribute, steps


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and how a run happens; none of it changes what is computed, but for rounding."""

    run_dir: pathlib.Path
    data_dir: str | None
    strategy: object
    checkpoint_steps: int = 0
    call_steps: int = 0
    engine: steps.Engine = steps.Engine()
    max_skipped: float = 0.001
    data_service: str | None = None
    profile_steps: tuple[int, int] | None = None
    pictures: bool = True
    accept_changed_data: bool = False
    verbose: bool = True

    @property
    def chief(self):
        return distribute.is_chief(self.strategy)

    @property
    def devices(self):
        """For a person."""
        return distribute.describe(self.strategy)

    def say(self, sentence):
        """Prints it, once for all workers."""
        if self.chief and self.verbose:
            print(sentence, flush=True)

    def warn(self, sentence):
        """Prints it, once for all workers, also where the rest is not wanted."""
        if self.chief:
            print(sentence, file=sys.stdout if self.verbose else sys.stderr, flush=True)


def stand(run, options):
    """The Place that the options mean; DeviceError unless the batch divides over its devices.

    Of a cluster `alike.check` looks at that: all workers must have come to the point.
    """
    strategy = distribute.strategy(options.strategy, options.logical_devices)
    if not distribute.is_cluster(strategy):
        distribute.check_recipe(run.recipe, options.accumulate, strategy)
    return Place(
        pathlib.Path(options.run_dir),
        options.data_dir,
        strategy,
        options.checkpoint_steps,
        options.steps_per_execution or (10 if distribute.is_cluster(strategy) else 0),
        steps.Engine(options.accumulate, options.xla),
        options.max_skipped,
        options.data_service,
        options.profile_steps,
        options.pictures,
        options.accept_changed_data,
        options.verbose,
    )
