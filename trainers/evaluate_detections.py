"""python -m trainers.evaluate_detections --run_dir=DIR: judge a trained detector.

Every picture is looked at once. Prints COCO's figures or VOC's, how many objects the proposals
cover, and what goes wrong; writes evaluation.json, detections.json as COCO's server takes it,
classes.csv, and pictures: curves of precision, labelled beside found, the worst misses and false
alarms. --refine, --vote and --scales are the paper's improvements (App. B, Table 9).
"""

from trainers.judging.detection import options
from zoo import program

options.define_judging()


def main(arguments):
    program.no_arguments(arguments)
    try:
        judging = options.read_judging()
    except ValueError as error:
        program.usage_error(error)
    with program.quiet_start():
        from trainers.judging.detection import evaluation, verdict
    result = evaluation.evaluate(judging)
    print(verdict.as_table(result))
    print(f"written: {judging.output_dir}/{', '.join(verdict.WRITTEN)}")


if __name__ == "__main__":
    program.run(main, __doc__)
