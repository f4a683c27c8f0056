"""App. C as a study: its baseline by hand, what it says of the seeds, a report of runs."""

import json
import types

import numpy as np
import pytest
from test_studies_reports import finished_run, study

from trainers.data.boxes.files import annotated
from trainers.studies import jobs, localising, options

MIDDLE, ONE, ONE_REFINED, BY_CLASS, BY_CLASS_REFINED = (row.label for row in localising.ROWS)


def measured(one, by_class, worse=0.02):
    return {
        MIDDLE: {"gt_class_error": [0.9 for _ in one]},
        ONE: {"gt_class_error": one},
        ONE_REFINED: {"gt_class_error": [value - 0.01 for value in one]},
        BY_CLASS: {"gt_class_error": by_class, "error": by_class, "error_top5": by_class},
        BY_CLASS_REFINED: {"gt_class_error": [value - worse for value in by_class]},
    }


def of_boxes(boxes, sizes):
    """A split of pictures with one object of one class each."""
    rows = [(number, box, 0, False, 1.0) for number, box in enumerate(boxes)]
    pictures = [types.SimpleNamespace(path=f"{n}.png", image_id=n) for n in range(len(boxes))]
    found = annotated(rows, np.int32(sizes), pictures, ".", {"a": 1})
    return types.SimpleNamespace(annotations=found, length=len(boxes), class_names=("a",))


def test_the_middle_box_has_trainings_mean_share_of_the_sides():
    """Shares (.4, .2) and (.6, .6): mean (.5, .4), of 80 x 100 px a box of 40 x 40 at (20, 30)."""
    train = of_boxes([(0, 0, 40, 20), (10, 10, 40, 70)], [(100, 100), (50, 100)])
    held_out = of_boxes([(20, 30, 60, 70), (20, 30, 40, 70), (20, 30, 39, 70)], [(80, 100)] * 3)
    found = localising.of_middle(train, held_out)  # IoU 1, .5 and 19 / 40
    assert found == {"gt_class_error": pytest.approx(1 / 3)}


def test_the_first_sentence_says_what_seeds_agree_on():
    text = localising.finding(measured([0.4, 0.3], [0.2, 0.1]))
    assert text.startswith("With the class told, the mean box in the middle is wrong on 90.0 % of")
    assert "on 35.0 %, an RPN by class on 15.0 %; 2 seeds agreed that by class is better." in text
    assert text.endswith("by class, is wrong on 34.0 % and 13.0 %: that it helps shows.")
    assert "helps does not show" in localising.finding(measured([0.4, 0.3], [0.2, 0.1], -0.01))
    assert "by class is worse" in localising.finding(measured([0.1, 0.1], [0.2, 0.3]))
    assert "2 seeds at odds" in localising.finding(measured([0.1, 0.2], [0.2, 0.1]))
    single = localising.finding(measured([0.1], [0.2]))
    assert "one seed, which cannot tell" in single and "does not show. R-CNN" in single
    assert "does not show" not in text


def test_the_table_has_ours_beside_the_papers():
    lines = localising.table(measured([0.4], [0.2])).splitlines()
    assert lines[3] == f"| {ONE} | 40.00 | – | – | – | – |"
    assert lines[5] == f"| {BY_CLASS} | 20.00 | 20.00 | 20.00 | 13.30 | 14.40 |"
    assert lines[6] == f"| {BY_CLASS_REFINED} | 18.00 | – | – | – | 10.60 |"


def test_a_refiner_learns_from_the_row_before():
    """By name, not by place: the same run is found whatever the folder is called."""
    asked = options.Options(seeds=(0,))
    jobs_of = [localising.job("resnet8", row, 0, asked, {}) for row in localising.ROWS[1:]]
    for first, second in (jobs_of[:2], jobs_of[2:]):
        command = jobs.command_of(second, asked)
        assert command[:2] == ["-m", "trainers.refine"] and "--data=scenes_single" in command
        assert f"--localiser={asked.runs_dir / first.name}" in command
    assert len({job.name for job in jobs_of}) == 4


def test_a_report_of_runs_that_are_there(tmp_path):
    """Nothing is trained again, and no place of this machine is named."""
    asked = options.Options(seeds=(0,), steps=20)
    for row, error in zip(localising.ROWS[1:], (0.5, 0.125, 0.25, 0.75), strict=True):
        job = localising.job("resnet8", row, 0, asked, {})
        assert row.refined or ("by_class", str(row.by_class).lower()) in job.settings
        finished_run(tmp_path / "runs" / job.name, [0.9, 0.8])
        path = tmp_path / "runs" / job.name / "metrics.jsonl"
        records = [json.loads(line) for line in path.read_text().splitlines()]
        records[-1]["validation_gt_class_error"] = error
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        verdict = {"gt_class_error": error, "error": 0.5, "error_top5": 0.25}
        (path.parent / "evaluation.json").write_text(json.dumps(verdict))
    places = [f"--runs_dir={tmp_path / 'runs'}", f"--output_dir={tmp_path / 'out'}"]
    result = study("localisation", "--seeds=0", "--steps=20", *places)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"localisation.md", "localisation.json", "localisation.png"}
    text = (tmp_path / "out" / "localisation.md").read_text()
    assert "on 50.0 %, an RPN by class on 25.0 %; of one seed" in text
    assert "is wrong on 12.5 % and 75.0 %: that it helps does not show." in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    "words", [["--nets=resnet8,resnet20"], ["--scale=paper"], ["--init_from=runs/a"]]
)
def test_what_cannot_be_studied_is_one_sentence(words):
    result = study("localisation", *words)
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1
