"""python -m trainers.studies.degradation: deeper plain nets train worse, residual ones do not.

Fig. 1, 4 and 6, Table 2: plain nets and their residual twins of the same depths, the same steps.
"""

import statistics

from trainers.studies import jobs, options
from zoo import program, specs

NETS = {
    "demo": [f"{kind}{depth}" for kind in ("plain", "resnet") for depth in (8, 20, 32, 56)],
    "paper": [
        *(f"{kind}{depth}" for kind in ("plain", "resnet") for depth in (20, 32, 44, 56)),
        *("resnet110", "plain18", "plain34", "resnet18", "resnet34"),
    ],
}
# Test error in percent: Table 6 (CIFAR-10) and Table 2 (ImageNet, ten-crop, option A). Fig. 6 draws
# the plain CIFAR nets without printing their numbers.
PAPER = {
    "resnet20": 8.75, "resnet32": 7.51, "resnet44": 7.17, "resnet56": 6.97, "resnet110": 6.43,
    "plain18": 27.94, "plain34": 28.54, "resnet18": 27.88, "resnet34": 25.03,
}  # fmt: skip


def main(arguments):
    asked = options.read(arguments)
    nets = asked.nets or NETS[asked.scale]
    todo = {net: [jobs.Job(net, s, settings(net, asked)) for s in asked.seeds] for net in nets}
    write(asked.output_dir, asked.scale, jobs.train(todo, asked))


def settings(net, asked):
    """A network's recipe: ImageNet's nets are only trained at the paper's scale."""
    if asked.scale == "demo":
        return jobs.settings(jobs.DEMO, asked)
    if specs.find(net).stem == "imagenet":
        option_a = {} if specs.find(net).plain else {"shortcut": "A"}  # Table 2
        return jobs.settings(jobs.IMAGENET, asked, **option_a)
    return jobs.settings(jobs.WARMUP if net == "resnet110" else jobs.CIFAR, asked)


def write(output_dir, scale, results):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    kinds = {"plain": {}, "residual": {}}
    for net, runs in results.histories.items():
        kinds["plain" if specs.find(net).plain else "residual"][net] = runs
    with plots.figure(output_dir / "degradation.png", (9, 3.8)) as drawing:
        for axes, (kind, runs_of) in zip(drawing.subplots(1, 2, sharey=True), kinds.items()):
            figures.curves(axes, runs_of, f"{kind} nets")
    rows = [
        [
            net,
            report.percent(results.training(net)),
            report.percent(results.validation(net)),
            report.paper(PAPER.get(net)),
        ]
        for net in results.histories
    ]
    sections = [
        "# Degradation, and its cure (Fig. 1, 4, 6; Table 2)",
        "The paper: with depth, the *training* error of plain nets rises, so it is not "
        "overfitting; that of residual nets of the same depth, width and parameters does not.",
        "![training and validation error against steps](degradation.png)",
        report.table(
            ["network", "training error %, ours", "validation error %, ours", "paper, test %"], rows
        ),
        f"What we measured. {finding(results)}",
        jobs.CAVEAT[scale],
        report.origin(**results.origin),
    ]
    report.write(
        output_dir, "degradation", sections, report.numbers(results, PAPER, finding(results))
    )


def finding(results):
    """What the runs show, worked out and not foreseen."""
    sentences = []
    for kind, title in (("plain", "plain"), ("resnet", "residual")):
        nets = [net for net in results.histories if net.startswith(kind)]
        nets.sort(key=lambda net: specs.find(net).layers)
        errors = [f"{statistics.mean(results.training(net)):.1%} ({net})" for net in nets]
        if nets:
            sentences.append(f"Training error of {title} nets: {', '.join(errors)}.")
    return " ".join(sentences)


if __name__ == "__main__":
    program.run(main, __doc__)
