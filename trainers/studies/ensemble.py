"""python -m trainers.studies.ensemble: several networks together (Table 5), at several scales.

Each alone, then the mean of the softmax of the first two, the first three and so on, in the order
given, on the validation images. --run_dir=DIR, given several times, takes networks of yours.
"""

import statistics

from trainers.studies import networks, options
from zoo import program

VIEWS = "multi_scale"
# Table 5, top-5 error in percent on ImageNet's test images.
PAPER = {"all together": 3.57}
CLOSED = (
    "The paper: an ensemble of six networks of different depth has 3.57 % top-5 error on "
    "ImageNet's *test* images (Table 5). Their labels were never published: the evaluation server "
    "alone can tell. Ours are on validation images, on which the paper prints no ensemble, and "
    "its best single network has 4.49 % (Table 4)."
)


def main(arguments):
    asked = options.read(arguments)
    trained, origin = networks.found(asked)
    if len(trained) < 2:
        program.usage_error(f"expected two networks or more, got {len(trained)}")
    with program.quiet_start():
        from trainers.judging import scores as judging
        from trainers.studies import answers, report
    limit = networks.limit(asked)
    alone = {
        label: [answers.of_run(run_dir, VIEWS, limit) for run_dir in each.run_dirs]
        for label, each in trained.items()
    }
    for each in alone.values():
        answers.compare(each, each)  # refuses what was judged on different images
    together = {
        f"first {count} together": [
            judging.ensemble(members) for members in zip(*list(alone.values())[:count])
        ]
        for count in range(2, len(alone) + 1)
    }
    measured = {
        label: [answers.errors(one) for one in seeds]
        for label, seeds in {**alone, **together}.items()
    }
    best = min(alone, key=lambda label: mean(measured[label]))
    gain = answers.compare(alone[best], list(together.values())[-1])
    said = finding(best, len(alone), gain)
    draw(asked.output_dir / "ensemble.png", measured, len(alone))
    rows = [
        [label, *(report.percent([one[n] for one in each]) for n in ("error", "error_top5"))]
        for label, each in measured.items()
    ]
    sections = [
        "# Networks together (Table 5)",
        said,
        CLOSED,
        "![error of each network alone and of several together](ensemble.png)",
        report.table(["networks", "top-1 error %", "top-5 error %"], rows),
        networks.images_sentence(len(next(iter(alone.values()))[0].labels)),
        networks.caveat(asked, trained),
        report.origin(**origin),
    ]
    numbers = {"finding": said, "measured": measured, "paper_percent": PAPER, "origin": origin}
    numbers["pairs"] = answers.as_numbers({(best, "all together"): gain})
    report.write(asked.output_dir, "ensemble", sections, numbers)


def mean(seeds):
    return statistics.mean(one["error"] for one in seeds)


def finding(best, count, gain):
    """Whether all together are better than the best one: a paired.Difference, in a sentence."""
    verdict = "are not shown to differ in error from"
    if gain.shows:
        verdict = "have a lower error than" if gain.mean > 0 else "have a higher error than"
    return (
        f"The {count} networks together {verdict} the best of them, {best}, on the same images: "
        f"{-gain}."
    )


def draw(path, measured, count):
    from trainers.judging import plots

    with plots.figure(path, (1.8 + 0.9 * len(measured), 3.4)) as drawing:
        axes = drawing.subplots()
        for place, seeds in enumerate(measured.values()):
            colour = plots.BLUE if place < count else plots.RED
            axes.bar(place, 100 * mean(seeds), 0.7, color=colour, alpha=0.6)
            dots = [100 * one["error"] for one in seeds]
            axes.plot([place] * len(dots), dots, ".", color="black", markersize=4)
        networks.below_bars(axes, measured)
        axes.set(ylabel="top-1 error (%), a dot a seed", ylim=(0, None))


if __name__ == "__main__":
    networks.define()
    program.run(main, __doc__)
