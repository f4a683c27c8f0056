"""Real photographs with boxes in VOC's layout: a detector trained from a classifier's weights.

The settings are for BCCD: blood smears of 640x480 px with cells of about 40, 100 and 190 px, shrunk
to a third, where a net for CIFAR-10 still sees a cell whole.
"""

import dataclasses
import json
import pathlib

from trainers.studies import jobs

SETTINGS = {
    "data": "voc",
    "recipe": "scenes",
    "shorter_px": "160",
    "longer_px": "214",
    "anchor_sizes": "12,32,64",
    "mirror": "true",
    "batch_size": "4",
    "regions": "64",
    "learning_rate": "0.02",
    "steps": "400",
    "round_steps": "100",
}
PICTURE, WIDE_PX, COLOURS = "detection_photographs.png", 400, 128
HARDLY = 0.1  # an AP below which the report names the class


def study(asked, real_dir, init_from, judge):
    """Trains and judges, or finds it done: -> what the report says, plain data.

    `judge` is a function of (run directory, metric): evaluation.json.
    """
    job = begun(init_from, asked.seeds[0])
    run_dir = jobs.finish(job, dataclasses.replace(asked, data_dir=real_dir))
    verdict = judge(run_dir, "voc")
    draw(run_dir, asked.output_dir / PICTURE)
    kept = ("network", "step", "pictures", "objects", "ap", "voc07", "proposals")
    return {
        "set": pathlib.Path(real_dir).name,
        "source": source(init_from),
        **{name: verdict[name] for name in kept},
        "classes": [
            {name: one[name] for name in ("name", "objects", "detections", "voc", "voc07")}
            for one in verdict["classes"]
        ],
        "seconds": jobs.seconds_of(run_dir),
        "commands": commands(job),
    }


def begun(init_from, seed):
    """The run from a classifier's weights."""
    from trainers.plan import adopt

    settings = tuple({**SETTINGS, "init_from": init_from}.items())
    return jobs.Job(adopt.read_network(init_from)["name"], seed, settings, program="detect")


def source(init_from):
    """Which published weights an import holds, or that a run was trained here."""
    manifest = json.loads((pathlib.Path(init_from) / "manifest.json").read_text(encoding="utf-8"))
    imported = manifest["data"].get("imported")
    return imported["file"] if imported else f"a run's of {manifest['step']:,} steps"


def commands(job):
    """What to type, without the places of this machine."""
    own = [a for a in job.arguments if not a.startswith(("--model=", "--init_from="))]
    return [
        " ".join(["python -m trainers.detect", "--init_from=RUN --data_dir=DIR", *own])
        + " --run_dir=runs/cells",
        "python -m trainers.evaluate_detections --run_dir=runs/cells --metric=voc",
    ]


def draw(run_dir, path):
    """One validation picture, labelled and as found, small."""
    from trainers.judging.detection import evaluation, sheets
    from trainers.plan.detection import images
    from zoo import archive

    model, manifest = archive.load(run_dir, kind="detector")
    pictures = images.source_of(manifest, "validation")
    seen = evaluation.see(model, manifest, pictures, limit=1)
    sheets.save(path, pair(seen, sheets.reader(pictures, manifest.input)).quantize(COLOURS))


def pair(seen, read):
    """The first picture that was seen, which need not be number 0: labelled, and as found."""
    from PIL import Image

    from trainers.judging.detection import sheets

    number = int(seen.truth.pictures[0])
    pixels = read(number)
    both = (
        sheets.labelled(pixels, seen.truth, number),
        sheets.detected(pixels, seen.truth, seen.found, number),
    )
    tall = round(WIDE_PX * both[0].height / both[0].width)
    sheet = Image.new("RGB", (2 * WIDE_PX + 8, tall), "white")
    for place, image in enumerate(both):
        small = image.resize((WIDE_PX, tall), Image.Resampling.LANCZOS)
        sheet.paste(small, (place * (WIDE_PX + 8), 0))
    return sheet


def earlier(path):
    """What the report said before, if it did: the study goes on without the photographs."""
    if not path.exists():
        return None
    return json.loads(path.read_text(encoding="utf-8")).get("photographs")


def section(found):
    """Of the report, a list of its paragraphs; of None none."""
    if not found:
        return []
    from trainers.studies import report

    rows = [
        [one["name"], one["objects"], one["detections"], *map(shown, (one["voc"], one["voc07"]))]
        for one in found["classes"]
    ]
    rows.append(["mean", found["objects"], None, shown(found["ap"]), shown(found["voc07"])])
    columns = ["class", "objects", "detections", "AP at IoU .5 %, area", "11 points"]
    typed = "\n".join(found["commands"])
    poor = [one["name"] for one in found["classes"] if (one["voc"] or 0) < HARDLY]
    hardly = [f"Hardly found after so few steps: {', '.join(poor)}."] if poor else []
    return [
        "## On real photographs",
        f"{found['set']}: {found['network']} from trained weights ({found['source']}), batch "
        f"normalisation frozen, {found['step']:,} steps, {found['seconds'] / 60:.0f} minutes on a "
        f"machine with other work; {found['pictures']} validation photographs, each once, one "
        f"seed, nothing selected on them. Proposals cover "
        f"{shown(found['proposals']['50']['all'])} % of the objects at an IoU of 0.5.",
        report.table(columns, rows),
        *hardly,
        f"![a photograph, labelled and as found]({PICTURE})",
        "On the left as labelled, on the right what is found with 50 % or more. With DIR the "
        "photographs in VOC's layout and RUN the classifier, such as an import by "
        f"`python -m zoo.importers`:\n\n```\n{typed}\n```",
    ]


def shown(fraction):
    return "none" if fraction is None else f"{100 * fraction:.1f}"
