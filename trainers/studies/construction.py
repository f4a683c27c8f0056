"""python -m trainers.studies.construction: the solution exists, and the solver does not find it.

Sec. 1's argument: a trained plain net, made deeper by identity layers, has the error it had. The
same deeper net is trained from scratch, and from that construction. --nets=SHALLOW,DEEP.
"""

from trainers.studies import jobs, options
from zoo import program, specs

NETS = {"demo": ("plain20", "plain32"), "paper": ("plain20", "plain56")}
CIFAR_STEPS = 64_000  # Sec. 4.2


def main(arguments):
    asked = options.read(arguments)
    if asked.nets and not (len(asked.nets) == 2 and specs.deepens(*asked.nets)):
        program.usage_error("--nets: expected two, a shallow one and a deeper one of the same kind")
    shallow, deep = asked.nets or NETS[asked.scale]
    todo = labelled_jobs(shallow, deep, asked)
    shallow_jobs, constructed = todo[shallow], todo[f"{deep}, constructed, then trained"]
    jobs.train({shallow: shallow_jobs}, asked)
    with program.quiet_start():
        from trainers.studies import constructing

    untrained = []
    for source, target in zip(shallow_jobs, constructed, strict=True):
        shallow_dir, run_dir = asked.runs_dir / source.name, asked.runs_dir / target.name
        constructing.begin(shallow_dir, run_dir, deep, asked.data_dir)
        deeper, manifest = constructing.deepened(shallow_dir, deep, asked.data_dir)
        untrained.append(constructing.errors(deeper, manifest, asked.data_dir))
    results = jobs.train(todo, asked)
    measured = {label: [errors_of(job, asked) for job in each] for label, each in todo.items()}
    measured = {shallow: measured.pop(shallow), f"{deep}, constructed": untrained, **measured}
    write(asked, (shallow, deep), measured, results)


def labelled_jobs(shallow, deep, asked):
    """{row of the table: its runs}, one a seed."""
    base = jobs.settings(jobs.DEMO if asked.scale == "demo" else jobs.CIFAR, asked)
    steps = int(dict(base).get("steps", CIFAR_STEPS))
    twice = tuple((dict(base) | {"steps": str(2 * steps)}).items())
    twin = deep.replace("plain", "resnet")
    rows = {
        shallow: (shallow, base, ""),
        f"{deep}, constructed, then trained": (deep, base, f"-from-{shallow}"),
        f"{deep}, from scratch": (deep, base, ""),
        f"{deep}, from scratch, twice the steps": (deep, twice, ""),
        f"{twin}, from scratch": (twin, base, ""),
    }
    return {
        label: [jobs.Job(net, seed, settings, start) for seed in asked.seeds]
        for label, (net, settings, start) in rows.items()
    }


def errors_of(job, asked):
    from trainers.studies import constructing
    from zoo import archive

    model, manifest = archive.load(asked.runs_dir / job.name)
    return constructing.errors(model, manifest, asked.data_dir)


def write(asked, nets, measured, results):
    from trainers.judging import plots
    from trainers.studies import figures, report

    shallow, deep = nets
    with plots.figure(asked.output_dir / "construction.png", (6, 4)) as drawing:
        figures.curves(drawing.subplots(), results.histories, f"{shallow} and {deep}")
    rows = [
        [label, *(report.percent([e[split] for e in each]) for split in ("train", "validation"))]
        for label, each in measured.items()
    ]
    said = finding(measured, shallow, deep)
    sections = [
        "# The construction (Sec. 1)",
        "The paper: a deeper net has a solution by construction, the shallower net and identity "
        "layers, so its training error should be no higher; yet solvers do not find one as good.",
        "![training and validation error against steps](construction.png)",
        report.table(["network", "training error %", "validation error %"], rows),
        "Errors are of whole images, without augmentation, so the first two rows can be compared; "
        "the curves' training errors are of augmented images. The constructed net starts from the "
        "trained shallow one and is trained as long as that was, by the same schedule, so it has "
        "had twice the steps; so has the last but one row, from scratch.",
        f"What we measured. {said}",
        jobs.CAVEAT[asked.scale],
        report.origin(**results.origin),
    ]
    numbers = report.numbers(results, None, said) | {"whole_images": measured}
    report.write(asked.output_dir, "construction", sections, numbers)


def finding(measured, shallow, deep):
    """What the runs show, worked out and not foreseen."""

    def mean(label):
        values = [each["train"] for each in measured[label]]
        return sum(values) / len(values)

    same = measured[shallow] == measured[f"{deep}, constructed"]
    start, scratch = mean(f"{deep}, constructed"), mean(f"{deep}, from scratch, twice the steps")
    found = "did not find" if scratch > start else "found"
    return (
        f"The construction's errors are {'exactly the same' if same else 'not the same'} "
        f"as {shallow}'s. From scratch the solver {found} one as good in "
        f"twice the steps: {scratch:.1%} training error against {start:.1%}."
    )


if __name__ == "__main__":
    program.run(main, __doc__)
