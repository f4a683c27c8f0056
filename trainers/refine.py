"""python -m trainers.refine --localiser=RUN: train R-CNN on a localiser's proposals (App. C).

The second step of localisation: regions are cropped where the localiser of trainers.localise
proposes boxes of the class that is there, warped to squares and judged and moved by a network of
their own; the same command again resumes. --init_from=RUN starts from a classifier, as the paper
does. trainers.evaluate_localisation on the new run judges both together.
"""

from absl import flags

from trainers.plan.refining import flags as plan
from trainers.run import options as where
from zoo import program

plan.define(flags.FLAGS)
where.define()


def main(arguments):
    """Plan, then a place, then proposals, state and training; then how it ended."""
    program.no_arguments(arguments)
    try:
        run = plan.run(flags.FLAGS)
        if flags.FLAGS.strategy == "multiworker" or flags.FLAGS.data_service:
            raise ValueError(
                "proposals stay in one process: leave out --strategy=multiworker and --data_service"
            )
        options = where.read(run)
    except ValueError as error:
        program.usage_error(error)
    with program.quiet_start():
        from trainers.run import ending, refinement
        from trainers.run import place as places

        place = places.stand(run, options)
    with ending.in_order(place):
        trained = refinement.train(run, place)
    ending.say(trained)


if __name__ == "__main__":
    program.run(main, __doc__)
