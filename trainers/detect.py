"""python -m trainers.detect: train Faster R-CNN; the same command again resumes it.

Without flags: resnet20 on scenes of handwritten digits, some ten minutes on two CPU cores. The run
directory receives what `trainers.classify` writes.
"""

from trainers.plan.detection import flags as plan
from trainers.run import options as where
from zoo import program

plan.define()
where.define()


def main(arguments):
    """Plan, then a place, then pictures, state and training; then how it ended."""
    program.no_arguments(arguments)
    try:
        run = plan.run()
        options = where.read(run)
        if options.xla:
            raise ValueError("--xla cannot compile a detector's NMS: leave it out")
    except ValueError as error:
        program.usage_error(error)
    with where.waiting_aloud(options), program.quiet_start():
        from trainers.run import detection, ending
        from trainers.run import place as places

        place = places.stand(run, options)
    with ending.in_order(place):
        trained = detection.train(run, place)
    ending.say(trained)


if __name__ == "__main__":
    program.run(main, __doc__)
