"""python -m trainers.studies.shortcuts: options A, B and C of the identity (Table 3).

Zero-padded identities, projections where the dimension grows, projections everywhere, and the
plain net that has none, compared on the same images. At the paper's scale the deeper nets of the
table too, and 50 layers without shortcuts (footnote 4).
"""

import itertools
import statistics

from trainers.studies import answers, jobs, options, scales
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
# With option B, in the same table; plain50 is footnote 4's, of which the paper prints no number.
DEEPER = ("resnet50", "resnet101", "resnet152", "plain50")


def main(arguments):
    asked = options.read(arguments)
    todo = {
        label: [jobs.Job(net, seed, settings) for seed in asked.seeds]
        for label, net, settings in choices(asked)
    }
    results = jobs.train(todo, asked)
    with program.quiet_start():
        found = answers.of_jobs(todo, asked)
    gains = {(one, other): answers.compare(found[one], found[other]) for one, other in pairs(todo)}
    write(asked, results, gains)


def choices(asked):
    """(label, network, settings) of each row of the table. --nets gives other nets."""
    depth = DEPTHS[asked.scale]
    for net in asked.nets or (f"plain{depth}", f"resnet{depth}"):
        base = scales.base(net, asked)
        if specs.find(net).plain:
            yield net, net, jobs.settings(base, asked)
            continue
        for option in specs.SHORTCUTS:
            # A net's own option is not named, so that the run is the one other studies have.
            own = {} if option == specs.find(net).shortcut else {"shortcut": option}
            yield f"{net} {option}", net, jobs.settings(base, asked, **own)
    if asked.scale == "paper" and not asked.nets:
        for net in DEEPER:
            yield net, net, jobs.settings(scales.base(net, asked), asked)


def pairs(labels):
    """Whom to compare: a plain net with its residual twins, then the options, worst first."""
    for net in labels:
        twin = net.replace("plain", "resnet")
        if twin != net:
            yield from ((net, other) for other in labels if other.split(" ")[0] == twin)
    nets = dict.fromkeys(label.split(" ")[0] for label in labels if " " in label)
    for net in nets:
        yield from itertools.combinations([x for x in labels if x.startswith(f"{net} ")], 2)


def write(asked, results, gains):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    families = scales.families(results.histories)
    with plots.figure(asked.output_dir / "shortcuts.png", (5 * len(families), 3.8)) as drawing:
        panels = drawing.subplots(1, len(families), squeeze=False)[0]
        for axes, labels in zip(panels, families.values()):
            shown = {label: results.histories[label] for label in labels}
            figures.curves(axes, shown, "shortcuts", 60)
    said, tables = [], []
    for labels in families.values():
        own = {pair: gain for pair, gain in gains.items() if pair[0] in labels}
        said.append(finding({x: results.validation(x) for x in labels}, own))
        tables += [table_3(labels, results, asked.scale, report), answers.table(own, report)]
    sections = [
        "# Shortcuts A, B, C (Table 3)",
        " ".join(said),
        "The paper: all three options are considerably better than the plain net; B is slightly "
        "better than A, C marginally better than B; so projections are not essential. Its figures "
        "are of 34 layers on ImageNet, ten-crop.",
        "![training and validation error against steps](shortcuts.png)",
        *tables,
        scales.caveat(asked, list(results.histories)),
        report.origin(**results.origin),
    ]
    numbers = report.numbers(results, PAPER, " ".join(said))
    report.write(
        asked.output_dir, "shortcuts", sections, numbers | {"pairs": answers.as_numbers(gains)}
    )


def table_3(labels, results, scale, report):
    rows = []
    for label in labels:
        top1, top5 = PAPER.get(paper_label(label), (None, None))
        top5s = [each["error_top5"] for each in results.judged[label]]
        ours = (results.training(label), results.validation(label), top5s)
        cells = [report.percent(values) for values in ours]
        rows.append(
            [label, f"{parameters(label, scale):,}", *cells, report.paper(top1), report.paper(top5)]
        )
    header = ["network", "parameters", "training error %, ours", "top-1 %, ours", "top-5 %, ours"]
    return report.table([*header, "paper, 34 layers: top-1 %", "top-5 %"], rows)


def paper_label(label):
    """The paper's row beside ours: 34 layers for the demo's net."""
    return label.replace(DEPTHS["demo"], DEPTHS["paper"])


def parameters(label, scale):
    import zoo
    from zoo import complexity

    net, _, shortcut = label.partition(" ")
    classes = 10 if scale == "demo" or scales.stem(net) == "cifar" else 1000
    return complexity.parameters(zoo.build(net, num_classes=classes, shortcut=shortcut or None))


def finding(errors, gains):
    """Whether every option is better than the plain net, then which options differ."""
    plain = {pair: gain for pair, gain in gains.items() if pair[0].startswith("plain")}
    among = {pair: gain for pair, gain in gains.items() if pair not in plain}
    ranked = sorted(errors, key=lambda label: statistics.mean(errors[label]))
    means = ", ".join(f"{label} {statistics.mean(errors[label]):.1%}" for label in ranked)
    sentences = []
    if plain:
        shows = all(gain.shows and gain.mean > 0 for gain in plain.values())
        told = "; ".join(f"{one} less {other} {gain}" for (one, other), gain in plain.items())
        sentences.append(
            "That nets with shortcuts are better than the plain net of their depth "
            f"{'shows' if shows else 'does not show'}: {told}."
        )
    if among:
        apart = [f"{one} less {other} {g}" for (one, other), g in among.items() if g.shows]
        told = f"differ in {'; '.join(apart)}" if apart else "are not shown to differ"
        sentences.append(f"The options {told}; the paper's order is C, B, A.")
    return " ".join([*sentences, f"By validation error: {means}."])


if __name__ == "__main__":
    program.run(main, __doc__)
