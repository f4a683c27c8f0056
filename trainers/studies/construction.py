"""python -m trainers.studies.construction: the solution exists; when does the solver find it?

Sec. 1's argument: a trained plain net, made deeper by identity layers, has the error it had. The
same deeper net is trained from scratch for 1, 2, 4 and 8 times the shallower net's steps, and from
that construction. --nets=SHALLOW,DEEP.
"""

import statistics

from trainers.studies import budgets, jobs, options
from trainers.studies.degrading import LEARNED
from zoo import program, specs

NETS = {"demo": ("plain20", "plain44"), "paper": ("plain20", "plain56")}
BUDGETS = (1, 2, 4, 8)
# A budget of 1, as a share of the scale's steps; a demo's 2 and 8 are the degradation study's runs.
UNIT = {"demo": 0.5, "paper": 1}
OF_SHALLOW = {"demo": (1, 2, 8), "paper": (1,)}
OF_TWIN = {"demo": 2, "paper": 1}


def main(arguments):
    asked = options.read(arguments)
    if asked.nets and not (len(asked.nets) == 2 and specs.deepens(*asked.nets)):
        program.usage_error("--nets: expected two, a shallow one and a deeper one of the same kind")
    study(asked, *(asked.nets or NETS[asked.scale]))


def study(asked, shallow, deep):
    scratch = from_scratch(shallow, deep, asked)
    jobs.train(scratch, asked)
    first = scratch[row(shallow, 1)]
    with program.quiet_start():
        from trainers.studies import constructing, states

    then = f"{deep}, constructed, then trained"
    todo = scratch | {then: [jobs.Job(deep, j.seed, j.settings, f"-from-{shallow}") for j in first]}
    constructed = []
    for source, target in zip(first, todo[then], strict=True):
        shallow_dir, run_dir = asked.runs_dir / source.name, asked.runs_dir / target.name
        constructing.begin(shallow_dir, run_dir, deep, asked.data_dir)
        deeper, manifest = constructing.deepened(shallow_dir, deep, asked.data_dir)
        constructed.append(states.errors(deeper, manifest, shallow_dir, asked.data_dir))
    results = jobs.train(todo, asked)
    measured = {label: [errors_of(job, asked) for job in each] for label, each in todo.items()}
    measured = {f"{deep}, constructed": constructed, **measured}
    facts = states.facts(asked.runs_dir / first[0].name)
    write(asked, (shallow, deep), measured, results, facts)


def row(net, budget):
    """The label of a net that was trained from scratch."""
    return f"{net}, {budget}x" if budget > 1 else net


def from_scratch(shallow, deep, asked):
    """{row of the table: its runs}, one a seed."""
    twin = deep.replace("plain", "resnet")
    rows = [(shallow, budget) for budget in OF_SHALLOW[asked.scale]]
    rows += [(deep, budget) for budget in BUDGETS]
    rows += [(twin, OF_TWIN[asked.scale])] if twin != deep else []
    unit = UNIT[asked.scale]
    return {
        row(net, budget): [
            jobs.Job(net, s, budgets.settings(net, asked, budget * unit))
            for s in budgets.seeds(asked, budget * unit)
        ]
        for net, budget in rows
    }


def errors_of(job, asked):
    from trainers.studies import states
    from zoo import archive

    run_dir = asked.runs_dir / job.name
    model, manifest = archive.load(run_dir)
    return states.errors(model, manifest, run_dir, asked.data_dir)


def write(asked, nets, measured, results, facts):
    from trainers.judging import plots
    from trainers.studies import figures, report

    steps = {label: each[0][-1]["step"] for label, each in results.histories.items()}
    with plots.figure(asked.output_dir / "construction.png", (10, 4.2)) as drawing:
        panels = drawing.subplots(1, 2, sharey=True)
        for axes, split in zip(panels, ("train", "validation")):
            draw(axes, nets, measured, steps, split)
            figures.chance(axes, facts["classes"])
        panels[0].legend(frameon=False, fontsize=7)
        figures.headed(drawing, facts, "; a point a seed")
    table = [
        [label, f"{steps[label]:,}" if label in steps else "0", *errors(report, each)]
        for label, each in measured.items()
    ]
    said = finding(measured, *nets, facts["classes"])
    sections = [
        HEAD,
        f"What we measured. {said}",
        "![error against steps, from scratch and from the construction](construction.png)",
        report.table(["network", "steps", "training error %", "validation error %"], table),
        NOTES,
        budgets.caveat(asked, nets),
        report.origin(**results.origin),
    ]
    numbers = report.numbers(results, None, said) | {"whole_images": measured, "images": facts}
    report.write(asked.output_dir, "construction", sections, numbers)


def errors(report, each):
    return [report.percent([one[split] for one in each]) for split in ("train", "validation")]


def draw(axes, nets, measured, steps, split):
    """Error of whole images against steps: lines are means over seeds, each seed a point."""
    from trainers.studies import figures

    shallow, deep = nets
    constructed, then = f"{deep}, constructed", f"{deep}, constructed, then trained"
    value = {label: [100 * one[split] for one in each] for label, each in measured.items()}
    for net, colour in ((shallow, figures.COLOURS[2]), (deep, figures.COLOURS[3])):
        places = {steps[x]: value[x] for x in (row(net, b) for b in BUDGETS) if x in steps}
        axes.plot(
            *zip(*((x, statistics.mean(y)) for x, y in places.items())),
            "-",
            color=colour,
            label=f"{net} from scratch",
        )
        for place, values in places.items():
            figures.points(axes, place, values, colour)
    level = statistics.mean(value[constructed])
    axes.axhline(level, linestyle="--", color="black", linewidth=1, label=constructed)
    figures.points(axes, steps[shallow], value[constructed], "black", hollow=True, marker="s")
    twice = steps[shallow] + steps[then]
    figures.points(axes, twice, value[then], figures.COLOURS[1], marker="D")
    axes.plot([], [], "D", color=figures.COLOURS[1], label=f"{then} (steps of both)")
    title = {"train": "training images", "validation": "held-out images"}[split]
    axes.set(title=title, xlabel="steps", xscale="log", ylabel="error (%)", ylim=(0, 100))
    axes.set_xticks(sorted(set(steps.values())), sorted(set(steps.values())), minor=False)
    axes.minorticks_off()


def finding(measured, shallow, deep, classes):
    """What the runs show, worked out and not foreseen; the verdict comes first."""
    built = [one["train"] for one in measured[f"{deep}, constructed"]]
    scratch = {b: [one["train"] for one in measured[row(deep, b)]] for b in BUDGETS}
    learned = [b for b in BUDGETS if max(scratch[b]) <= LEARNED * (1 - 1 / classes)]
    pairs = {b: list(zip(scratch[b], built)) for b in learned}  # long runs are of fewer seeds
    missed = [b for b in learned if all(ours > theirs for ours, theirs in pairs[b])]
    found = [b for b in learned if all(ours <= theirs for ours, theirs in pairs[b])]
    exact = "exactly" if measured[shallow] == measured[f"{deep}, constructed"] else "not exactly"
    first = (
        f"The solution exists: {deep} made of {shallow} and identity layers has {exact} its errors"
    )
    if not missed:
        first += "; that the solver does not find it does not show"
    else:
        first += (
            f"; and the solver does not find it in {times(missed[0])} steps, after which {deep} "
            "trained from scratch has a higher training error in every seed"
        )
    means = ", ".join(f"{b}x {statistics.mean(errors):.1%}" for b, errors in scratch.items())
    sentences = [
        f"{first}.",
        f"Training error of the construction {statistics.mean(built):.1%}; of {deep} from scratch "
        f"by steps: {means}.",
        f"With {times(found[0])} steps the solver finds one as good, {each_of(scratch[found[0]])}."
        if found
        else f"With up to {times(BUDGETS[-1])} steps the solver finds none as good in every seed "
        f"(the last budget {each_of(scratch[BUDGETS[-1]])}).",
    ]
    hardly = ", ".join(f"{b}x" for b in BUDGETS if b not in learned)
    if hardly:
        sentences.append(
            f"At {hardly} {deep} has hardly learned in some seed: that is no evidence."
        )
    return " ".join(sentences)


def times(budget):
    return "the same number of" if budget == 1 else f"{budget} times the"


def each_of(errors):
    return "in the one seed tried" if len(errors) == 1 else f"in each of {len(errors)} seeds"


HEAD = """\
# The construction (Sec. 1)

The paper: a deeper net has a solution by construction, the shallower net and identity layers, so
its training error should be no higher; yet solvers do not find one as good "in feasible time"."""

NOTES = """\
1x are the steps that the shallower net and so the construction were trained for; each budget has
its own schedule, to the end. Errors are of whole images without augmentation, of up to 5,000 of
each split, the same for every net. What was trained on from the construction has had 2x in all."""


if __name__ == "__main__":
    program.run(main, __doc__)
