"""python -m trainers.studies.index: the reports' first page, claim by claim, from their JSON files.

Run it after the studies, which `make reports` does. What they measured with other seeds, or with
four times the steps, is told beside them, where `make reports-again` wrote it.
"""

import dataclasses
import json

from trainers.studies import coverage, options, scales
from trainers.studies.costs import GPU_FLOPS
from zoo import files, program

RATE = {"cifar": "an assumed", "imagenet": "NVIDIA's measured"}
AGAIN = {  # a folder of reports beside the first ones: what was other
    "other_seeds": "With seeds {seeds}",
    "four_times": "With four times the steps, seed {seeds}",
}
RESNETS = ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110")


class MissingReport(ValueError):
    """A report that is not there."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """What the paper says and where, the study that asks, and the nets it trains at full scale."""

    title: str
    says: str
    where: str
    study: str
    nets: tuple[str, ...] = ()
    again: str = "a minute; nothing is trained"


CLAIMS = (
    Claim(
        "Depth is cheap",
        "34 layers take 3.6e9 multiply-adds, 50 bottleneck layers 3.8e9, 152 still 11.3e9, less "
        "than VGG-16's 15.3e9; 110 layers for CIFAR-10 have 1.7M parameters.",
        "Table 1, Table 6",
        "table1",
    ),
    Claim(
        "Plain nets degrade, residual nets do not",
        "with depth the *training* error of plain nets rises: 34 layers are worse than 18 on "
        "ImageNet (28.54 % and 27.94 % top-1), 56 worse than 20 on CIFAR-10. Of residual nets the "
        "34-layer one is better than the 18-layer one (25.03 % and 27.88 %).",
        "Fig. 1, 4, 6, Table 2",
        "degradation",
        ("plain20", "plain32", "plain44", "plain56", *RESNETS, "plain18", "plain34", "resnet18",
         "resnet34"),
    ),
    Claim(
        "The solution exists, the solver does not find it",
        "a deeper net made of a shallower one and identity layers has no higher training error, "
        "yet solvers find none as good.",
        "Sec. 1",
        "construction",
        ("plain20", "plain56", "plain56", "plain56", "plain56", "resnet56"),  # one is twice as long
    ),
    Claim(
        "Projections are not essential",
        "options A, B and C are all considerably better than the plain net: top-1 25.03, 24.52, "
        "24.19 % against 28.54 %.",
        "Table 3",
        "shortcuts",
        ("plain34", "resnet34", "resnet34", "resnet34", "resnet50", "resnet101", "resnet152",
         "plain50"),
    ),
    Claim(
        "Error falls with depth, up to 110 layers",
        "8.75, 7.51, 7.17, 6.97, 6.43 % test error with 20, 32, 44, 56, 110 layers on CIFAR-10; "
        "1202 layers can be trained too (7.93 %). 110 layers need a warm-up at a rate of 0.01.",
        "Table 6, Sec. 4.2",
        "depth",
        (*RESNETS, "resnet110", "resnet1202"),
    ),
    Claim(
        "CIFAR-10 itself, 20 layers",
        "the residual net of 20 layers has 8.75 % test error after 64,000 steps.",
        "Table 6, Fig. 6",
        "cifar",
        again="with `--data_dir=DIR --lossless_dir=DIR --steps=16000 --seeds=0`: DIR are folders "
        "of its pictures, and two busy cores take two to three hours",
    ),
    Claim(
        "Several scales are better than one",
        "152 layers have 19.38 % top-1 error at five scales, 21.43 % by ten crops.",
        "Tables 3 and 4",
        "multiscale",
        again="minutes; `--run_dir=DIR` judges trained networks of yours",
    ),
    Claim(
        "Networks together are better than the best of them",
        "six networks of different depth have 3.57 % top-5 error on ImageNet's test images, whose "
        "labels are closed: ours are on validation images.",
        "Table 5",
        "ensemble",
        again="minutes; `--run_dir=DIR`, given several times, takes trained networks of yours",
    ),
    Claim(
        "A residual net of 18 layers learns faster",
        "where a net is not overly deep, plain and residual are comparably accurate, but the "
        "residual one converges faster.",
        "Sec. 4.1, Fig. 4",
        "convergence",
        ("plain18", "resnet18"),
    ),
    Claim(
        "Residual layers respond less",
        "residual nets' layers have smaller responses than plain nets', deeper residual nets' "
        "smaller still: F is close to zero.",
        "Fig. 7",
        "responses",
        ("plain20", "plain56", "resnet20", "resnet56", "resnet110"),
    ),
    Claim(
        "Better features detect better",
        "with ResNet-101 in place of VGG-16 and nothing else, AP on COCO rises from 21.2 to "
        "27.2 %; box refinement, context and multi-scale testing bring 32.5 %.",
        "Tables 8 and 9",
        "detection",
        again="half an hour on two idle cores; `--scale=paper --data_dir=DIR --init_from=A,B` is "
        "for COCO, from two trained networks",
    ),
)  # fmt: skip

HEAD = """\
# The paper, table by table, and what we measured

*Deep Residual Learning for Image Recognition* (He et al., 2015): what a study of this repository at
demo scale measured, and what the full scale takes. `make reports` and `make reports-detection` make
all of this page again, on a CPU: from Fashion-MNIST where `make data` has prepared it, else from
scikit-learn's digits, and from two photographs to detect digits on; CIFAR-10 itself has a command
of its own. So it shows directions and not the paper's numbers; where a direction does not show at
this scale, it says so. Nobody has run the full scale with this code yet.
"""

FOOT = """\
## How the cost is estimated

GPU-hours are estimates: FLOPs of the paper's schedule from the counted multiply-adds (two FLOPs
each, three passes a step), at {imagenet:.0f} TFLOP/s for ImageNet's nets, which NVIDIA measured for
ResNet-50 on one A100 in TF32 with XLA, and at {cifar:.0f} TFLOP/s for CIFAR's, which is an
assumption: small convolutions leave most of a GPU idle. Input that keeps up is assumed; evaluation,
recomputed statistics and ten crops are left out ([table1](table1.md) has each network). They are
for one seed; studies train three unless `--seeds=0` says one. `--nets` names fewer, and each is
trained on the data that it belongs to; `--jobs` prints the commands that a study would run, so that
several machines can share them. Studies share their runs, so all together cost less than the
sum."""


def main(arguments):
    asked = options.read(arguments)
    with program.quiet_start():
        from trainers.studies import report
    reports = read_all(asked.output_dir)
    hours = {row["name"]: row["gpu_hours"] for row in reports["table1"]["networks"]}
    again = {folder: read_all(asked.output_dir / folder, needed=()) for folder in AGAIN}
    sections = [
        section(claim, reports[claim.study], hours, again)
        for claim in CLAIMS
        if claim.study in reports
    ]
    minutes = sum(reports_seconds(reports).values()) / 60
    trained = (
        f"The {len(reports_seconds(reports))} training runs behind this page took {minutes:.0f} "
        "minutes on two busy CPU cores, TensorFlow's starts and pauses included, of resumed ones "
        "since their last start."
    )
    foot = FOOT.format(**{stem: flops / 1e12 for stem, flops in GPU_FLOPS.items()})
    covered = coverage.table(reports, report.table)
    text = "\n\n".join([HEAD.strip(), covered, trained, *sections, foot])
    files.write_text(asked.output_dir / "README.md", text + "\n")
    print(f"written: {asked.output_dir}/README.md, {len(sections)} claims of {len(CLAIMS)}")


def read_all(directory, needed=("table1",)):
    """{study: its numbers} of the reports that are there; without table1 nothing has a cost."""
    studies = dict.fromkeys([*(claim.study for claim in CLAIMS), *coverage.STUDIES])
    there = {study: (directory / f"{study}.json").exists() for study in studies}
    return {study: read(directory, study) for study in studies if there[study] or study in needed}


def read(directory, study):
    path = directory / f"{study}.json"
    if not path.exists():
        raise MissingReport(f"{path} is missing: run python -m trainers.studies.{study} first")
    return json.loads(path.read_text(encoding="utf-8"))


def reports_seconds(reports):
    """{run: seconds} of all studies, each run once."""
    runs = {}
    for numbers in reports.values():
        runs |= numbers.get("origin", {}).get("runs", {})
    return runs


def section(claim, numbers, hours, again):
    """A claim's part of the page; `again` are {folder of AGAIN: {study: its numbers}}."""
    command = f"python -m trainers.studies.{claim.study}"
    lines = [
        f"## {claim.title}",
        f"**The paper** ({claim.where}): {claim.says}",
        f"**Measured**: {numbers['finding']} [The report]({claim.study}.md), "
        f"[its numbers]({claim.study}.json).",
        f"![{claim.title}]({claim.study}.png)",
    ]
    lines[3:3] = [
        told_again(folder, claim.study, studies[claim.study])
        for folder, studies in again.items()
        if claim.study in studies
    ]
    if not claim.nets:
        return "\n\n".join([*lines, f"**Again**: `{command}`, {claim.again}."])
    uncounted = [net for net in claim.nets if net not in hours]
    if uncounted:
        raise MissingReport(
            f"table1.json lacks {uncounted[0]}: run python -m trainers.studies.table1"
        )
    costs = [
        f"{sum(hours[net] for net in nets):,.0f} GPU-hours a seed on {scales.DATA[stem]} at "
        f"{RATE[stem]} {GPU_FLOPS[stem] / 1e12:.0f} TFLOP/s"
        for stem, nets in scales.families(claim.nets).items()
    ]
    lines.append(
        f"**Full scale**: `{command} --scale=paper --data_dir=DIR`, about {' and '.join(costs)}."
    )
    return "\n\n".join(lines)


def told_again(folder, study, numbers):
    """What a study found under other conditions."""
    what = AGAIN[folder].format(seeds=", ".join(map(str, numbers["origin"]["seeds"])))
    return f"**{what}**: {numbers['finding']} [The report]({folder}/{study}.md)."


if __name__ == "__main__":
    program.run(main, __doc__)
