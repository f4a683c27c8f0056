"""python -m trainers.studies.detection: a better backbone, then the improvements of App. B.

Tables 8 and 9: Faster R-CNN on a plain net and on its residual twin, then box refinement, context
and pictures at several scales, each on top of the others. --real_dir=DIR --init_from=RUN trains on
a folder of photographs in VOC's layout too, from a trained classifier.
"""

import json
import subprocess
import sys

from absl import flags

from trainers.studies import detecting, jobs, options, real_pictures
from zoo import program

_REAL_DIR = flags.DEFINE_string("real_dir", None, "photographs with boxes, as VOC's folders")
_INIT_FROM = flags.DEFINE_list(
    "init_from", [], "trained nets to start from: for --real_dir one; paper: poorer, better"
)

NETS = ("plain20", "resnet20")
CAVEAT = {
    "demo": "Demo scale: scenes of handwritten digits, 12 to 40 px tall, on scikit-learn's two "
    "photographs; 600 steps of 8 scenes from random weights, unless the command says otherwise, "
    "two fifths of `--recipe=scenes`, so no detector is trained to its end, and a row that learns "
    "faster is ahead. 300 scenes judge, the same for every seed, of other digits on other parts of "
    "the photographs. Context is trained anew, from the same seed. The paper's figures are of "
    "COCO's photographs and of VGG-16 and ResNet-101 trained on ImageNet; they stand here to be "
    "read beside ours, not to be met.",
    "paper": "Full scale: COCO by the paper's recipe; the paper's poorer backbone is VGG-16.",
}


def main(arguments):
    asked = options.read(arguments)
    nets = backbones(asked)
    starts = started(asked)
    rows = detecting.rows(nets, detecting.SCALES[asked.scale])
    todo = [detecting.job(nets, row, seed, asked, starts) for seed in asked.seeds for row in rows]
    if asked.jobs:
        jobs.list_jobs({"all": todo}, asked)
    jobs.finish_together({job.name: job for job in todo}, asked)
    measured = {row.label: {} for row in rows}
    seconds = {}
    for seed in asked.seeds:
        for row in rows:
            one = detecting.job(nets, row, seed, asked, starts)
            run_dir = jobs.finish(one, asked)
            seconds[one.name] = jobs.seconds_of(run_dir)
            verdict = evaluated(run_dir, row.look, row.looked)
            for name, value in detecting.figures(verdict).items():
                measured[row.label].setdefault(name, []).append(value)
    origin = {"seeds": list(asked.seeds), "runs": seconds}
    write(asked, rows, measured, origin, photographs(asked))


def backbones(asked):
    nets = asked.nets or NETS
    if asked.scale == "paper":
        nets = [network_of(path) for path in _INIT_FROM.value]
    if len(nets) != 2:
        program.usage_error(
            "expected two backbones, the poorer first: --nets, and at the paper's scale "
            f"--init_from=DIR,DIR; got {len(nets)}"
        )
    return tuple(nets)


def started(asked):
    """What the two start from at the paper's scale, nothing at the demo's."""
    if asked.scale == "paper":
        if not asked.data_dir or _REAL_DIR.value:
            program.usage_error("--scale=paper: expected --data_dir, of COCO, and no --real_dir")
        return [{"init_from": path} for path in _INIT_FROM.value]
    if asked.data_dir:
        program.usage_error("--data_dir is for --scale=paper: the demo makes its own scenes")
    if bool(_REAL_DIR.value) != (len(_INIT_FROM.value) == 1):
        program.usage_error("--real_dir=DIR and --init_from=RUN, one, go together")
    return [{}, {}]


def network_of(run_dir):
    from trainers.plan import adopt

    try:
        return adopt.read_network(run_dir)["name"]
    except ValueError as error:
        program.usage_error(error)


def evaluated(run_dir, look, name, metric="coco"):
    """evaluation.json of a run's validation pictures, looked at so; read if it is there."""
    place = run_dir / "judged" / name
    if not (place / "evaluation.json").exists():
        print(f"-- {run_dir.name}: {name}", flush=True)
        command = [sys.executable, "-m", "trainers.evaluate_detections", f"--run_dir={run_dir}"]
        command += [*look, f"--metric={metric}", f"--output_dir={place}"]
        if subprocess.run(command).returncode:
            raise jobs.StudyError(f"{run_dir} could not be judged; the same command tries again")
    return json.loads((place / "evaluation.json").read_text(encoding="utf-8"))


def photographs(asked):
    """What real pictures gave, now or as the report says already."""
    if not _REAL_DIR.value:
        return real_pictures.earlier(asked.output_dir / "detection.json")
    return real_pictures.study(
        asked,
        _REAL_DIR.value,
        _INIT_FROM.value[0],
        lambda run_dir, metric: evaluated(run_dir, (), metric, metric),
    )


def write(asked, rows, measured, origin, real):
    with program.quiet_start():
        from trainers.judging import plots
        from trainers.studies import report

    found = detecting.finding(rows, measured)
    with plots.figure(asked.output_dir / "detection.png", (9, 3.8)) as drawing:
        detecting.draw(drawing, rows, measured)
    sections = [
        "# A better backbone, and what else improves detection (Tables 8 and 9)",
        found,
        "The paper: with nothing but ResNet-101 in place of VGG-16, Faster R-CNN's AP on COCO "
        "rises from 21.2 to 27.2 %; box refinement, global context and multi-scale testing raise "
        "it further, one on top of the other.",
        "![AP50 and AP of each row, a dot a seed](detection.png)",
        detecting.table(rows, measured),
        detecting.relative(rows, measured),
        CAVEAT[asked.scale],
        *real_pictures.section(real),
        report.origin(origin["runs"], origin["seeds"]),
    ]
    numbers = {
        "finding": found,
        "measured": measured,
        "paper_percent": {row.label: row.paper for row in rows},
        "origin": origin,
        "photographs": real,
    }
    report.write(asked.output_dir, "detection", sections, numbers)


if __name__ == "__main__":
    program.run(main, __doc__)
