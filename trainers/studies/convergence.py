"""python -m trainers.studies.convergence: a residual net that is not deep learns faster (Sec. 4.1).

A plain net and its residual twin, shallow enough that both are trained well: who has the lower
training error while the rate is at its highest, and whether they differ in the end (Fig. 4).
"""

import statistics

from trainers.studies import answers, jobs, options, scales
from zoo import program, specs

NETS = {"demo": ("plain8", "resnet8"), "paper": ("plain18", "resnet18")}
PAPER = {"plain18": 27.94, "resnet18": 27.88}  # Table 2, ten-crop top-1 error on ImageNet, percent
FIRST_DROP = {"cifar": 0.5, "imagenet": 0.25}  # of all steps: before it the rate is at its highest


def main(arguments):
    asked = options.read(arguments)
    nets = asked.nets or NETS[asked.scale]
    if len(nets) != 2 or nets[0].replace("plain", "resnet") != nets[1] or nets[0] == nets[1]:
        program.usage_error("--nets: expected a plain net and its residual twin: plain18,resnet18")
    todo = {net: [jobs.Job(net, s, settings(net, asked)) for s in asked.seeds] for net in nets}
    results = jobs.train(todo, asked)
    with program.quiet_start():
        found = answers.of_jobs(todo, asked)
    write(asked, results, answers.compare(*(found[net] for net in nets)))


def settings(net, asked):
    """A net's own recipe; on ImageNet with Table 2's option A."""
    imagenet = asked.scale == "paper" and scales.stem(net) == "imagenet"
    option_a = {"shortcut": "A"} if imagenet and not specs.find(net).plain else {}
    return jobs.settings(scales.base(net, asked), asked, **option_a)


def write(asked, results, gain):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    plain, residual = results.histories
    drop = FIRST_DROP[scales.stem(plain) if asked.scale == "paper" else "cifar"]
    early = early_errors(results.histories, drop)
    said = finding(early, (plain, residual), gain)
    with plots.figure(asked.output_dir / "convergence.png", (5, 3.8)) as drawing:
        figures.curves(drawing.subplots(), results.histories, f"{plain} and {residual}")
    rows = [
        [f"{step:,}", *(report.percent(errors[net]) for net in (plain, residual))]
        for step, errors in early.items()
    ]
    last = [report.percent(results.validation(net)) for net in (plain, residual)]
    papers = [report.paper(PAPER.get(net)) for net in (plain, residual)]
    sections = [
        "# A residual net that is not deep learns faster (Sec. 4.1, Fig. 4)",
        said,
        "The paper: of 18 layers the plain net and the residual one are comparably accurate, but "
        "the residual one converges faster: where a net is not overly deep, the solver finds good "
        "solutions for the plain net too.",
        "![training and validation error against steps](convergence.png)",
        "Training error, percent, of each round before the rate first falls:",
        report.table(["up to step", plain, residual], rows),
        "In the end:",
        report.table(
            ["error %", plain, residual],
            [["validation, ours", *last], ["paper, ImageNet, ten-crop", *papers]],
        ),
        answers.table({(plain, residual): gain}, report),
        scales.caveat(asked, list(results.histories)),
        report.origin(**results.origin),
    ]
    numbers = report.numbers(results, PAPER, said)
    numbers["pairs"] = answers.as_numbers({(plain, residual): gain})
    report.write(asked.output_dir, "convergence", sections, numbers)


def early_errors(histories, drop):
    """{step: {net: training errors, one a seed}} of the rounds that end before the first drop."""
    first = next(iter(histories.values()))[0]
    end = drop * first[-1]["step"]
    count = max(1, sum(record["step"] <= end for record in first))
    return {
        first[i]["step"]: {net: [h[i]["error"] for h in each] for net, each in histories.items()}
        for i in range(count)
    }


def finding(early, nets, gain):
    """Whether the residual net is ahead in every early round of every seed; then how both end."""
    plain, residual = nets
    ahead = all(p > r for errors in early.values() for p, r in zip(errors[plain], errors[residual]))
    step, errors = next(iter(early.items()))
    means = (statistics.mean(errors[net]) for net in nets)
    told = " and ".join(f"{100 * mean:.1f} % ({net})" for mean, net in zip(means, nets))
    end = f"{plain} less {residual} {gain}"
    alike = f"they are comparably accurate, a difference does not show, {end}"
    if gain.shows:
        alike = f"{residual if gain.mean > 0 else plain} is better, {end}"
    return (
        f"That the residual net learns faster {'shows' if ahead else 'does not show'}: before the "
        f"rate first falls its training error is {'' if ahead else 'not '}lower in every round and "
        f"seed, in the first {step:,} steps {told}. In the end {alike}."
    )


if __name__ == "__main__":
    program.run(main, __doc__)
