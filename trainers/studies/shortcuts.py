"""python -m trainers.studies.shortcuts: options A, B and C of the identity (Table 3).

Zero-padded identities, projections where the dimension grows, projections everywhere, and the
plain net that has none.
"""

import itertools
import statistics

from trainers.studies import jobs, options
from zoo import program, specs

DEPTHS = {"demo": "20", "paper": "34"}
# Table 3, ten-crop on ImageNet: top-1, top-5 error in percent.
PAPER = {
    "plain34": (28.54, 10.02),
    "resnet34 A": (25.03, 7.76),
    "resnet34 B": (24.52, 7.46),
    "resnet34 C": (24.19, 7.40),
    "resnet50": (22.85, 6.71),
    "resnet101": (21.75, 6.05),
    "resnet152": (21.43, 5.71),
}
DEEPER = ("resnet50", "resnet101", "resnet152")  # with option B, in the same table


def main(arguments):
    asked = options.read(arguments)
    for net in asked.nets or ():
        if specs.find(net).plain:
            program.usage_error(f"--nets: expected nets with shortcuts, got {net}")
    todo = {
        label: [jobs.Job(net, seed, settings) for seed in asked.seeds]
        for label, net, settings in choices(asked)
    }
    write(asked.output_dir, asked.scale, jobs.train(todo, asked))


def choices(asked):
    """(label, network, settings) of each row of the table. --nets gives other residual nets."""
    base = jobs.DEMO if asked.scale == "demo" else jobs.IMAGENET
    depth = DEPTHS[asked.scale]
    if not asked.nets:
        yield f"plain{depth}", f"plain{depth}", jobs.settings(base, asked)
    for net in asked.nets or [f"resnet{depth}"]:
        for option in specs.SHORTCUTS:
            # A net's own option is not named, so that the run is the one other studies have.
            own = {} if option == specs.find(net).shortcut else {"shortcut": option}
            yield f"{net} {option}", net, jobs.settings(base, asked, **own)
    if asked.scale == "paper" and not asked.nets:
        for net in DEEPER:
            yield net, net, jobs.settings(base, asked)


def write(output_dir, scale, results):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    with plots.figure(output_dir / "shortcuts.png", (5, 3.8)) as drawing:
        figures.curves(drawing.subplots(), results.histories, "shortcuts")
    rows = []
    for label in results.histories:
        top1, top5 = PAPER.get(paper_label(label), (None, None))
        top5s = [each["error_top5"] for each in results.judged[label]]
        ours = (results.training(label), results.validation(label), top5s)
        cells = [report.percent(values) for values in ours]
        rows.append(
            [label, f"{parameters(label, scale):,}", *cells, report.paper(top1), report.paper(top5)]
        )
    header = ["network", "parameters", "training error %, ours", "top-1 %, ours", "top-5 %, ours"]
    sections = [
        "# Shortcuts A, B, C (Table 3)",
        "The paper: all three options are considerably better than the plain net; B is slightly "
        "better than A, C marginally better than B; so projections are not essential. Its figures "
        "are of 34 layers on ImageNet, ten-crop.",
        "![training and validation error against steps](shortcuts.png)",
        report.table([*header, "paper, 34 layers: top-1 %", "top-5 %"], rows),
        f"What we measured. {finding(results)}",
        jobs.CAVEAT[scale],
        report.origin(**results.origin),
    ]
    report.write(
        output_dir, "shortcuts", sections, report.numbers(results, PAPER, finding(results))
    )


def paper_label(label):
    """The paper's row beside ours: 34 layers for the demo's net."""
    return label.replace(DEPTHS["demo"], DEPTHS["paper"])


def parameters(label, scale):
    import zoo
    from zoo import complexity

    net, _, shortcut = label.partition(" ")
    classes = 10 if scale == "demo" else 1000
    return complexity.parameters(zoo.build(net, num_classes=classes, shortcut=shortcut or None))


def finding(results):
    """The order of the rows, and whether the options differ by more than seeds do."""
    means = {label: statistics.mean(results.validation(label)) for label in results.histories}
    ranked = ", ".join(f"{label} {means[label]:.1%}" for label in sorted(means, key=means.get))
    options_of = [label for label in means if label.endswith((" A", " B", " C"))]
    apart = [
        f"{one} and {other}"
        for one, other in itertools.combinations(options_of, 2)
        if not overlap(results.validation(one), results.validation(other))
    ]
    verdict = (
        f"the seeds of {', of '.join(apart)} do not overlap"
        if apart
        else "the options overlap from seed to seed, so which is best does not show at this scale"
    )
    return f"By validation error: {ranked}; {verdict}. The paper's order is C, B, A, plain."


def overlap(one, other):
    return min(one) <= max(other) and min(other) <= max(one)


if __name__ == "__main__":
    program.run(main, __doc__)
