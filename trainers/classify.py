"""python -m trainers.classify: train a classifier; the same command again resumes it.

Without flags: resnet8 on scikit-learn's digits, about a minute on two CPU cores. A run directory
receives checkpoints, TensorBoard logs, metrics.jsonl, flags.txt, manifest.json and weights.
"""

from absl import flags

from trainers.plan import flags as plan
from trainers.run import options as where
from zoo import limits, program

plan.define()
where.define()
_BENCHMARK = flags.DEFINE_bool(
    "benchmark", False, "time steps, on noise and on the run's images; train and write nothing"
)
_BENCHMARK_STEPS = limits.DEFINE_integer("benchmark_steps", 20, "steps that are timed")


def main(arguments):
    """Plan, then a place, then images, state and training; then how it ended."""
    program.no_arguments(arguments)
    try:
        run = plan.run()
        options = where.read(run)
        if flags.FLAGS["benchmark_steps"].present and not _BENCHMARK.value:
            raise ValueError("--benchmark_steps is for --benchmark: give that too")
    except ValueError as error:
        program.usage_error(error)
    program.quiet_errors()  # a picture that is cut short would be one in each epoch
    with where.waiting_aloud(options), program.quiet_start():
        from trainers.run import benchmark, classification, ending
        from trainers.run import place as places

        place = places.stand(run, options)
    with ending.in_order(place):
        if _BENCHMARK.value:
            report = benchmark.report(run, place, _BENCHMARK_STEPS.value)
            print(report if place.chief else "", end="\n" * place.chief)
        else:
            trained = classification.train(run, place)
    if not _BENCHMARK.value:
        ending.say(trained)


if __name__ == "__main__":
    program.run(main, __doc__)
