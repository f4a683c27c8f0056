"""python -m trainers.studies.responses: how strongly each layer responds (Fig. 7).

The deviation of every 3x3 layer after batch normalisation and before ReLU or addition, in order and
ranked, and the size of F beside that of x in every residual block. --run_dir measures trained
networks of yours in place of the study's.
"""

import statistics

from absl import flags

from trainers.studies import jobs, options
from zoo import program, specs

_RUN_DIR = flags.DEFINE_multi_string("run_dir", None, "measure these runs, not the study's own")

NETS = {
    "demo": ["plain20", "plain56", "resnet20", "resnet56"],
    "paper": ["plain20", "plain56", "resnet20", "resnet56", "resnet110"],
}
BATCHES = 20  # for the statistics: 1,280 images, 82,000 values a channel where maps are 8 x 8
IMAGES = 512  # of the validation images: two million values and more in the smallest layer


def main(arguments):
    asked = options.read(arguments)
    todo, run_dirs, origin = {}, {}, {}
    for net in asked.nets or NETS[asked.scale]:
        todo[net] = [jobs.Job(net, seed, settings(net, asked)) for seed in asked.seeds]
    if _RUN_DIR.value:
        run_dirs = {run_dir: [run_dir] for run_dir in _RUN_DIR.value}
    else:
        origin = jobs.train(todo, asked).origin
        run_dirs = {net: [asked.runs_dir / j.name for j in each] for net, each in todo.items()}
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import figures, report
    measured = {
        label: [responses_of(run_dir, asked.data_dir) for run_dir in each]
        for label, each in run_dirs.items()
    }
    means = {label: mean_of(each) for label, each in measured.items()}
    with plots.figure(asked.output_dir / "responses.png", (9, 7)) as drawing:
        figures.responses(drawing, means)
    numbers = {"seeds": measured, "means": means, "origin": origin, "finding": finding(means)}
    report.write(asked.output_dir, "responses", sections(means, asked, origin, report), numbers)


def settings(net, asked):
    base = jobs.CIFAR if specs.find(net).layers < 110 else jobs.WARMUP
    return jobs.settings(jobs.DEMO if asked.scale == "demo" else base, asked)


def responses_of(run_dir, data_dir):
    """{"layers", "blocks"} of one trained network, over its validation images.

    Its statistics are recomputed first, as the authors' networks' were: moving averages lag, and in
    a net that has hardly trained they are off by more than the responses differ.
    """
    from trainers.data import pipelines
    from trainers.judging import statistics as precise
    from trainers.plan import images as run_images
    from trainers.watching import responses
    from zoo import archive

    model, manifest = archive.load(run_dir)
    train, held_out = (
        run_images.source_of(manifest, split, run_images.Images(data_dir=data_dir), run_dir)
        for split in ("train", "validation")
    )
    batches = precise.training_batches(model, manifest, train, 64, BATCHES)
    precise.recompute(model, (images for images, *_ in batches))
    batches = pipelines.evaluate(held_out, manifest.input, batch_size=64, limit=IMAGES)
    kept = (images[weights > 0] for images, _, weights, _ in batches)  # the last is filled up
    layers, blocks = responses.measure(model, kept)
    return {"layers": layers, "blocks": blocks}


def mean_of(seeds):
    """The mean over seeds of every number: a list of {"layers", "blocks"} -> one of them."""
    return {
        part: [
            {
                key: statistics.mean(row[key] for row in rows)
                if isinstance(value, float)
                else value
                for key, value in rows[0].items()
            }
            for rows in zip(*(each[part] for each in seeds), strict=True)
        ]
        for part in ("layers", "blocks")
    }


def sections(means, asked, origin, report):
    rows = [summary(label, mean) for label, mean in means.items()]
    header = ["network", "3x3 layers", "mean std", "largest", "last layer's", "median F / x"]
    parts = [
        "# Layer responses (Fig. 7)",
        "The paper: the responses of residual nets are generally smaller than those of plain nets, "
        "and those of deeper residual nets smaller still: F is generally closer to zero, so a "
        "single layer changes the signal less. It draws Fig. 7 and prints no numbers.",
        "![deviations in order, ranked, and F against x](responses.png)",
        report.table([*header, "largest miss of sqrt(mean γ² + var β)"], rows),
        f"What we measured. {finding(means)}",
        WHY,
    ]
    for label, mean in means.items():
        if mean["blocks"]:
            parts += [f"### {label}: F and x", block_table(mean, report)]
    return [*parts, jobs.CAVEAT[asked.scale], report.origin(**origin)]


def finding(means):
    """Whether the two claims show, of each pair of nets that they speak of."""
    sentences = []
    for label in means:
        twin = label.replace("resnet", "plain")
        if twin != label and twin in means:
            ours, plain = (of_layers(means[net], statistics.mean) for net in (label, twin))
            shows = "shows" if ours < 0.9 * plain else "does not show"
            sentences.append(
                f"{label} responds with {ours:.2f} on average, {twin} with {plain:.2f}: that the "
                f"residual net's responses are smaller {shows}."
            )
    residual = [label for label in means if means[label]["blocks"]]
    if len(residual) > 1:
        ratios = [f"{median_ratio(means[label]):.2f} in {label}" for label in residual]
        sentences.append(f"F / x, what a block changes, is {', '.join(ratios)} in the median.")
    return " ".join(sentences)


WHY = """\
## What a deviation near zero means, and why the last ones grow

Batch normalisation gives channel c the mean β and the deviation |γ|, whatever the convolution
before it does. So a layer's deviation is not something that activations happen to have: it is
sqrt(mean γ² + var β) over the channels, of two learned vectors. The table's last column says how
far that is from what we measured on held-out images, while the statistics are of augmented training
images: near, but for a net that hardly trained. γ starts at 1, so where few steps moved it little
the deviations are near 1 and tell little.

A deviation near zero means γ near zero and β the same everywhere; F is near zero only if its mean
is too. What decides is F / x, root mean squares over all images, positions and channels: how much a
block changes what passes it. It is below, with the mean of F.

Why the last ones grow is reasoning, with what can be seen of it in these tables. x is a sum, so it
grows from block to block within a stage, and a later block that is to matter must be larger; a new
stage starts with half of its channels zero (option A), which F has to fill, and F / x rises there.
And the last block's scale is taken back by nothing: behind every other block stand more normalised
layers, while its output goes through the pooling straight into the logits, where the loss asks for
ever larger margins."""


def of_layers(mean, function):
    return function([row["std"] for row in mean["layers"]])


def median_ratio(mean):
    return statistics.median(row["ratio"] for row in mean["blocks"])


def summary(label, mean):
    """The table's row of one network."""
    layers = mean["layers"]
    miss = max(abs(row["std"] / row["std_of_parameters"] - 1) for row in layers)
    stds = (of_layers(mean, statistics.mean), of_layers(mean, max), layers[-1]["std"])
    ratio = f"{median_ratio(mean):.2f}" if mean["blocks"] else "–"
    return [label, len(layers), *(f"{x:.2f}" for x in stds), ratio, f"{miss:.0%}"]


def block_table(mean, report):
    """First, middle and last block of each stage: their F against their x."""
    layers = {row["layer"]: row for row in mean["layers"]}
    stages = {}
    for row in mean["blocks"]:
        stages.setdefault(row["block"].split("_")[0], []).append(row)
    rows = []
    for stage in stages.values():
        for number in dict.fromkeys((0, len(stage) // 2, len(stage) - 1)):
            block = stage[number]
            own = [x for name, x in layers.items() if name.startswith(block["block"] + "_")]
            numbers = (own[-1]["std"], own[-1]["mean"], block["rms"], block["rms_x"])
            rows.append([block["block"], *(f"{x:.2f}" for x in (*numbers, block["ratio"]))])
    return report.table(["block", "std of its last 3x3", "mean of it", "F", "x", "F / x"], rows)


if __name__ == "__main__":
    program.run(main, __doc__)
