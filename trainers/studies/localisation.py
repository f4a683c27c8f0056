"""python -m trainers.studies.localisation: an RPN that knows classes, R-CNN on it (App. C).

Boxes of each class against one box for all classes, each alone and with R-CNN on its proposals, and
against a box that looks at nothing, on scenes of one digit; at the paper's scale on ImageNet, from
a trained classifier.
"""

from absl import flags

from trainers.studies import jobs, localising, options
from zoo import program

_INIT_FROM = flags.DEFINE_string("init_from", None, "a classifier's run to start from: for paper")

NETS = {"demo": "resnet8", "paper": "resnet101"}
CAVEAT = {
    "demo": "Demo scale: scenes of one handwritten digit, 24 to 72 px tall, on scikit-learn's two "
    "photographs of which 96 px are seen at 48; steps of 32 scenes, 8 anchors of each as in the "
    "paper, from random weights and not from a trained classifier, 300 of them unless the command "
    "says otherwise. So few are no training's end, and of ten classes each one's boxes learn from "
    "a tenth of the scenes, that for all from every one. 300 scenes judge, the same for every "
    "seed, whole, at an IoU of 0.5. Top-1 and top-5 take the classes that the localiser's own "
    "scores guess; one box for all classes alone guesses none. R-CNN learns from 40 proposals a "
    "scene, cut out of its 96 px and warped to 32, in 400 steps of 128 regions; it rescores the "
    "classes that are guessed, or of one box for all classes every class. The paper's figures are "
    "of ResNet-101 on ImageNet; they stand here to be read beside ours, not to be met.",
    "paper": "Full scale: ImageNet by App. C, classes by the localiser's own scores.",
}


def main(arguments):
    asked = options.read(arguments)
    if len(asked.nets or ("",)) != 1:
        program.usage_error(f"expected one net: --nets; got {len(asked.nets)}")
    if {bool(_INIT_FROM.value), bool(asked.data_dir)} != {asked.scale == "paper"}:
        program.usage_error(
            "--scale=paper takes --init_from and --data_dir, both; the demo neither"
        )
    net = asked.nets[0] if asked.nets else NETS[asked.scale]
    start = {"init_from": _INIT_FROM.value} if _INIT_FROM.value else {}
    measured, seconds = {row.label: {} for row in localising.ROWS}, {}
    for seed in asked.seeds:  # one after the other: where it is stopped, whole seeds are there
        for row in localising.ROWS:
            if row.by_class is None:
                found = middle(asked, seed)
            else:
                one = localising.job(net, row, seed, asked, start)
                run_dir = jobs.finish(one, asked)
                seconds[one.name] = jobs.seconds_of(run_dir)
                found = localising.figures(run_dir, row)
            for name, value in found.items():
                measured[row.label].setdefault(name, []).append(value)
    write(asked, measured, {"seeds": list(asked.seeds), "runs": seconds})


def middle(asked, seed):
    """What a box is worth that looks at nothing, on a seed's training pictures."""
    with program.quiet_start():
        from trainers.data import boxes, sources

    data = (localising.DEMO if asked.scale == "demo" else localising.PAPER)["data"]
    found = [boxes.load(data, s, data_dir=asked.data_dir, seed=seed) for s in sources.SPLITS]
    return localising.of_middle(*found)


def write(asked, measured, origin):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import report

    found = localising.finding(measured)
    with plots.figure(asked.output_dir / "localisation.png", (7.2, 3.6)) as drawing:
        localising.draw(drawing, measured)
    sections = [
        "# Boxes by class, or one for all classes, and R-CNN on them (App. C, Table 13)",
        found,
        "The paper: VGG's localiser is wrong on 33.1 % of ImageNet's validation pictures when "
        "their classes are told, an RPN by class on ResNet-101 on 13.3 %. With a classifier's five "
        "guesses and whole pictures it is wrong on 14.4 %, with R-CNN on its proposals on 10.6 %.",
        "![Error with the class told, a dot a seed](localisation.png)",
        localising.table(measured),
        CAVEAT[asked.scale],
        report.origin(origin["runs"], origin["seeds"]),
    ]
    paper = {row.label: [row.paper, row.paper_top5] for row in localising.ROWS}
    numbers = {"finding": found, "measured": measured, "paper_percent": paper, "origin": origin}
    report.write(asked.output_dir, "localisation", sections, numbers)


if __name__ == "__main__":
    program.run(main, __doc__)
