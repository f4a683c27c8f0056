"""python -m trainers.studies.responses: how strongly each layer responds (Fig. 7).

The deviation of every 3x3 layer after batch normalisation and before ReLU or addition, in order and
ranked, and the size of F beside that of x in every residual block: untrained and trained, with
decay on kernels alone and on all. --run_dir measures trained networks of yours in place of the
study's.
"""

import statistics

from absl import flags

from trainers.studies import budgets, jobs, options, responding
from zoo import program

_RUN_DIR = flags.DEFINE_multi_string("run_dir", None, "measure these runs, not the study's own")

NETS = {
    "demo": ["plain20", "resnet20", "resnet44"],
    "paper": ["plain20", "plain56", "resnet20", "resnet56", "resnet110"],
}
# What decay does to a weight that no gradient holds is exp(-sum of rate x decay / (1 - momentum)):
# of the paper's 64,000 steps exp(-3.4), Sec. 4.2; of a demo's 600 with 1e-4 exp(-0.003), nothing.
# With this it is exp(-3.2).
DEMO_DECAY = "0.1"
CONTROL = "resnet20"  # also with that decay on kernels alone


def main(arguments):
    study(options.read(arguments), _RUN_DIR.value)


def study(asked, given=None):
    if given:
        run_dirs, origin = {run_dir: [run_dir] for run_dir in given}, {}
    else:
        todo = runs(asked)
        origin = jobs.train(todo, asked).origin
        run_dirs = {x: [asked.runs_dir / job.name for job in each] for x, each in todo.items()}
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import fig7, figures, report, states
    seeds = {
        label: [responding.of_run(run_dir, asked.data_dir) for run_dir in each]
        for label, each in run_dirs.items()
    }
    facts = states.facts(next(iter(run_dirs.values()))[0])
    for name, draw, size in (
        ("responses", fig7.responses, (12, 7.5)),
        ("responses_questions", fig7.questions, (12, 4.2)),
    ):
        with plots.figure(asked.output_dir / f"{name}.png", size) as drawing:
            draw(drawing, seeds)
            figures.headed(drawing, facts, f"; statistics of {responding.IMAGES:,} held out")
    means = {label: responding.mean_of(each) for label, each in seeds.items()}
    numbers = {"finding": responding.finding(seeds), "means": means}
    numbers["seeds"] = {x: [responding.in_short(one) for one in each] for x, each in seeds.items()}
    numbers |= {"origin": origin, "images": facts}
    told = [] if given else [budgets.caveat(asked, [x.partition(", ")[0] for x in seeds])]
    parts = [*sections(seeds, means, report), *told, report.origin(**origin)]
    report.write(asked.output_dir, "responses", parts, numbers)


def runs(asked):
    """{label: [Job]}: every net as its recipe trains it, then with decay on all."""
    nets = asked.nets or NETS[asked.scale]
    strength = {"weight_decay": DEMO_DECAY} if asked.scale == "demo" else {}
    name = f"decay {DEMO_DECAY} on" if strength else "decay on"
    rows = {net: (net, {}) for net in nets}
    if strength and CONTROL in nets:
        rows[f"{CONTROL}, {name} kernels"] = (CONTROL, strength)
    rows |= {f"{net}, {name} all": (net, {**strength, "decay": "all"}) for net in nets}
    return {
        label: [jobs.Job(net, seed, settings(net, asked, **more)) for seed in asked.seeds]
        for label, (net, more) in rows.items()
    }


def settings(net, asked, **more):
    return budgets.settings(net, asked, **more)


def sections(seeds, means, report):
    header = ["network", "mean std, untrained", "trained", "largest", "last layer's"]
    header += ["median F / x, untrained", "trained", "error %"]
    parts = [
        HEAD,
        f"What we measured. {responding.finding(seeds)}",
        "![deviations in order, ranked, and F against x](responses.png)",
        report.table(header, [summary(label, mean) for label, mean in means.items()]),
        "## Two questions",
        *responding.answers(means),
        "![F and its deviation, blocks left out, last layers](responses_questions.png)",
    ]
    for label, mean in means.items():
        if mean["end"]["blocks"]:
            parts += [f"### {label}: F and x", block_table(mean, report)]
    return parts


def summary(label, mean):
    """The table's row of one network."""
    start, end = mean["start"], mean["end"]
    stds = [row["std"] for row in end["layers"]]
    ratios = [responding.median_ratio(x) for x in (start, end)] if end["blocks"] else []
    numbers = [responding.mean_std(start), statistics.mean(stds), max(stds), stds[-1]]
    shown = [f"{x:.2f}" for x in ratios] or ["–", "–"]
    return [label, *(f"{x:.2f}" for x in numbers), *shown, f"{100 * mean['error']:.1f}"]


def block_table(mean, report):
    """First, middle and last block of each stage, trained: their F against their x."""
    stages = {}
    for row in mean["end"]["blocks"]:
        stages.setdefault(row["block"].split("_")[0], []).append(row)
    rows = []
    for stage in stages.values():
        for number in dict.fromkeys((0, len(stage) // 2, len(stage) - 1)):
            block = stage[number]
            layer = responding.block_layer(mean["end"], block["block"])
            numbers = (layer["std"], layer["mean"], block["rms"], block["rms_x"], block["ratio"])
            cost = 100 * (block["error_without"] - mean["error"])
            rows.append([block["block"], *(f"{x:.2f}" for x in numbers), f"{cost:+.1f}"])
    header = [
        "block",
        "std of its last 3x3",
        "mean of it",
        "F",
        "x",
        "F / x",
        "error without, points",
    ]
    return report.table(header, rows)


HEAD = """\
# Layer responses (Fig. 7)

The paper: the responses of residual nets are generally smaller than those of plain nets, and those
of deeper residual nets smaller still: F is generally closer to zero, so a single layer changes the
signal less. It draws Fig. 7, of trained nets alone, and prints no numbers."""


if __name__ == "__main__":
    program.run(main, __doc__)
