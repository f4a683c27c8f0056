"""python -m benchmarks.report: reports/speed.md and its picture, from what the benchmarks wrote.

Every figure stands beside its peer, every goal beside what came of it, here and on other machines:
each has a column, of reports/speed/MACHINE.json. With --quick it reads what quick benchmarks wrote,
into reports/speed/quick.md.
"""

import dataclasses
import json
import re
from collections.abc import Callable

from absl import flags

from benchmarks import harness, machines, ratios, tables
from benchmarks.growth import chapter
from zoo import files, limits, program


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
        "but for resnet50's batch of 16. A process' figure is of its fastest call of one or two "
        "steps, for all else on the machine only adds. Of fit the steps alone are timed: its wait "
        "as an epoch ends is in the rounds below.",
    ),
    "rounds": Part(
        "Short rounds with validation, and replicas",
        "resnet20, batch 128, the faster of two rounds of ten steps and ten validation batches; "
        "below, a step "
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
        "answer, and the least of later calls with 1 and with 32 images; a goal of 1.67x for "
        "loading means 0.6 of the peer's time. resnet50 has random weights, so that its first "
        "classes mean little; keras export is Model.export of the same network in Keras' own "
        "layers. OpenVINO computes in float32, not in the bfloat16 it takes by itself. The two of "
        "8-bit integers that it runs take turns in one process.",
    ),
    "memory": Part(
        "Memory",
        "resnet50 at 224 px: the most that a process held, its libraries and images with it. "
        "Training is of batches of 16, evaluation of 64 images in batches of 32; exports have the "
        "network of random weights in memory, and of 8-bit integers 100 images; who serves has "
        "answered one and 32 images.",
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


METHOD = (
    "Each contender runs in a process of its own, in turn, round by round, with the threads that "
    "its line states; figures are the best of the rounds (their median), and megabytes at most are "
    "the most memory that the process held, its libraries with it. Who has no goal runs once. A "
    "ratio is that of the best rounds; its interval is of the rounds' ratios, of neighbours in "
    f"time, and holds their median with {ratios.CONFIDENCE:.0%}. met: the whole interval is; "
    "missed: none of it; unclear: what lies between, or fewer than five rounds. Processors are how "
    "many were busy while the clock ran: a round with far fewer than the best stood still and is "
    "taken again, twice at most. `make bench` takes them again."
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
MACHINES = (
    "`make bench` adds a column, or takes it again: `reports/speed/MACHINE.json`; "
    "`make bench MACHINE=name` names it, for machines whose processors are alike."
)


def main(arguments, title=None):
    program.no_arguments(arguments)
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
    machines.keep(folder, compared, title)
    path = folder.with_suffix(".md")
    kept = machines.read(folder, PARTS)
    files.write_text(path, as_markdown(folder, results, compared, kept))
    print(f"written: {path}")


def column(title):
    """`title`, --machine's; ends the program where it cannot be a file's name beside the others."""
    if title is None or (title not in PARTS and re.fullmatch(NAME, title)):
        return title
    expected = f"a name of letters, digits, dots and hyphens, none of {', '.join(PARTS)}"
    program.usage_error(f"--machine: expected {expected}, got {limits.shown(title)}")


def any_goals(result):
    return any(tables.comparisons(group, result) for group in result.get("figures", {}))


def as_markdown(folder, results, compared, kept):
    told = next(iter(results.values()))["machine"]
    lines = ["# Speed, side by side", "", f"{taken(told)} {METHOD}"]
    if compared:
        lines += ["", f"![Ratios and goals]({folder.name}/ratios.png)"]
    if kept:
        lines += ["", "## Machines", "", MACHINES, "", *machines.lines(kept)]
    for name, result in results.items():
        part, notes = PARTS[name], harness.FOLDER / f"notes_{name}.md"
        lines += ["", f"## {part.title}", "", part.note]
        if who(result["machine"]) != who(told):
            lines += ["", f"Of another time or machine: {taken(result['machine'])}"]
        lines += part.lines(result)
        if notes.exists():
            lines += ["", notes.read_text(encoding="utf-8").strip()]
    return "\n".join(lines) + "\n"


def who(told):
    return machines.name(told), told["date"]


def taken(told):
    """A sentence: on what, with what, when."""
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    speed = ""
    if "matmul_gflops" in told:
        speed = (
            f" with {machines.features(told['features'])}; {told['matmul_gflops']} GFLOP/s in a "
            f"float32 matrix product, {told['copy_gb_per_second']} GB/s in a copy, load "
            f"{told['load']} as it began"
        )
    return (
        f"{told['processor']}, {told['cores']} cores{speed}; {told['memory_gib']} GiB, Python "
        f"{told['python']}; {versions}; {told['date']}."
    )


def draw(path, results):
    """All goals as bars, the goal a mark on each."""
    from trainers.judging import plots  # matplotlib: half a second, too long for --help

    rows = [
        (f"{tables.plain(group)}: {label}", found, goal)
        for result in results.values()
        for group in result["figures"]
        for label, found, goal in tables.comparisons(group, result)
        if found
    ]
    colours = {"met": plots.BLUE, "unclear": plots.GREY, "missed": plots.RED}
    with plots.figure(path, (9, 0.34 * len(rows) + 0.9)) as drawing:
        axes = drawing.subplots()
        for place, (_, ratio, goal) in enumerate(rows):
            axes.barh(place, ratio.times, color=colours[ratios.word(ratio, goal)], height=0.6)
            axes.plot([ratio.low, ratio.high], [place, place], "|-", color="black", linewidth=1)
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color="black", linewidth=2)
        axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.axvline(1, color=plots.GREY, linewidth=0.8, linestyle="--")
        axes.set(xlabel="times as good as the peer, thick: the goal\nred: missed, grey: unclear")


if __name__ == "__main__":
    _MACHINE = flags.DEFINE_string(
        "machine", None, "this machine's column; default: its processor's"
    )
    flags.DEFINE_bool("quick", False, "the quick benchmarks' figures")
    program.run(lambda words: main(words, column(_MACHINE.value)), __doc__)
