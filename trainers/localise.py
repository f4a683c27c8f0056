"""python -m trainers.localise: train a localiser (App. C); the same command again resumes it.

An RPN on a whole residual network that knows classes, on pictures that show objects of one class
each. Without flags: resnet20 on scenes of one handwritten digit, minutes on two CPU cores;
--init_from=RUN starts from a classifier, as the paper does. The run directory receives what
`trainers.classify` writes.
"""

from absl import flags

from trainers.plan.detection import flags as plan
from trainers.plan.localisation.recipes import RECIPES
from trainers.run import options as where
from zoo import program

plan.define(flags.FLAGS, RECIPES)
where.define()


def main(arguments):
    """Plan, then a place, then pictures, state and training; then how it ended."""
    program.no_arguments(arguments)
    try:
        run = plan.run(flags.FLAGS, RECIPES)
        options = where.read(run)
        if options.xla:
            raise ValueError("--xla cannot compile how a localiser chooses anchors: leave it out")
    except ValueError as error:
        program.usage_error(error)
    with where.waiting_aloud(options), program.quiet_start():
        from trainers.run import ending, localisation
        from trainers.run import place as places

        place = places.stand(run, options)
    with ending.in_order(place):
        trained = localisation.train(run, place)
    ending.say(trained)


if __name__ == "__main__":
    program.run(main, __doc__)
