"""The report's chapter on growth, in Markdown, of what `benchmarks.growth` found."""

TITLE = "How cost grows"
GOAL_SECONDS = 0.5  # for `--help`
# A training step makes three products of each layer's size: forward, and of its backward pass the
# gradients of the layer's input and of its weights.
PRODUCTS = {"train": 3, "serve": 1}


def page(result):
    """The chapter alone, its pictures' places seen from the folder above them."""
    return "\n".join([f"## {TITLE}", *lines(result)]) + "\n"


def lines(result):
    """What stands under the chapter's title: -> Markdown lines."""
    nets, failed = result["figures"]["networks"], result["failed"]
    parts = [
        *time_lines(result),
        *(memory_lines(result) if batches_rise(nets) else []),
        *building_lines(result),
        *start_lines(result),
    ]
    if result["left_out"]:
        listed = "; ".join(result["left_out"])
        parts += ["", f"Left out for their time (`--all` measures them too): {listed}."]
    missing = {what: why for group in failed.values() for what, why in group.items()}
    if missing:
        parts += ["", "Not measured:", "", *(f"- {what}: {why}" for what, why in missing.items())]
    return parts


def ideal_seconds(multiply_adds, part, flop_per_second):
    """Of one image, were all of it matrix products at the machine's best rate."""
    return 2 * multiply_adds * PRODUCTS[part] / flop_per_second


def share(net, part, rate):
    """Of the ideal speed, in (0, 1]; None where one of the two is not known."""
    seconds = net.get(f"{part}_seconds_an_image")
    return ideal_seconds(net["multiply_adds"], part, rate) / seconds if seconds and rate else None


def rate_of(result):
    return result["figures"]["machine"].get("flop_per_second")


def batches_rise(nets):
    """Whether memory was measured at more than one batch size."""
    return any(len(net.get("train_mib", {})) > 1 for net in nets.values())


def mib_an_image(memory):
    """What one more image of a batch takes: between the two largest batches of {size: MiB}."""
    *_, (few, least), (many, most) = sorted((int(n), mib) for n, mib in memory.items())
    return (most - least) / (many - few)


def time_lines(result):
    nets, rate = result["figures"]["networks"], rate_of(result)
    ideal = (
        f"The ideal line is that of matrix products alone, at the {rate / 1e9:.0f} GFLOP/s that "
        "this machine reaches in one of 2048 x 2048 float32, taken in the same run: one product "
        "for each layer to serve, three to train."
        if rate
        else "No ideal line: the matrix product was not measured."
    )
    return [
        "",
        "### Seconds an image",
        "",
        f"![Seconds an image against multiply-adds]({result['folder']}/growth_time.png)",
        "",
        f"Each network in a process of its own, noise from memory. {ideal} Training takes the "
        "batch that the table states, serving one image at a time, through the frozen graph that "
        "the exporters start from. In brackets: the share of the ideal speed.",
        "",
        "| network | multiply-adds | batch | training, ms an image | serving, ms an image |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {net['multiply_adds'] / 1e9:.3g}e9 | {net.get('train_batch_size', '')} | "
            f"{time_cell(net, 'train', rate)} | {time_cell(net, 'serve', rate)} |"
            for name, net in nets.items()
        ),
    ]


def time_cell(net, part, rate):
    seconds, of_ideal = net.get(f"{part}_seconds_an_image"), share(net, part, rate)
    if seconds is None:
        return ""
    return f"{1000 * seconds:.3g}" + (f" ({of_ideal:.0%})" if of_ideal else "")


def memory_lines(result):
    nets = result["figures"]["networks"]
    rows = []
    for name, net in nets.items():
        if len(net.get("train_mib", {})) > 1:
            sizes = ", ".join(f"{mib:.0f} ({n})" for n, mib in net["train_mib"].items())
            rows.append(f"| {name} | {sizes} | {mib_an_image(net['train_mib']):.3g} |")
    return [
        "",
        "### Memory of a training step",
        "",
        f"![Memory against depth and batch]({result['folder']}/growth_memory.png)",
        "",
        "The most that the process held, less what it held after its imports: the network, the "
        "traced step and the batch. The last column is what one more image takes, between the two "
        "largest batches.",
        "",
        "| network | MiB (batch) | MiB an image |",
        "|---|---|---|",
        *rows,
    ]


BUILDING = {
    "build": "build_seconds",
    "save": "save_seconds",
    "load": "load_seconds",
    "first training step": "first_step_seconds",
    "first answer": "first_answer_seconds",
    "write SavedModel": "write_saved_model_seconds",
    "load SavedModel": "load_saved_model_seconds",
}


def building_lines(result):
    nets = result["figures"]["networks"]
    rows = []
    for name, net in nets.items():
        cells = [f"{net[key]:.3g}" if key in net else "" for key in BUILDING.values()]
        rows.append(f"| {name} | {net['layers']} | {' | '.join(cells)} |")
    return [
        "",
        "### Seconds to build, save and load",
        "",
        f"![Seconds to build and load against depth]({result['folder']}/growth_build.png)",
        "",
        "`zoo.build`; `zoo.archive.save` and `load`, which builds the network again; the first "
        "training step, which traces it; the first answer, which folds, freezes and traces; the "
        "exported SavedModel, of a few networks, loaded in another process.",
        "",
        f"| network | layers | {' | '.join(BUILDING)} |",
        "|---|---|" + "---|" * len(BUILDING),
        *rows,
    ]


def start_lines(result):
    programs, bare = result["figures"]["programs"], result["figures"]["bare"]
    slowest = max(programs, key=lambda name: programs[name]["seconds"])
    heavy = {
        name: sorted({"keras", "tensorflow"} & set(program["imports"]))
        for name, program in programs.items()
    }
    loud = [f"{name} imports {' and '.join(found)}" for name, found in heavy.items() if found]
    late = {n: p["seconds"] for n, p in programs.items() if p["seconds"] >= GOAL_SECONDS}
    verdict = "met"
    if loud or late:
        missed = [*loud, *(f"{name} takes {seconds:.2f} s" for name, seconds in late.items())]
        verdict = f"missed: {'; '.join(missed)}"
    return [
        "",
        "### Start-up of the programs",
        "",
        f"![Seconds until --help is answered]({result['folder']}/growth_start.png)",
        "",
        f"`--help` of all {len(programs)} programs, the median of {result['calls']}; the slowest "
        f"is {slowest}, {programs[slowest]['seconds']:.2f} s. Python alone starts in "
        f"{bare['python']:.2f} s, and has imported TensorFlow after {bare['tensorflow']:.1f} s; "
        f"our programs have after {bare['tensorflow_ours']:.1f} s: Keras imports scikit-learn, "
        "Matplotlib and OpenCV where they are installed, and they hide them from it.",
        "",
        f"- each answers in less than {GOAL_SECONDS} s and imports neither TensorFlow nor Keras: "
        f"{verdict}",
    ]
