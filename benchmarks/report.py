"""python -m benchmarks.report: reports/speed.md and its picture, from what the benchmarks wrote.

Every figure stands beside its peer, every goal beside what came of it.
"""

import json

from benchmarks import harness
from trainers import plots
from zoo import files, program

PARTS = {
    "train_step": "A training step",
    "rounds": "Short rounds with validation, and replicas",
    "input": "Input",
    "loading": "An artifact's start",
}
NOTES = {
    "train_step": "float32, noise from memory; the batch and image sizes are those of the paper's "
    "recipes but for resnet50's batch of 16.",
    "rounds": "resnet20, batch 128, three rounds of ten steps and ten validation batches; below, a "
    "step under MirroredStrategy. A goal of 0.98 means 2 % slower at most.",
    "input": "The pipelines alone, nothing trained.",
    "loading": "resnet50 with random weights, one process each.",
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    results = {}
    for part in PARTS:
        path = harness.FOLDER / f"{part}.json"
        if path.exists():
            results[part] = json.loads(path.read_text(encoding="utf-8"))
    if not results:
        program.usage_error(f"no figures in {harness.FOLDER}: run make bench first")
    draw(results)
    path = harness.FOLDER.with_suffix(".md")
    files.write_text(path, as_markdown(results))
    print(f"written: {path}")


def as_markdown(results):
    machine = next(iter(results.values()))["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [
        "# Speed, side by side",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Python "
        f"{machine['python']}; {versions}; {machine['date']}. As many threads as cores for every "
        "contender, each in a process of its own, in turn; medians (least-most) over the rounds; a "
        "ratio is the median of the rounds' ratios. `make bench` takes them again.",
        "",
        "![Ratios and goals](speed/ratios.png)",
    ]
    for part, result in results.items():
        lines += ["", f"## {PARTS[part]}", "", NOTES[part]]
        for name, figures in result["figures"].items():
            lines += ["", f"### {name.replace('_', ' ')}", "", *table(figures)]
            lines += ["", *verdicts(part, name, result)]
            lines += [f"- {who}: failed, {why}" for who, why in result["failed"][name].items()]
    return "\n".join(lines) + "\n"


def table(figures):
    """A line for each contender, a column for each figure."""
    (first, *_), *_ = figures.values()
    units = list(first)
    head = " | ".join(unit.replace("_", " ") for unit in units)
    lines = [f"| contender | {head} |", "|---|" + "---|" * len(units)]
    for name, rounds in figures.items():
        cells = []
        for unit in units:
            middle, least, most = harness.middle([one[unit] for one in rounds])
            cells.append(f"{middle:.4g} ({least:.4g}-{most:.4g})")
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return lines


def verdicts(part, name, result):
    """Each goal, and by how much it is met or missed."""
    lines = []
    for label, ratio, goal in comparisons(part, name, result):
        met = "met" if ratio >= goal else f"missed by {1 - ratio / goal:.0%}"
        lines.append(f"- {label}: {ratio:.2f}x, goal {goal:.2f}x: {met}")
    return lines


def comparisons(part, name, result):
    """(what, median ratio, goal) of a part's goals."""
    goals, figures = result["goals"], result["figures"][name]
    if part == "loading":
        return [
            (f"ours to {result['peer']}, {unit.replace('_', ' ')}", better(figures, unit), goal)
            for unit, goal in goals.items()
            if result["peer"] in figures and "ours" in figures
        ]
    found = []
    for other, goal in goals.get(name, {}).items():
        ours, peer = pair(part, name, other, result["peer"])
        if ours in figures and peer in figures:
            (unit, *_) = figures[ours][0]
            ratio = harness.middle(harness.ratios(figures, ours, peer, unit))[0]
            found.append((f"{ours} to {peer}".replace("_", " "), ratio, goal))
    return found


def pair(part, name, other, peers):
    """Who is compared with whom: ours with each peer, but replicas with no strategy."""
    if (part, name) == ("rounds", "replicas"):
        return other, peers["replicas"]
    return ("ours_by_the_batch" if name == "cifar" else "ours"), other


def better(figures, unit):
    """How many times less of seconds or megabytes, the peer's over ours."""
    ratios = [
        theirs[unit] / ours[unit]
        for ours, theirs in zip(figures["ours"], figures["keras_export"], strict=True)
    ]
    return harness.middle(ratios)[0]


def draw(results):
    """All goals as bars, the goal a mark on each."""
    rows = [
        (f"{name.replace('_', ' ')}: {label}", ratio, goal)
        for part, result in results.items()
        for name in result["figures"]
        for label, ratio, goal in comparisons(part, name, result)
    ]
    with plots.figure(harness.FOLDER / "ratios.png", (8, 0.34 * len(rows) + 0.9)) as drawing:
        axes = drawing.subplots()
        for place, (_, ratio, goal) in enumerate(rows):
            axes.barh(place, ratio, color=plots.BLUE if ratio >= goal else plots.RED, height=0.6)
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color="black", linewidth=2)
        axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
        axes.invert_yaxis()
        axes.axvline(1, color=plots.GREY, linewidth=0.8, linestyle="--")
        axes.set(xlabel="times the peer's speed; black: the goal; red: missed")


if __name__ == "__main__":
    program.run(main, __doc__)
