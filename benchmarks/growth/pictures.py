"""Pictures of how cost grows, of what `benchmarks.growth` found."""

from matplotlib import ticker

import zoo
from benchmarks.growth import chapter
from trainers.judging import plots

KINDS = {  # (stem, plain): what its points look like
    ("imagenet", False): dict(label="ImageNet, residual", color=plots.BLUE, marker="o"),
    ("imagenet", True): dict(label="ImageNet, plain", color=plots.BLUE, marker="o", mfc="none"),
    ("cifar", False): dict(label="CIFAR, residual", color=plots.RED, marker="s"),
    ("cifar", True): dict(label="CIFAR, plain", color=plots.RED, marker="s", mfc="none"),
}
TITLE_OF_STEM = {"imagenet": "ImageNet networks, 224 px", "cifar": "CIFAR networks, 32 px"}
TITLES = {"train": "training", "serve": "serving, one image at a time"}
LEFT, ABOVE = (-7, -3), (3, 6)  # places of a label, points from its network's
SHADES = {  # of batches, light to dark
    "cifar": ("#f2b8b0", "#dc7468", "#c0392b", "#6e1a10"),
    "imagenet": ("#9ec5e8", "#5b93cc", "#1f5fa8", "#0b2c57"),
}


def draw(result, folder):
    """growth_time.png, growth_memory.png, growth_build.png and growth_start.png in `folder`."""
    nets = result["figures"]["networks"]
    with plots.figure(folder / "growth_time.png", (9.6, 4.6)) as drawing:
        for part, axes in zip(TITLES, drawing.subplots(1, 2)):
            times(axes, nets, part, chapter.rate_of(result))
    if chapter.batches_rise(nets):
        with plots.figure(folder / "growth_memory.png", (9.6, 4.2)) as drawing:
            depth, batch = drawing.subplots(1, 2, sharey=True)
            memory_by_depth(depth, nets)
            memory_by_batch(batch, nets)
    stems = [stem for stem in TITLE_OF_STEM if of_kind(nets, stem)]
    if stems:
        with plots.figure(folder / "growth_build.png", (9.6, 4.6)) as drawing:
            columns = drawing.subplots(1, len(stems), sharey=True, squeeze=False)[0]
            for stem, axes in zip(stems, columns):
                building(axes, of_kind(nets, stem), TITLE_OF_STEM[stem])
    programs = result["figures"]["programs"]
    with plots.figure(folder / "growth_start.png", (8, 0.22 * len(programs) + 0.9)) as drawing:
        starts(drawing.subplots(), programs, result["figures"]["bare"])


def of_kind(nets, stem, plain=False):
    """The networks of one stem, residual or plain, by depth: -> {name: figures}."""
    found = {}
    for name in sorted(nets, key=lambda name: nets[name]["layers"]):
        spec = zoo.find(name)
        if (spec.stem, spec.plain) == (stem, plain):
            found[name] = nets[name]
    return found


def times(axes, nets, part, rate):
    """Milliseconds an image against multiply-adds, both logarithmic, and the ideal line."""
    figure = f"{part}_seconds_an_image"
    for (stem, plain), look in KINDS.items():
        points = {n: net for n, net in of_kind(nets, stem, plain).items() if figure in net}
        if not points:
            continue
        macs = [net["multiply_adds"] for net in points.values()]
        axes.plot(macs, [1000 * net[figure] for net in points.values()], linestyle="", **look)
        for net in points.values() if not plain else ():
            # resnet50 has nearly resnet34's multiply-adds
            beside = ABOVE if net["layers"] == 50 else LEFT
            place = dict(xytext=beside, textcoords="offset points", ha="right", fontsize=7)
            axes.annotate(net["layers"], (net["multiply_adds"], 1000 * net[figure]), **place)
    axes.set(xscale="log", yscale="log", title=TITLES[part])
    axes.margins(x=0.1)
    axes.set(xlabel="multiply-adds of an image", ylabel="milliseconds an image")
    ticks(axes.yaxis)
    if rate and nets:
        ends = [f(net["multiply_adds"] for net in nets.values()) for f in (min, max)]
        ideal = [1000 * chapter.ideal_seconds(end, part, rate) for end in ends]
        label = f"ideal: {rate / 1e9:.0f} GFLOP/s"
        axes.plot(ends, ideal, "--", color="black", linewidth=1, label=label, zorder=1)
    finish(axes, loc="upper left")


def memory_by_depth(axes, nets):
    """MiB against layers, a line for each batch size of each family."""
    for stem, marker in (("cifar", "s"), ("imagenet", "o")):
        family = of_kind(nets, stem)
        sizes = {int(size) for net in family.values() for size in net.get("train_mib", {})}
        for size, shade in zip(sorted(sizes), SHADES[stem]):
            points = [
                (net["layers"], net["train_mib"][str(size)])
                for net in family.values()
                if str(size) in net.get("train_mib", {})
            ]
            label = f"{'CIFAR' if stem == 'cifar' else 'ImageNet'}, batch {size}"
            axes.plot(*zip(*points), "-", marker=marker, markersize=4, color=shade, label=label)
    axes.set(xscale="log", yscale="log", xlabel="layers", ylabel="MiB beyond the imports")
    axes.set(title="against depth")
    ticks(axes.xaxis)
    ticks(axes.yaxis)
    finish(axes)


def memory_by_batch(axes, nets):
    """MiB against the batch, a line for each residual network, named at its end."""
    for stem, colour in (("cifar", plots.RED), ("imagenet", plots.BLUE)):
        for name, net in of_kind(nets, stem).items():
            if len(net.get("train_mib", {})) < 2:
                continue
            sizes, mib = zip(*((int(n), mib) for n, mib in net["train_mib"].items()))
            axes.plot(sizes, mib, ".-", color=colour, linewidth=1)
            place = dict(xytext=(4, 0), textcoords="offset points", va="center", fontsize=7)
            axes.annotate(name, (sizes[-1], mib[-1]), **place)
    axes.set(xscale="log", yscale="log", xlabel="images in a batch", title="against the batch")
    axes.set_xlim(right=400)
    ticks(axes.xaxis, [2, 4, 8, 32, 128])
    ticks(axes.yaxis)
    finish(axes)


LOOKS = {
    "build_seconds": ("o-", plots.BLUE),
    "save_seconds": ("v-", plots.GREY),
    "load_seconds": ("^-", "#2e8b57"),
    "first_answer_seconds": ("s--", "#e0a000"),
    "first_step_seconds": ("s--", plots.RED),
    "load_saved_model_seconds": ("D:", "#7d3c98"),
}


def building(axes, nets, title):
    """Seconds against layers, both logarithmic, of all that is done once."""
    names = {key: label for label, key in chapter.BUILDING.items()}
    for key, (style, colour) in LOOKS.items():
        points = [(net["layers"], net[key]) for net in nets.values() if key in net]
        if points:
            axes.plot(*zip(*points), style, color=colour, markersize=4, label=names[key])
    axes.set(xscale="log", yscale="log", title=title, xlabel="layers", ylabel="seconds")
    ticks(axes.xaxis, sorted({net["layers"] for net in nets.values()}))
    ticks(axes.yaxis)
    finish(axes)


def starts(axes, programs, bare):
    """Seconds of `--help`, a bar for each program, beside Python's own start and the goal."""
    goal = chapter.GOAL_SECONDS
    order = sorted(programs, key=lambda name: -programs[name]["seconds"])
    for place, name in enumerate(order):
        good = programs[name]["seconds"] < goal and "tensorflow" not in programs[name]["imports"]
        colour = plots.BLUE if good else plots.RED
        axes.barh(place, programs[name]["seconds"], color=colour, height=0.6)
    axes.set_yticks(range(len(order)), order, fontsize=7)
    axes.set_ylim(len(order) - 0.3, -0.7)
    axes.axvline(bare["python"], color=plots.GREY, linewidth=1, label="Python alone")
    axes.axvline(goal, color="black", linestyle="--", linewidth=1, label=f"goal: {goal} s")
    axes.set(xlabel="seconds until --help is answered")
    finish(axes, loc="lower center")
    axes.grid(visible=False, axis="y")


def ticks(axis, places=None):
    """Plain numbers along a logarithmic axis: at 1, 2, 5, 10, ..., or at the `places`."""
    if places:
        axis.set_ticks(places, places)
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(ticker.NullLocator())


def finish(axes, **place):
    """A grid, and a legend where there is something to tell."""
    axes.set_axisbelow(True)
    axes.grid(linestyle=":", color="#dddddd")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=7, **place)
