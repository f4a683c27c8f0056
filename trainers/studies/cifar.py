"""python -m trainers.studies.cifar --data_dir=DIR: 20 layers on CIFAR-10 itself (Table 6, Fig. 6).

DIR has its pictures as files, train/ and validation/ with a folder a class; validation/ is its test
set. By the paper's recipe, or --steps of it, every network is trained on all of train/, and judged
by its last weights, so that nothing is chosen by the test set. --lossless_dir is such a folder of
bit-exact pictures, to judge on besides. With TFDS's cifar10: trainers.studies.depth --scale=paper.
"""

import itertools
import json
import statistics

from absl import flags

from trainers.studies import answers, jobs, options, scales
from zoo import limits, program

_LOSSLESS = flags.DEFINE_string("lossless_dir", None, "bit-exact pictures to judge on besides")

NETS = ("plain20", "resnet20")
PAPER = {"resnet20": "8.75"}  # Table 6, percent
FULL = scales.FULL_STEPS["cifar"]
ROUND = "1000"  # steps


def main(arguments):
    asked = options.read(arguments)
    if not asked.data_dir:
        program.usage_error(
            "--data_dir: expected a folder with CIFAR-10's pictures, train/ and validation/ with a "
            "folder a class, got none"
        )
    nets = asked.nets or NETS
    if strange := [net for net in nets if scales.stem(net) != "cifar"]:
        program.usage_error(f"--nets: expected CIFAR's networks, got {limits.shown(strange[0])}")
    todo = {net: [jobs.Job(net, seed, settings(asked)) for seed in asked.seeds] for net in nets}
    results = jobs.train(todo, asked)
    with program.quiet_start():
        found = answers.of_jobs(todo, asked)
    lossless = {net: [of_lossless(job, asked) for job in each] for net, each in todo.items()}
    gains = {pair: answers.compare(*map(found.get, pair)) for pair in itertools.pairwise(nets)}
    write(asked, results, gains, lossless if _LOSSLESS.value else {})


def settings(asked):
    """The paper's recipe on a folder, with --steps of it; the rate falls at the same fractions."""
    base = {"data": "folder", "recipe": "cifar10"}
    return tuple({**dict(jobs.settings(base, asked)), "round_steps": ROUND}.items())


def of_lossless(job, asked):
    """`trainers.evaluate`'s figures of a run on --lossless_dir's validation/; {} without it."""
    if not _LOSSLESS.value:
        return {}
    run_dir = asked.runs_dir / job.name
    result = run_dir / "lossless" / "evaluation.json"  # of whatever folder was given last
    pictures = ["--data=folder", f"--data_dir={_LOSSLESS.value}", "--split=validation"]
    words = [f"--run_dir={run_dir}", *pictures, f"--output_dir={result.parent}"]
    jobs.ask(run_dir, "evaluate", *words)
    return json.loads(result.read_text(encoding="utf-8"))


def write(asked, results, gains, lossless):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    steps = next(iter(results.histories.values()))[0][-1]["step"]
    said = finding(results, gains, lossless, steps)
    with plots.figure(asked.output_dir / "cifar.png", (5.5, 4)) as drawing:
        title = "CIFAR-10, validation: its test set"
        figures.curves(drawing.subplots(), results.histories, title, 60)
    sections = [
        "# CIFAR-10 itself, 20 layers (Table 6, Fig. 6)",
        said,
        "The paper: 8.75 % of the test images with the residual net; of the plain one it draws the "
        "curve alone.",
        "![training and test error against steps](cifar.png)",
        table(results, lossless, report),
        *([answers.table(gains, report)] if gains else []),
        differences(steps),
        report.origin(**results.origin),
    ]
    numbers = report.numbers(results, PAPER, said)
    numbers |= {"pairs": answers.as_numbers(gains), "lossless": lossless}
    report.write(asked.output_dir, "cifar", sections, numbers)


def finding(results, gains, lossless, steps):
    """What the networks get wrong, and whether each is better than the one before it."""
    told = [
        f"{net} is wrong on {statistics.mean(results.validation(net)):.2%} of the test set's "
        f"pictures{of_clean(lossless.get(net))}"
        for net in results.histories
    ]
    said = f"After {steps:,} steps {'; '.join(told)}."
    alone = " (1 seed)" if max(map(len, results.histories.values())) == 1 else ""
    for (one, other), gain in gains.items():
        shows = "shows" if gain.shows and gain.mean > 0 else "does not show"
        claim = f"That {other} is better than {one} {shows}{alone}"
        said = f"{claim}: {one} less {other} {gain}. {said}"
    return said


def of_clean(each):
    if not each:
        return ""
    mean = statistics.mean(one["error"] for one in each)
    return f", and on {mean:.1%} of {each[0]['images']:,} without loss"


def table(results, lossless, report):
    rows = [
        [
            net,
            report.percent(results.training(net)),
            report.best_percent(results.validation(net)),
            report.percent([one["error"] for one in lossless[net]]) if lossless else "–",
            report.paper(PAPER.get(net)),
        ]
        for net in results.histories
    ]
    header = ["network", "training error %, augmented", "test error %, ours", "without loss, ours"]
    return report.table([*header, "paper, test: best (mean ± std)"], rows)


def differences(steps):
    """What is not as in the paper."""
    fewer = (
        f"{steps:,} steps instead of {FULL:,}, the rate divided at a half and three quarters of "
        "them as there; "
        if steps != FULL
        else ""
    )
    return (
        f"What differs from the paper: {fewer}the pictures are files, whose format may have lost "
        "something, in training and in the test; a batch of 128 is normalised as one where the "
        "paper has two of 64; the decay is on kernels alone. As there, all 50,000 training images "
        "are learned from, padded by 4, cropped and mirrored, and the test looks at one view. The "
        "training error is of the images as they were augmented, before the step that learned them."
    )


if __name__ == "__main__":
    program.run(main, __doc__)
