"""python -m trainers.studies.table1: layers, parameters, multiply-adds, counted on built graphs.

Table 1 and the parameters of Table 6 beside the paper's, and what training each would take.
Nothing is trained, so both scales are one.
"""

from trainers.studies import options
from trainers.studies.costs import GPU_FLOPS, TRAINED, with_cost
from zoo import program


def main(arguments):
    asked = options.read(arguments)
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import report
        from zoo import catalogue, specs

    nets = asked.nets or specs.names()
    counted = [with_cost(catalogue.row(specs.find(net))) for net in nets]
    draw(plots, asked.output_dir / "table1.png", counted)
    rows = [
        [
            item["name"],
            item["layers"],
            f"{item['parameters']:,}",
            item["paper_parameters_1e6"] and f"{item['paper_parameters_1e6']}M",
            f"{item['multiply_adds'] / 1e9:.4g}e9",
            item["paper_multiply_adds_1e9"] and f"{item['paper_multiply_adds_1e9']}e9",
            f"{item['training_flops']:.2g}",
            f"{item['gpu_hours']:.1f}",
        ]
        for item in counted
    ]
    header = ["network", "layers", "parameters, ours", "paper", "multiply-adds, ours", "paper"]
    sections = [
        "# The networks, counted (Table 1, Table 6)",
        "Read off the built graphs: trainable parameters; multiply-adds of convolutions and fc "
        "layer for one image of the paper's size. The paper prints multiply-adds for Table 1, "
        "parameters for Table 6.",
        "![multiply-adds and parameters, ours and the paper's](table1.png)",
        report.table([*header, "FLOPs to train", "GPU-hours, estimated"], rows),
        "FLOPs to train: 2 for a multiply-add, 3 for forward and both backward products, times the "
        f"images of the paper's schedule ({TRAINED['imagenet']:,} and {TRAINED['cifar']:,}). "
        f"GPU-hours are that at {GPU_FLOPS['imagenet'] / 1e12:.0f} TFLOP/s for ImageNet's nets, "
        "which is NVIDIA's measurement of ResNet-50 v1.5 on one A100 (TF32, XLA: 909 images/s), "
        f"and at {GPU_FLOPS['cifar'] / 1e12:.0f} for CIFAR's, which is an assumption.",
        report.origin(),
    ]
    numbers = {"networks": counted, "finding": finding(counted)}
    report.write(asked.output_dir, "table1", sections, numbers)


def finding(counted):
    """How far the counts are from the paper's."""
    ratios = {
        item["name"]: item[ours] / (item[paper] * unit) - 1
        for item in counted
        for ours, paper, unit in (
            ("multiply_adds", "paper_multiply_adds_1e9", 1e9),
            ("parameters", "paper_parameters_1e6", 1e6),
        )
        if item[paper]
    }
    name, largest = max(ratios.items(), key=lambda pair: abs(pair[1]))
    return (
        f"{len(ratios)} counts of the built graphs beside what the paper prints with two or three "
        f"digits: the largest difference is {largest:+.1%} ({name})."
    )


def draw(plots, path, counted):
    panels = (("multiply_adds", 1e9, "multiply-adds, 1e9"), ("parameters", 1e6, "parameters, 1e6"))
    with plots.figure(path, (9, 3.6)) as drawing:
        for axes, (key, unit, label) in zip(drawing.subplots(1, 2), panels):
            printed = f"paper_{key}_1e{9 if key == 'multiply_adds' else 6}"
            shown = [item for item in counted if item[printed]]
            x = range(len(shown))
            axes.bar(x, [item[key] / unit for item in shown], color=plots.BLUE, label="ours")
            paper = [item[printed] for item in shown]
            axes.plot(
                x, paper, "_", color=plots.RED, markersize=14, markeredgewidth=2, label="paper"
            )
            axes.set_xticks(x, [item["name"] for item in shown], rotation=90, fontsize=7)
            axes.set(ylabel=label, yscale="log")
            axes.legend(frameon=False)


if __name__ == "__main__":
    program.run(main, __doc__)
