"""python -m trainers.evaluate --run_dir=DIR: judge a trained network, every image once.

--views=center is the single view; ten_crop averages the softmax over corners, centre and their
mirrors; multi_scale is fully convolutional over five sizes (Sec. 3.4). Several --run_dir are an
ensemble. Prints the errors and each class' precision, recall and F1; writes evaluation.json,
classes.csv and pictures: the confusion matrix, the calibration, the worst mistakes.
"""

from trainers.judging import options
from zoo import program

options.define_judging()


def main(arguments):
    program.no_arguments(arguments)
    try:
        judging = options.read_judging()
    except ValueError as error:
        program.usage_error(error)
    with program.quiet_start():
        from trainers.judging import evaluation, verdict

        strategy = evaluation.devices(judging)
    judged = evaluation.judge(judging, strategy)
    print(verdict.as_table(judged.result), flush=True)  # also where nothing can be written
    evaluation.write(judged, judging.output_dir)
    written = ", ".join(("evaluation.json", verdict.TABLE, *verdict.PICTURES))
    print(f"written: {judging.output_dir}/{written}")


if __name__ == "__main__":
    program.run(main, __doc__)
