"""python -m trainers.studies.convergence: a residual net that is not deep learns faster (Sec. 4.1).

A plain net and its residual twin, shallow enough that both are trained well: who has the lower
training error while the rate is at its highest, and whether they differ in the end (Fig. 4).
"""

import dataclasses
import math
import statistics

from trainers.studies import answers, jobs, options, scales
from zoo import program, specs

NETS = {"demo": ("plain8", "resnet8"), "paper": ("plain18", "resnet18")}
PAPER = {"plain18": 27.94, "resnet18": 27.88}  # Table 2, ten-crop top-1 error on ImageNet, percent
CHANCE = 1.96  # deviations: 95 % of differences by chance are within


@dataclasses.dataclass(frozen=True)
class Early:
    """{step: {net: training errors, one a seed}} while the rate is at its highest; images of all.

    The images of one seed, so far, each of which was seen by a net that had not learned it yet.
    """

    rounds: dict
    images: int

    def means(self, net):
        """Over the rounds, which are of equal length: one a seed."""
        return [statistics.mean(seed) for seed in zip(*(e[net] for e in self.rounds.values()))]


def main(arguments):
    asked = options.read(arguments)
    nets = asked.nets or NETS[asked.scale]
    if len(nets) != 2 or nets[0].replace("plain", "resnet") != nets[1] or nets[0] == nets[1]:
        program.usage_error("--nets: expected a plain net and its residual twin: plain18,resnet18")
    todo = {net: [jobs.Job(net, s, settings(net, asked)) for s in asked.seeds] for net in nets}
    results = jobs.train(todo, asked)
    with program.quiet_start():
        from zoo import archive

        found = answers.of_jobs(todo, asked)
    recipe = archive.load_manifest(asked.runs_dir / todo[nets[0]][0].name).recipe
    early = early_errors(results.histories, recipe)
    write(asked, results, early, answers.compare(*(found[net] for net in nets)))


def settings(net, asked):
    """A net's own recipe; on ImageNet with Table 2's option A."""
    imagenet = asked.scale == "paper" and scales.stem(net) == "imagenet"
    option_a = {"shortcut": "A"} if imagenet and not specs.find(net).plain else {}
    return jobs.settings(scales.base(net, asked), asked, **option_a)


def write(asked, results, early, gain):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report

    plain, residual = results.histories
    said = finding(early, (plain, residual), gain)
    with plots.figure(asked.output_dir / "convergence.png", (5, 3.8)) as drawing:
        figures.curves(drawing.subplots(), results.histories, f"{plain} and {residual}", 60)
    rows = [
        [f"{step:,}", *(report.percent(errors[net]) for net in (plain, residual))]
        for step, errors in early.rounds.items()
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


def early_errors(histories, recipe):
    """The rounds that end before the recipe's first drop, one at least: -> Early."""
    first = next(iter(histories.values()))[0]
    end = min(recipe["drops"], default=1) * recipe["steps"]
    count = max(1, sum(record["step"] <= end for record in first))
    rounds = {
        first[i]["step"]: {net: [h[i]["error"] for h in each] for net, each in histories.items()}
        for i in range(count)
    }
    return Early(rounds, max(rounds) * recipe["batch_size"])


def finding(early, nets, gain):
    """Whether in every seed the residual net is ahead early by more than chance; how both end.

    The chance is that of two binomials, as if the nets had seen different images: they see the
    same, so it is on the safe side.
    """
    plain, residual = nets
    pairs = list(zip(*map(early.means, nets)))
    leads = [p - r for p, r in pairs]
    noise = [CHANCE * math.sqrt((p * (1 - p) + r * (1 - r)) / early.images) for p, r in pairs]
    ahead = all(lead > least for lead, least in zip(leads, noise))
    told = ", ".join(f"{100 * lead:+.2f}" for lead in leads)
    end = f"{plain} less {residual} {gain}"
    alike = f"they are comparably accurate, a difference does not show, {end}"
    if gain.shows:
        alike = f"{residual if gain.mean > 0 else plain} is better, {end}"
    shows = "shows" if ahead else "does not show"
    return (
        f"That the residual net learns faster {shows}: in the first {max(early.rounds):,} steps, "
        f"at the highest rate, its training error is lower by {told} points, seed by seed, where "
        f"chance alone makes {100 * max(noise):.2f}. In the end {alike}."
    )


if __name__ == "__main__":
    program.run(main, __doc__)
