"""python -m trainers.studies.depth: residual nets from 20 layers to 1202 (Table 6).

Best (mean ± deviation) over seeds, each net compared with the shallower one on the same images;
and the warm-up that the paper gives its 110-layer net (Sec. 4.2, footnote 5).
"""

import itertools
import statistics

from trainers.studies import answers, jobs, options, scales
from zoo import program, specs

NETS = {
    "demo": ["resnet8", "resnet20", "resnet44"],
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
FALLS_TO = 110  # layers: the error of 1202 is higher again, which the paper calls overfitting
# Sec. 4.2: 0.1 is "slightly too large to start converging" for 110 layers, so 0.01 comes first.
WARMUP_NET = {"demo": "resnet44", "paper": "resnet110"}
AT_ONCE = {"learning_rate": "0.1"}
DEMO_WARMUP = {"warmup": "error", "warmup_steps": "20", "warmup_learning_rate": "0.01"}
WARMUP_SEEDS = 2  # one pair shows it, two that it is not the seed
STARTED = 0.8  # Sec. 4.2: "until the training error is below 80%"


def main(arguments):
    asked = options.read(arguments)
    nets = asked.nets or NETS[asked.scale]
    todo = {
        net: [jobs.Job(net, s, jobs.settings(scales.base(net, asked), asked)) for s in asked.seeds]
        for net in nets
    }
    tried = {} if asked.nets else warmups(asked)
    results = jobs.train({**todo, **tried}, asked)
    with program.quiet_start():
        found = answers.of_jobs({**todo, **tried}, asked)
    write(asked, results, pairs(todo, found), pairs(tried, found))


def warmups(asked):
    """{label: [Job]} at the rate of 0.1, at once and after a warm-up."""
    net = WARMUP_NET[asked.scale]
    if asked.scale == "demo":
        at_once = jobs.settings(scales.demo(asked.data_dir), asked, **AT_ONCE)
        after = (*at_once, *DEMO_WARMUP.items())
    else:
        at_once, after = jobs.settings(jobs.CIFAR, asked), jobs.settings(jobs.WARMUP, asked)
    chosen = {f"{net}, 0.1 at once": at_once, f"{net}, 0.01 first": after}
    return {
        label: [jobs.Job(net, seed, each) for seed in asked.seeds[:WARMUP_SEEDS]]
        for label, each in chosen.items()
    }


def pairs(todo, found):
    """{(label, next label): paired.Difference}: how much more error each has than the next."""
    both = itertools.pairwise(label for part in scales.families(todo).values() for label in part)
    return {
        (one, other): answers.compare(found[one], found[other])
        for one, other in both
        if scales.stem_of(one) == scales.stem_of(other)
    }


def write(asked, results, gains, warm):
    with program.quiet_start():
        from trainers.studies import report

    tried = list(dict.fromkeys(label for pair in warm for label in pair))
    families = scales.families(label for label in results.histories if label not in tried)
    said, tables = [], []
    for nets in families.values():
        own = {pair: gain for pair, gain in gains.items() if pair[0] in nets}
        said.append(finding(nets, own, results))
        tables.append(table_6(nets, results, report))
        tables.append(answers.table(own, report) if own else "")
    draw(asked.output_dir / "depth.png", asked, results, families, tried)
    sections = [
        "# Depth (Table 6)",
        " ".join(said),
        "The paper: the error of residual nets falls with depth up to 110 layers; 1202 layers are "
        "trained without difficulty, and overfit.",
        "![training and validation error against steps](depth.png)",
        *filter(None, tables),
    ]
    if warm:
        said.append(warmup_finding(next(iter(warm.items())), results))
        sections += ["## The warm-up", WARM_UP, said[-1], table_of_warmups(tried, results, report)]
        sections.append(answers.table(warm, report))
    sections += [scales.caveat(asked, list(results.histories)), report.origin(**results.origin)]
    numbers = report.numbers(results, PAPER, " ".join(said))
    numbers["pairs"] = answers.as_numbers({**gains, **warm})
    report.write(asked.output_dir, "depth", sections, numbers)


WARM_UP = """\
The paper starts its 110-layer net at a rate of 0.01 until the training error is below 80 %, then
goes on at 0.1. Its footnote 5: with 0.1 at once it starts converging, below 90 % error, after
several epochs, but still reaches similar accuracy."""


def draw(path, asked, results, families, tried):
    """A panel a family, and one for the warm-up."""
    from trainers.judging import plots
    from trainers.studies import figures

    places = {stem: scales.DATA[stem] if asked.scale == "paper" else "demo" for stem in families}
    groups = {f"depth, {stem}'s nets, {places[stem]}": nets for stem, nets in families.items()}
    groups |= {"warm-up": tried} if tried else {}
    with plots.figure(path, (4.5 * len(groups), 3.8)) as drawing:
        panels = drawing.subplots(1, len(groups), squeeze=False)[0]
        for axes, (title, labels) in zip(panels, groups.items()):
            limit = 20 if title.endswith("CIFAR-10") else 60  # Fig. 6 ends at 20 %
            limit = 100 if labels is tried else limit
            figures.curves(axes, {x: results.histories[x] for x in labels}, title, limit)


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
        [
            label,
            ", ".join(str(started(history) or "never") for history in results.histories[label]),
            report.percent(results.training(label)),
            report.percent(results.validation(label)),
        ]
        for label in tried
    ]
    first = "first round below 80 % training error ends at step"
    return report.table(["network and rate", first, "training error %", "validation error %"], rows)


def started(history):
    """The step at which a round first has a training error below 80 %, or None."""
    return next((record["step"] for record in history if record["error"] < STARTED), None)


def finding(nets, gains, results):
    """Whether each net is better than the shallower one before it, on the same images."""
    means = [
        f"{statistics.mean(results.validation(net)):.1%} with {specs.find(net).layers}"
        for net in nets
    ]
    falling = [gain for (_, net), gain in gains.items() if specs.find(net).layers <= FALLS_TO]
    if not falling:
        return f"The validation error is {', '.join(means)} layers: no two depths to compare."
    shows = all(gain.shows and gain.mean > 0 for gain in falling)
    steps = "; ".join(f"{one} less {other} {gain}" for (one, other), gain in gains.items())
    return (
        f"That the error of residual nets falls with depth {'shows' if shows else 'does not show'} "
        f"after {results.histories[nets[0]][0][-1]['step']:,} steps: {steps}. The validation error "
        f"is {', '.join(means)} layers."
    )


def warmup_finding(pair, results):
    """Whether 0.1 at once starts later, and whether it ends alike."""
    (at_once, after), gain = pair
    steps = {
        label: [started(history) or float("inf") for history in results.histories[label]]
        for label in (at_once, after)
    }
    late = all(a > b for a, b in zip(steps[at_once], steps[after]))
    end = "a difference is not told from chance"
    if gain.shows:
        end = f"the warm-up has the {'lower' if gain.mean > 0 else 'higher'} error"
    return (
        f"The warm-up: that 0.1 at once starts later {'shows' if late else 'does not show'} with "
        f"{at_once.partition(',')[0]}; in the end {end}, 0.1 at once less 0.01 first {gain}."
    )


if __name__ == "__main__":
    program.run(main, __doc__)
