"""python -m benchmarks.report: reports/speed.md and its picture, from what the benchmarks wrote.

Every figure stands beside its peer, every goal beside what came of it. With --quick it reads what
quick benchmarks wrote, into reports/speed/quick.md.
"""

import dataclasses
import json
from collections.abc import Callable

from absl import flags

from benchmarks import harness, tables
from benchmarks.growth import chapter
from zoo import files, program


@dataclasses.dataclass(frozen=True)
class Part:
    """A chapter of the report, of `reports/speed/NAME.json`; `lines` maps that to Markdown.

    What is in `reports/speed/notes_NAME.md`, if it exists, stands at the chapter's end.
    """

    title: str
    note: str
    lines: Callable = tables.sections


PARTS = {
    "train_step": Part(
        "A training step",
        "float32, noise from memory; the batch and image sizes are those of the paper's recipes "
        "but for resnet50's batch of 16. Of fit the steps alone are timed: its wait as an epoch "
        "ends is in the rounds below.",
    ),
    "rounds": Part(
        "Short rounds with validation, and replicas",
        "resnet20, batch 128, three rounds of ten steps and ten validation batches; below, a step "
        "under MirroredStrategy. A goal of 0.98 means 2 % slower at most, which is less than two "
        "processes with the same work differ by: there one process takes turns of three steps.",
    ),
    "input": Part(
        "Input",
        "The pipelines alone, nothing trained. With and without the PCA colour one process takes "
        "turns.",
    ),
    "serving": Part(
        "Serving",
        "Each artifact is loaded and asked in a process of its own: seconds to load, of the first "
        "answer, and the median of later calls with 1 and with 32 images; a goal of 1.67x for "
        "loading means 0.6 of the peer's time. resnet50 has random weights, so that its first "
        "classes mean little; keras export is Model.export of the same network in Keras' own "
        "layers. OpenVINO computes in float32, not in the bfloat16 it takes by itself.",
    ),
    "detection": Part(
        "Detection",
        "Faster R-CNN on ResNet-50, a picture of 480 x 640 of noise, 128 regions, float32, all but "
        "batch normalisation trained. A process' figures are its fastest call's, seconds of the "
        "clock and of all its processors' time, for all else on the machine only adds. Of the "
        "operations, regions are 128 of 14 x 14 bins on a map of 38 x 63 x 1024, and NMS takes "
        "6,000 boxes to 300.",
    ),
    "growth": Part("How cost grows", "Of networks and programs.", chapter.lines),
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    folder, results = harness.folder(), {}
    for name in PARTS:
        path = folder / f"{name}.json"
        if path.exists():
            results[name] = json.loads(path.read_text(encoding="utf-8"))
    if not results:
        program.usage_error(f"no figures in {folder}: run make bench first")
    compared = {name: result for name, result in results.items() if any_goals(result)}
    if compared:
        draw(folder / "ratios.png", compared)
    path = folder.with_suffix(".md")
    files.write_text(path, as_markdown(folder, results, compared))
    print(f"written: {path}")


def any_goals(result):
    return any(tables.comparisons(group, result) for group in result.get("figures", {}))


def as_markdown(folder, results, compared):
    machine = next(iter(results.values()))["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [
        "# Speed, side by side",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Python "
        f"{machine['python']}; {versions}; {machine['date']}. Each contender runs in a process of "
        "its own, in turn, with the threads that its line states; figures are medians (least-most) "
        "over the rounds; a ratio is the median of the rounds' ratios. `make bench` takes them "
        "again.",
    ]
    if compared:
        lines += ["", f"![Ratios and goals]({folder.name}/ratios.png)"]
    for name, result in results.items():
        part, notes = PARTS[name], harness.FOLDER / f"notes_{name}.md"
        lines += ["", f"## {part.title}", "", part.note, *part.lines(result)]
        if notes.exists():
            lines += ["", notes.read_text(encoding="utf-8").strip()]
    return "\n".join(lines) + "\n"


def draw(path, results):
    """All goals as bars, the goal a mark on each."""
    from trainers.judging import plots  # matplotlib: half a second, too long for --help

    rows = [
        (f"{tables.plain(group)}: {label}", found[0], goal)
        for result in results.values()
        for group in result["figures"]
        for label, found, goal in tables.comparisons(group, result)
        if found
    ]
    with plots.figure(path, (9, 0.34 * len(rows) + 0.9)) as drawing:
        axes = drawing.subplots()
        for place, (_, ratio, goal) in enumerate(rows):
            axes.barh(place, ratio, color=plots.BLUE if ratio >= goal else plots.RED, height=0.6)
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color="black", linewidth=2)
        axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.axvline(1, color=plots.GREY, linewidth=0.8, linestyle="--")
        axes.set(xlabel="times as good as the peer; black: the goal; red: missed")


if __name__ == "__main__":
    flags.DEFINE_bool("quick", False, "the quick benchmarks' figures")
    program.run(main, __doc__)
