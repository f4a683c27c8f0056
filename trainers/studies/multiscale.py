"""python -m trainers.studies.multiscale: networks at one scale and at several (Tables 3 and 4).

The single view, ten crops, and fully convolutional at five sizes, on the validation images.
--run_dir=DIR, given several times, judges trained networks of yours in place of the study's.
"""

import statistics

from trainers.studies import networks, options
from zoo import program

VIEWS = {"center": "one view", "ten_crop": "ten crops", "multi_scale": "five scales"}
# Top-1, top-5 error in percent on ImageNet's validation images: Table 3 (ten crops) and Table 4.
PAPER = {
    "ten_crop": {
        "plain34": (28.54, 10.02), "resnet34 A": (25.03, 7.76), "resnet34 B": (24.52, 7.46),
        "resnet34 C": (24.19, 7.40), "resnet50 B": (22.85, 6.71), "resnet101 B": (21.75, 6.05),
        "resnet152 B": (21.43, 5.71),
    },
    "multi_scale": {
        "resnet34 B": (21.84, 5.71), "resnet34 C": (21.53, 5.60), "resnet50 B": (20.74, 5.25),
        "resnet101 B": (19.87, 4.60), "resnet152 B": (19.38, 4.49),
    },
}  # fmt: skip


def main(arguments):
    asked = options.read(arguments)
    trained, origin = networks.found(asked)
    measured, gains, images = {}, {}, 0
    for label, each in trained.items():
        measured[label], gains[label], images = judge(each.run_dirs, networks.limit(asked))
    with program.quiet_start():
        from trainers.studies import answers, report
    said = finding(gains, networks.after(asked))
    draw(asked.output_dir / "multiscale.png", measured)
    rows = [
        row
        for label, each in measured.items()
        for row in table_rows(label, trained[label].paper_label, each, report)
    ]
    ours = ["network", "looked at by", "top-1 %, ours", "top-5 %, ours"]
    sections = [
        "# Networks at several scales (Table 4)",
        said,
        "The paper: single networks, fully convolutional, scores averaged over images whose "
        "shorter side is 224, 256, 384, 480 or 640, have 19.38 % top-1 error with 152 layers on "
        "ImageNet's validation images, where ten crops have 21.43 % (Table 3).",
        "![error of each network by each way of looking](multiscale.png)",
        report.table([*ours, "paper, top-1 %", "top-5 %"], rows),
        networks.images_sentence(images),
        networks.caveat(asked, trained),
        report.origin(**origin),
    ]
    numbers = {"finding": said, "measured": measured, "paper_percent": PAPER, "origin": origin}
    shown = {(label, f"{label}, five scales"): gain for label, gain in gains.items()}
    numbers["pairs"] = answers.as_numbers(shown)
    report.write(asked.output_dir, "multiscale", sections, numbers)


def judge(run_dirs, limit):
    """One network's errors by VIEWS, its paired gain at five scales, how many images these are."""
    with program.quiet_start():
        from trainers.studies import answers
    scores = {v: [answers.of_run(run_dir, v, limit) for run_dir in run_dirs] for v in VIEWS}
    errors = {v: [answers.errors(one) for one in seeds] for v, seeds in scores.items()}
    gain = answers.compare(scores["center"], scores["multi_scale"])
    return errors, gain, len(scores["center"][0].labels)


def table_rows(label, paper_label, measured, report):
    """Three rows of a network, one a way of looking."""
    rows = []
    for views, title in VIEWS.items():
        figures = PAPER.get(views, {}).get(paper_label, (None, None))
        ours = [
            report.percent([one[name] for one in measured[views]])
            for name in ("error", "error_top5")
        ]
        rows.append([label, title, *ours, *map(report.paper, figures)])
    return rows


def finding(gains, after):
    """Whether five scales are better, and what each network gains: {label: paired.Difference}.

    `after` says of which training, " after 300 steps", or nothing.
    """

    def verdict(gain):
        if not gain.shows:
            return "a change does not show"
        return f"the error is {'lower' if gain.mean > 0 else 'higher'}"

    better = [label for label, gain in gains.items() if gain.shows and gain.mean > 0]
    found = [f"{label}: {verdict(gain)}, {-gain}" for label, gain in gains.items()]
    shows = f"shows with {' and '.join(better)}" if better else "does not show with any network"
    return (
        f"That five scales are better than one view {shows}{after}. "
        f"On the same images, {'; '.join(found)}."
    )


def draw(path, measured):
    from trainers.judging import plots

    with plots.figure(path, (1.8 + 1.4 * len(measured), 3.6)) as drawing:
        axes = drawing.subplots()
        for number, (views, title) in enumerate(VIEWS.items()):
            colour = (plots.GREY, plots.BLUE, plots.RED)[number]
            seeds = [[100 * one["error"] for one in each[views]] for each in measured.values()]
            places = [place + 0.26 * (number - 1) for place in range(len(seeds))]
            heights = list(map(statistics.mean, seeds))
            axes.bar(places, heights, 0.24, color=colour, alpha=0.6, label=title)
            for place, values in zip(places, seeds):
                axes.plot([place] * len(values), values, ".", color="black", markersize=4)
        networks.below_bars(axes, measured)
        axes.set(ylabel="top-1 error (%), a dot a seed", ylim=(0, None))
        axes.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    networks.define()
    program.run(main, __doc__)
