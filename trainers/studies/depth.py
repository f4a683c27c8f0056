"""python -m trainers.studies.depth: residual nets from 20 layers to 1202 (Table 6).

Best (mean ± deviation) over seeds, and the warm-up that the paper gives its 110-layer net.
"""

import statistics

from trainers.studies import jobs, options
from zoo import program, specs

NETS = {
    "demo": ["resnet8", "resnet20", "resnet32", "resnet56"],
    "paper": ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet1202"],
}
# Table 6: CIFAR-10 test error in percent.
PAPER = {
    "resnet20": "8.75",
    "resnet32": "7.51",
    "resnet44": "7.17",
    "resnet56": "6.97",
    "resnet110": "6.43 (6.61 ± 0.16)",
    "resnet1202": "7.93",
}
# Sec. 4.2: 0.1 is "slightly too large to start converging" for 110 layers, so 0.01 comes first.
WARMUP_NET = {"demo": "resnet56", "paper": "resnet110"}
DEMO_RATE = {"learning_rate": "0.1"}
DEMO_WARMUP = {**DEMO_RATE, "warmup_steps": "80", "warmup_learning_rate": "0.01"}


WARMUP_SEEDS = 2  # one pair shows it, two that it is not the seed


def main(arguments):
    asked = options.read(arguments)
    nets = asked.nets or NETS[asked.scale]
    todo = {net: [jobs.Job(net, s, settings(net, asked)) for s in asked.seeds] for net in nets}
    for label, net, chosen in warmups(asked):
        todo[label] = [jobs.Job(net, seed, chosen) for seed in asked.seeds[:WARMUP_SEEDS]]
    write(asked.output_dir, asked.scale, jobs.train(todo, asked))


def settings(net, asked):
    if asked.scale == "demo":
        return jobs.settings(jobs.DEMO, asked)
    # The paper says nothing of warm-up for 1202 layers; it needs what 110 layers need.
    warm = specs.find(net).layers >= 110
    return jobs.settings(jobs.WARMUP if warm else jobs.CIFAR, asked)


def warmups(asked):
    """(label, network, settings) at the rate of 0.1, at once and after a warm-up."""
    net = WARMUP_NET[asked.scale]
    if asked.scale == "demo":
        at_once = jobs.settings(jobs.DEMO, asked, **DEMO_RATE)
        after = jobs.settings(jobs.DEMO, asked, **DEMO_WARMUP)
    else:
        at_once, after = jobs.settings(jobs.CIFAR, asked), jobs.settings(jobs.WARMUP, asked)
    return [(f"{net}, 0.1 at once", net, at_once), (f"{net}, 0.01 first", net, after)]


def write(output_dir, scale, results):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    tried = [label for label in results.histories if ", " in label]
    nets = [label for label in results.histories if ", " not in label]
    with plots.figure(output_dir / "depth.png", (9, 3.8)) as drawing:
        left, right = drawing.subplots(1, 2)
        limit = 40 if scale == "demo" else 20  # Fig. 6 ends at 20 %
        figures.curves(left, {net: results.histories[net] for net in nets}, "depth", limit)
        figures.curves(right, {label: results.histories[label] for label in tried}, "warm-up")
    said = finding(nets, tried, results)
    sections = [
        "# Depth (Table 6)",
        "The paper: the error of residual nets falls with depth up to 110 layers; 1202 layers are "
        "trained without difficulty, and overfit.",
        "![training and validation error against steps](depth.png)",
        table_6(nets, results, report),
        f"What we measured. {said}",
        "## The warm-up",
        "The paper starts its 110-layer net at a rate of 0.01 until the training error is below "
        "80 %, then goes on at 0.1.",
        table_of_warmups(tried, results, report),
        jobs.CAVEAT[scale],
        report.origin(**results.origin),
    ]
    report.write(output_dir, "depth", sections, report.numbers(results, PAPER, said))


def table_6(nets, results, report):
    from zoo import build, complexity

    rows = [
        [
            net,
            specs.find(net).layers,
            f"{complexity.parameters(build(net)) / 1e6:.2f}M",
            report.percent(results.training(net)),
            report.best_percent(results.validation(net)),
            report.paper(PAPER.get(net)),
        ]
        for net in nets
    ]
    best = "best (mean ± std)"
    errors = ["training error %, ours", f"validation error %, ours: {best}", f"paper, test: {best}"]
    return report.table(["network", "layers", "parameters", *errors], rows)


def table_of_warmups(tried, results, report):
    rows = [
        [x, report.percent(results.training(x)), report.percent(results.validation(x))]
        for x in tried
    ]
    return report.table(["network and rate", "training error %", "validation error %"], rows)


def finding(nets, tried, results):
    """What the runs show, worked out and not foreseen."""
    means = {
        label: f"{statistics.mean(results.validation(label)):.1%}" for label in results.histories
    }
    ranked = ", ".join(f"{means[net]} with {specs.find(net).layers} layers" for net in nets)
    warm = "; ".join(f"{label} {means[label]}" for label in tried)
    best = min(nets, key=lambda net: statistics.mean(results.validation(net)))
    falls = "falls with depth"
    if best != nets[-1]:
        falls = f"is lowest in {best}, so that it falls with depth does not show at this scale"
    return f"The validation error {falls}: {ranked}. With and without the warm-up it is: {warm}."


if __name__ == "__main__":
    program.run(main, __doc__)
