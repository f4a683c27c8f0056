"""python -m trainers.evaluate_localisation --run_dir=DIR: judge a trained localiser (App. C).

Every picture is looked at once. Prints the localisation errors of Table 13, at an IoU of 0.5: of
the box with the class told, and of class and box together in the first 1 and 5 guesses. Classes are
guessed by --classifier=RUN, as in the paper, or by the localiser's own scores. Writes
evaluation.json and localisations.png, pictures as labelled and as found.
"""

from trainers.judging.localisation import options
from zoo import program

options.define_judging()


def main(arguments):
    program.no_arguments(arguments)
    judging = options.read_judging()
    with program.quiet_start():
        from trainers.judging.localisation import evaluation
    result = evaluation.evaluate(judging)
    print(evaluation.as_table(result))
    print(f"written: {judging.output_dir}/{', '.join(evaluation.WRITTEN)}")


if __name__ == "__main__":
    program.run(main, __doc__)
