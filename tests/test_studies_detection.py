"""Tables 8 and 9 as a study: what it runs, its arithmetic by hand, what it says of the seeds."""

import json
import subprocess

import numpy as np
import pytest
from test_studies_reports import finished_run, study

from trainers.judging.detection import objects, verdict
from trainers.studies import detecting, jobs, options, real_pictures, report

ROWS = detecting.rows(("plain20", "resnet20"), (32, 64))


def measured(*values):
    """Rows' AP, one a seed, in percent; AP50 is twice it, for the sake of it."""
    return {
        row.label: {
            "ap": [v / 100 for v in each],
            "ap50": [v / 50 for v in each],
            "recall": [1.0 for _ in each],
        }
        for row, each in zip(ROWS, values, strict=True)
    }


FOUND = measured((10, 12), (20, 18), (21, 17), (20, 16), (26, 20))


def test_rows_are_the_papers_each_on_top_of_the_last():
    """Table 8 (VGG-16, ResNet-101) and Table 9, COCO val: AP50 and AP."""
    assert [row.paper for row in ROWS] == [
        (41.5, 21.2), (48.4, 27.2), (49.9, 29.9), (51.1, 30.0), (53.8, 32.5)
    ]  # fmt: skip
    looks = [set(), set(), {"--refine", "--vote"}, {"--refine", "--vote"}]
    assert [set(row.look) for row in ROWS[:4]] == looks
    assert ROWS[4].look[-1] == "--scales=32,64" and ROWS[4].looked == "refine-vote-scales"
    assert [row.context for row in ROWS] == [False, False, False, True, True]
    assert [row.net for row in ROWS] == [0, 1, 1, 1, 1]


def test_differences_are_paired_by_seed():
    """20 - 10 and 18 - 12; their mean is 8, their deviation of n - 1 sqrt(8) = 2.83."""
    values = {label: figures["ap"] for label, figures in FOUND.items()}
    changes = detecting.differences(values)
    assert changes[0] == pytest.approx([0.10, 0.06])
    assert detecting.points(changes[0]) == "+8.00 ± 2.83"
    assert detecting.points([-0.015]) == "-1.50"


def test_the_first_sentence_says_what_shows_and_what_does_not():
    first, second, last = detecting.finding(ROWS, FOUND).split(". ")
    assert first == (
        "In AP over 2 seeds, shows with every seed: resnet20 instead of plain20 (+8.00 ± 2.83 "
        "points), multi-scale testing (+5.00 ± 1.41 points); does not show: box refinement "
        "(+0.00 ± 1.41 points); worse with every seed: context (-1.00 ± 0.00 points)"
    )
    assert second.startswith("In AP50 over 2 seeds, shows with every seed: resnet20 instead of")
    assert "one of 2 cases" in last  # two coins fall alike every second time
    one = detecting.finding(ROWS, measured((10,), (20,), (21,), (20,), (26,)))
    assert one.startswith("One seed cannot tell an effect from chance. What came in AP: resnet20 ")
    assert "box refinement (+1.00 points)" in one and "context (-2.00 points)" in one  # AP50: twice


def test_the_relative_gain_by_hand():
    """(20 + 18) / (10 + 12) is 1.727; the paper's 27.2 / 21.2 is 1.28."""
    assert "resnet20 changes AP by +73%; " in detecting.relative(ROWS, FOUND)
    assert "AP of 0" in detecting.relative(ROWS, measured((0,), (1,), (1,), (1,), (1,)))


def test_the_table_has_ours_beside_the_papers():
    lines = detecting.table(ROWS, FOUND).splitlines()
    assert lines[2].startswith("| plain20 | 22.00 ± 2.83 | 11.00 ± 1.41 |  |")
    assert lines[3].endswith("| +8.00 ± 2.83 | 100.00 ± 0.00 | 48.4 | 27.2 |")


def test_an_evaluation_is_read_as_coco_says():
    judged = {"coco": {"ap": 0.25, "ap50": 0.5}, "proposals": {"50": {"all": 0.9}}}
    assert detecting.figures(judged) == {"ap": 0.25, "ap50": 0.5, "recall": 0.9}


def test_a_detectors_run_has_its_own_program_and_place(tmp_path, monkeypatch):
    """Both trainers' runs lie in one folder; commands name no place of this machine."""
    started = []
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(
        jobs.subprocess, "run", lambda command, **_: started.append(command) or failed
    )
    job = jobs.Job("resnet8", 0, (("data", "scenes"), ("steps", "2")), program="detect")
    with pytest.raises(jobs.StudyError, match="not trained to its end"):
        jobs.finish(job, options.Options(runs_dir=tmp_path))
    assert started[0][1:3] == ["-m", "trainers.detect"]
    assert f"--run_dir={tmp_path / job.name}" in started[0]
    manifest = {
        "network": {"name": "resnet20", "shortcut": "A", "stride": "1x1", "mean": "channel"},
        "data": {"imported": {"file": "resnet20.th"}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    typed = real_pictures.commands(real_pictures.begun(str(tmp_path), 0))
    assert "--init_from=RUN --data_dir=DIR --seed=0 --data=voc" in typed[0]
    assert str(tmp_path) not in " ".join(typed)
    assert real_pictures.source(tmp_path) == "resnet20.th"


def test_the_photographs_of_an_earlier_report_stay(tmp_path):
    assert real_pictures.earlier(tmp_path / "detection.json") is None
    assert real_pictures.section(None) == []
    each = {"name": "a", "objects": 3, "detections": 4, "voc": 0.5, "voc07": None}
    kept = {
        "set": "Cells", "source": "r.th", "network": "resnet20", "step": 9, "pictures": 2,
        "objects": 3, "ap": 0.5, "voc07": 0.25, "proposals": {"50": {"all": 0.75}},
        "classes": [each], "seconds": 120, "commands": ["one", "two"],
    }  # fmt: skip
    (tmp_path / "detection.json").write_text(json.dumps({"photographs": kept}))
    assert real_pictures.earlier(tmp_path / "detection.json") == kept
    text = "\n".join(real_pictures.section(kept))
    assert "| a | 3 | 4 | 50.0 | none |" in text and "| mean | 3 |  | 50.0 | 25.0 |" in text
    assert "Hardly found" not in text
    poor = "\n".join(real_pictures.section({**kept, "classes": [{**each, "voc": 0.05}]}))
    assert "Hardly found after so few steps: a." in poor
    assert "9 steps, 2 minutes" in text and "one\ntwo" in text and "cover 75.0 %" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--real_dir=photos"], "--real_dir=DIR and --init_from=RUN, one, go together"),
        (["--nets=resnet8"], "expected two backbones, the poorer first: --nets, and at the paper"),
        (["--scale=paper", "--init_from=/a,/b"], "/a holds no trained network"),
    ],
)
def test_what_cannot_be_studied_is_one_sentence(arguments, sentence):
    result = study("detection", *arguments)
    assert result.returncode == 2 and sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_where_the_photographs_are_is_not_reported(monkeypatch):
    monkeypatch.setattr("sys.argv", ["x", "--seeds=0", "--real_dir=/home/me", "--init_from=runs/a"])
    assert "--seeds=0 --init_from=runs/a`" in report.origin()


def test_a_report_of_runs_that_are_there(tmp_path):
    """Nothing is trained or judged again; nets that rows share are one run; the page is whole."""
    asked = options.Options(seeds=(0, 1), steps=20)
    rows = detecting.rows(("plain20", "resnet20"), detecting.SCALES["demo"])
    ap = iter((0.1, 0.2, 0.25, 0.3, 0.2, 0.2, 0.3, 0.35, 0.2, 0.3))
    for seed in asked.seeds:
        for row in rows:
            run_dir = (
                tmp_path / "runs" / detecting.job(("plain20", "resnet20"), row, seed, asked).name
            )
            if not run_dir.exists():
                finished_run(run_dir, [0.5, 0.25])
            figures = {"ap": (value := next(ap)), "ap50": 2 * value}
            place = run_dir / "judged" / row.looked
            place.mkdir(parents=True)
            text = json.dumps({"coco": figures, "proposals": {"50": {"all": 1.0}}})
            (place / "evaluation.json").write_text(text)
    assert len(list((tmp_path / "runs").iterdir())) == 6  # plain, residual, with context; two seeds
    places = [f"--runs_dir={tmp_path / 'runs'}", f"--output_dir={tmp_path / 'out'}"]
    result = study("detection", "--seeds=0,1", "--steps=20", *places)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"detection.md", "detection.json", "detection.png"}
    text = (tmp_path / "out" / "detection.md").read_text()
    assert text.split("\n\n")[1].startswith("In AP over 2 seeds, shows with every seed: resnet20 ")
    assert "does not show: context (-5.00 ± 14.14 points)" in text  # + 5 and - 15
    assert "multi-scale testing (+0.00 ± 14.14 points)" in text and str(tmp_path) not in text


def test_the_picture_that_was_seen_is_shown_with_its_boxes():
    """Number 82 of the set alone: a labelled box on the left, a found one on the right."""
    box = np.array([[40, 40, 200, 300]], np.float32)
    columns = np.array([82]), box, np.array([0])
    rest = np.array([False]), box[:, 0], ("cell",), np.array([1]), np.array([83])
    truth = objects.Truth(np.array([82]), *columns, *rest)
    read = {82: np.zeros((240, 400, 3), np.uint8)}.__getitem__
    found = objects.found([(82, box, np.array([0.9], np.float32), np.array([0]))])
    sheet = np.asarray(real_pictures.pair(verdict.Seen(truth, found), read))
    assert sheet.shape == (240, 808, 3)
    assert sheet[:, :400].max() > 100 and sheet[:, 408:].max() > 100  # else all is black
