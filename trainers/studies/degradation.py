"""python -m trainers.studies.degradation: deeper plain nets train worse, residual ones do not.

Fig. 1, 4 and 6, Table 2: plain nets and their residual twins of the same depths, the same steps;
the shallowest and the deepest plain net again for longer (Sec. 4.1, footnote 3); and how long the
gradients are that reach each layer (Sec. 4.1).
"""

from trainers.studies import budgets, degrading, jobs, options, scales
from trainers.studies.degrading import WHEN, ends, finding, first_to_last, learned, lengths_of
from zoo import limits, program, specs

_LONGER = limits.DEFINE_integer(
    "longer", None, "ends of the plain nets again, for so many times the steps; 0: not again"
)

NETS = {
    "demo": ["plain20", "plain32", "plain44", "resnet20", "resnet44"],
    "paper": [
        *(f"{kind}{depth}" for kind in ("plain", "resnet") for depth in (20, 32, 44, 56)),
        *("resnet110", "plain18", "plain34", "resnet18", "resnet34"),
    ],
}
LONGER = {"demo": 4, "paper": 3}  # times the steps; 3 is footnote 3's
# Test error in percent: Table 6 (CIFAR-10) and Table 2 (ImageNet, ten-crop, option A). Fig. 6 draws
# the plain CIFAR nets without printing their numbers.
PAPER = {
    "resnet20": 8.75, "resnet32": 7.51, "resnet44": 7.17, "resnet56": 6.97, "resnet110": 6.43,
    "plain18": 27.94, "plain34": 28.54, "resnet18": 27.88, "resnet34": 25.03,
}  # fmt: skip
HEADER = [
    *("network", "training error %, ours", "validation error %, ours"),
    *("gradient, first layer : last, untrained", "the same, trained", "paper, test %"),
]


def main(arguments):
    asked = options.read(arguments)
    study(asked, LONGER[asked.scale] if _LONGER.value is None else _LONGER.value)


def study(asked, longer):
    families = scales.families(asked.nets or NETS[asked.scale])
    todo = {stem: runs(nets, asked, longer) for stem, nets in families.items()}
    trained = jobs.train(
        {label: job for part in todo.values() for label, job in part.items()}, asked
    )
    with program.quiet_start():
        from trainers.studies import report

    measured = {stem: measure(todo[stem], nets, asked) for stem, nets in families.items()}
    sections, numbers = [HEAD], {"finding": "", "families": {}, "origin": trained.origin}
    for stem, (results, norms, facts) in measured.items():
        picture = "degradation" if len(sections) == 1 else f"degradation_{stem}"
        draw(asked.output_dir / f"{picture}.png", results, norms, facts)
        said = finding(results, norms, facts["classes"])
        sections.append(f"What we measured. {said}")
        sections.append(f"![errors against steps and depth, gradients by layer]({picture}.png)")
        sections.append(report.table(HEADER, rows(results, norms, facts["classes"], report)))
        numbers["finding"] = f"{numbers['finding']} {said}".strip()
        found = report.numbers(results, PAPER, said) | {"gradients": norms, "images": facts}
        numbers["families"][stem] = found
    sections += [
        NOTES,
        budgets.caveat(asked, list(trained.histories)),
        report.origin(**trained.origin),
    ]
    report.write(asked.output_dir, "degradation", sections, numbers)


def runs(nets, asked, longer):
    """{label: [Job]} of one family: every net, then the shallowest and deepest plain for longer."""
    todo = {net: [jobs.Job(net, s, settings(net, asked)) for s in asked.seeds] for net in nets}
    for net in ends(nets, "plain") if longer else ():
        chosen, seeds = settings(net, asked, longer), budgets.seeds(asked, longer)
        todo[f"{net}, {longer} times the steps"] = [jobs.Job(net, s, chosen) for s in seeds]
    return todo


def settings(net, asked, budget=1):
    """A network's recipe: at the paper's scale ImageNet's residual nets are Table 2's."""
    imagenet = asked.scale == "paper" and scales.stem(net) == "imagenet"
    option_a = {"shortcut": "A"} if imagenet and not specs.find(net).plain else {}
    return budgets.settings(net, asked, budget, **option_a)


def measure(todo, nets, asked):
    """-> (a family's Results, {net: [gradient norms at "start" and "end"]}, its images' facts)."""
    from trainers.studies import states

    norms = {
        net: [states.gradient_norms(asked.runs_dir / job.name, asked.data_dir) for job in todo[net]]
        for net in nets
    }
    return jobs.train(todo, asked), norms, states.facts(asked.runs_dir / todo[nets[0]][0].name)


def draw(path, results, norms, facts):
    """Above the curves, plain, residual and for longer; below errors by depth and gradients."""
    from trainers.judging import plots
    from trainers.studies import figures

    depths = sorted({specs.find(net).layers for net in norms})
    shades = dict(zip(depths, figures.colours(len(depths))))
    shade = {
        label: shades[specs.find(label.partition(",")[0]).layers] for label in results.histories
    }
    plain = {net: results.histories[net] for net in norms if net.startswith("plain")}
    residual = {net: results.histories[net] for net in norms if net not in plain}
    longer = {label: each for label, each in results.histories.items() if label not in norms}
    with plots.figure(path, (12, 7.5)) as drawing:
        panels = drawing.subplots(2, 3)
        titles = ("plain nets", "residual nets", "plain nets for longer")
        for axes, group, title in zip(panels[0], (plain, residual, longer), titles):
            if not group:
                axes.set_axis_off()
                continue
            figures.chance(axes, facts["classes"])
            figures.curves(axes, group, title, colour_of=shade)
        figures.by_depth(panels[1, 0], results, facts["classes"])
        for axes, when, title in zip(panels[1, 1:], WHEN, ("untrained", "trained")):
            lengths = {net: [lengths_of(one[when]) for one in each] for net, each in norms.items()}
            figures.layer_norms(axes, lengths, f"gradients, {title}", shade)
        low, high = zip(*(axes.get_ylim() for axes in panels[1, 1:]))
        for axes in panels[1, 1:]:
            axes.set_ylim(min(low), max(high))
        panels[1, 1].legend(frameon=False, fontsize=7)
        figures.headed(drawing, facts, "; a point a seed")


def rows(results, norms, classes, report):
    """The table's rows; a net that has hardly learned is named so."""
    found = []
    for label in results.histories:
        name = label if learned(results, label, classes) else f"{label} (hardly learned)"
        ratios = (
            [degrading.times(first_to_last(norms, label, when)) for when in WHEN]
            if label in norms
            else ["–", "–"]
        )
        errors = map(report.percent, (results.training(label), results.validation(label)))
        found.append([name, *errors, *ratios, report.paper(PAPER.get(label))])
    return found


HEAD = """\
# Degradation, and its cure (Fig. 1, 4, 6; Table 2)

The paper: with depth, the *training* error of plain nets rises, so it is not overfitting; that of
residual nets of the same depth, width and parameters does not. It is so after three times the
iterations too, and the gradients of plain nets with batch normalisation have healthy norms."""

NOTES = """\
Training errors are of the last round's images as they were trained on, augmented; dashed in the
picture, and hollow points. Where training is shorter than an epoch, no image has been seen twice,
so no error can be a matter of overfitting. A gradient is that of the mean loss with respect to a
layer's kernel, without decay, over eight batches; "untrained" is the net that the seed begins
with."""


if __name__ == "__main__":
    program.run(main, __doc__)
