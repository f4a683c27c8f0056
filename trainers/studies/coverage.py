"""Every table, figure and claim of the paper: its command, whether it shows, ours beside it."""

import dataclasses
import importlib.util
from collections.abc import Callable

from trainers.studies import read_off
from trainers.studies.read_off import ABSENT, FULL, SHOWN

STUDY = "python -m trainers.studies."


@dataclasses.dataclass(frozen=True)
class Row:
    """A table, figure or claim. `ours` reads the study's JSON; so does `state`, unless fixed."""

    what: str
    about: str
    paper: str
    study: str | None = None
    ours: Callable | None = None
    state: Callable | str = read_off.verdict
    command: str | None = None


ROWS = (
    Row("Table 1", "architectures, multiply-adds", "3.6e9 (34), 3.8e9 (50), 11.3e9 (152)", "table1",
        read_off.multiply_adds("resnet34", "resnet50", "resnet152"), SHOWN),
    Row("Table 2", "depth, plain and residual, ImageNet", "plain 27.94, 28.54 %; residual 27.88, "
        "25.03 %", "degradation", read_off.both_ends("validation_error"), read_off.crossing),
    Row("Table 3", "shortcuts A, B, C; deeper nets", "plain 28.54 %; A 25.03, B 24.52, C 24.19 %; "
        "50: 22.85, 101: 21.75, 152: 21.43 %", "shortcuts", read_off.every("validation_error")),
    Row("Table 4", "single networks, several scales", "152: 19.38 % (ten crops 21.43 %)",
        "multiscale", read_off.by_views, read_off.better),
    Row("Table 5", "six networks together", "3.57 % top-5 on the closed test set", "ensemble",
        read_off.together, read_off.better),
    Row("Table 6", "depth on CIFAR-10", "20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43, "
        "1202: 7.93 %", "depth", read_off.every("validation_error")),
    Row("Sec. 4.2, Fig. 6", "20 layers on CIFAR-10 itself, a quarter of the steps",
        "residual 8.75 %; plain: a curve", "cifar", read_off.every("validation_error"),
        read_off.compared),
    Row("Table 7", "detection, VOC", "73.2 to 76.4 (07), 70.4 to 73.8 mAP (12)", state=FULL,
        command="python -m trainers.detect --recipe=voc --data_dir=DIR --init_from=RUN"),
    Row("Table 8", "detection, COCO: a better backbone", "AP 21.2 to 27.2 %", "detection",
        read_off.precision("plain20", "resnet20"), read_off.improves("plain20", "resnet20")),
    Row("Table 9", "refinement, context, several scales", "AP 29.9, 30.0, 32.5 %", "detection",
        read_off.precision("+ box refinement", "+ context", "+ multi-scale testing"),
        read_off.improves("resnet20", "+ box refinement", "+ context", "+ multi-scale testing")),
    Row("Tables 10, 11", "VOC 2007 and 2012, COCO-trained, all improvements", "85.6, 83.8 mAP",
        state=FULL, command="python -m trainers.detect --recipe=voc --context --init_from=RUN ..., "
        "then trainers.evaluate_detections --refine --vote --scales=..."),
    Row("Table 12", "detection on ImageNet's 200 classes", "58.8, together 62.1 mAP, closed test "
        "set", state=ABSENT),
    Row("Tables 13, 14", "localisation", "9.0 % top-5, closed test set", study="localisation",
        ours=read_off.sentence("")),
    Row("App. C", "R-CNN on a localiser's proposals", "top-5 14.4, then 10.6 %", "localisation",
        read_off.sentence("R-CNN on"), read_off.verdict_of("R-CNN on")),
    Row("Figures 2, 5", "building blocks", "a bottleneck costs what two 3x3 layers do: 3.6e9 (34), "
        "3.8e9 (50)", "table1", read_off.multiply_adds("resnet34", "resnet50"), SHOWN),
    Row("Figure 3", "34 layers, plain or residual", "3.6e9 each, VGG-19 19.6e9", "table1",
        read_off.multiply_adds("plain34", "resnet34"), SHOWN),
    Row("Figures 1, 4, 6", "training and validation error against steps", "plain 56 above "
        "plain 20; residual 110 lowest", "degradation", read_off.both_ends("error")),
    Row("Figure 7", "responses of layers", "residual smaller than plain, deeper smaller still; no "
        "numbers", "responses", read_off.sentence("")),
    Row("Sec. 1, 4.1", "deeper plain nets train worse", "plain 34 above plain 18 throughout",
        "degradation", read_off.ends("plain")),
    Row("Sec. 4.1", "and not by vanishing gradients", "healthy norms", "degradation",
        read_off.sentence("Gradients"), read_off.verdict_of("Gradients")),
    Row("footnote 3", "three times the iterations do not help", "still degrades", "degradation",
        read_off.sentence("times the steps"), read_off.verdict_of("times the steps")),
    Row("Sec. 1", "a solution exists by construction, solvers find none as good", "no number",
        "construction", read_off.sentence("")),
    Row("Sec. 4.1", "18 layers: as accurate, but the residual net converges faster",
        "27.94 and 27.88 %", "convergence", read_off.sentence("")),
    Row("footnote 4", "plain bottleneck nets degrade too", "no number", state=FULL,
        command=f"{STUDY}shortcuts --scale=paper --nets=plain50 --data_dir=DIR"),
    Row("Sec. 4.2, footnote 5", "110 layers need 0.01 first; 0.1 at once starts late and ends "
        "alike", "no number", "depth", read_off.sentence("warm-up"),
        read_off.verdict_of("warm-up")),
    Row("Sec. 4.2", "1202 layers train without difficulty", "training error below 0.1 %, test "
        "7.93 %", state=FULL,
        command=f"{STUDY}depth --scale=paper --nets=resnet1202 --data_dir=DIR"),
    Row("Sec. 3.3, 4.1", "152 layers are less than VGG-16 and VGG-19", "11.3e9; 15.3e9, 19.6e9",
        "table1", read_off.multiply_adds("resnet152"), SHOWN),
)  # fmt: skip

STUDIES = tuple(dict.fromkeys(row.study for row in ROWS if row.study))

LEGEND = """\
*Shown* is the direction, on the demo's data, not the paper's number, but for what is counted on
built graphs. *Needs full scale*: the command is there, a demo would say nothing. All figures in the
last column are read from the reports' JSON; *not measured*: the study has not been run here."""


def command_of(study):
    """The study's command, if there is such a study."""
    there = study and importlib.util.find_spec(f"trainers.studies.{study}")
    return f"{STUDY}{study}" if there else ""


def table(reports, table_of):
    """The rows as Markdown: {study: its numbers, None where it has none} and `report.table`."""
    rows = []
    for row in ROWS:
        numbers = reports.get(row.study)
        state, ours = row.state, "–"
        if row.study and numbers is None:
            state, ours = ABSENT, "not measured"
        elif row.study:
            state = row.state if isinstance(row.state, str) else row.state(numbers)
            ours = row.ours(numbers)
        command = row.command or command_of(row.study)
        linked = f"[{row.what}]({row.study}.md)" if row.study and numbers else row.what
        code = f"`{command}`" if command else "–"
        rows.append([linked, row.about, code, state, row.paper, ours])
    header = ["in the paper", "what", "command", "state", "paper", "ours"]
    return f"{table_of(header, rows)}\n\n{LEGEND}"
