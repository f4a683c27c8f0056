"""python -m trainers.find_rate: which learning rate the network takes (Smith 2015).

With the flags of trainers.classify, of which those of the schedule and of checkpoints change
nothing: a short training from step 0 whose rate rises from --lowest_rate to --highest_rate, until
the loss breaks up. Suggested is a tenth of the rate at which the smoothed loss is lowest. The curve
goes to find_rate/ in --run_dir, TensorBoard shows it there; no run is begun or changed.
"""

import pathlib

from absl import flags

from trainers.plan import flags as plan
from trainers.run import options as where
from zoo import limits, program

plan.define()
where.define()
_SWEEP_STEPS = limits.DEFINE_integer("sweep_steps", 100, "steps from the lowest to the highest")
_LOWEST_RATE = limits.DEFINE_float("lowest_rate", 1e-5, "learning rate of the first step")
_HIGHEST_RATE = limits.DEFINE_float("highest_rate", 10.0, "learning rate of the last step")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "default: find_rate in the run's directory")

FOLDER = "find_rate"


def main(arguments):
    program.no_arguments(arguments)
    try:
        run = plan.run()
        options = where.read(run)
        if _LOWEST_RATE.value >= _HIGHEST_RATE.value:
            raise ValueError(
                "expected --lowest_rate below --highest_rate, got "
                f"{_LOWEST_RATE.value:g} and {_HIGHEST_RATE.value:g}"
            )
    except ValueError as error:
        program.usage_error(error)
    with where.waiting_aloud(options), program.quiet_start():
        from trainers.run import ending, rate_files, rates
        from trainers.run import place as places

        place = places.stand(run, options)
    program.end_at_signals()  # nothing is written before the end
    sweep = rates.Sweep(_SWEEP_STEPS.value, _LOWEST_RATE.value, _HIGHEST_RATE.value)
    with ending.in_order(place):
        curve = rates.find(run, place, sweep)
        folder = pathlib.Path(_OUTPUT_DIR.value or place.run_dir / FOLDER)
        if place.chief:
            rate_files.write(folder, run, curve)
            print(told(curve, rates.RULE))
            print(
                f"written: {folder}: {', '.join(rate_files.FILES)}; tensorboard --logdir={folder}"
            )


def told(curve, rule):
    """What a person reads."""
    seen = (
        f"the smoothed loss falls from {curve.smoothed[0]:.3g} to {min(curve.smoothed):.3g} at the "
        f"rate {curve.rates[curve.lowest]:.2g}"
    )
    if curve.suggestion is None:
        return "no rate is suggested: the loss did not fall; try more --sweep_steps, other bounds"
    if curve.lowest == len(curve.rates) - 1:
        seen += (
            ", and is still falling there: a higher --highest_rate, or more --sweep_steps, tells"
        )
    return f"{seen}\nsuggested: --learning_rate={curve.suggestion:.2g} ({rule})"


if __name__ == "__main__":
    program.run(main, __doc__)
