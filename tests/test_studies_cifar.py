"""The study of CIFAR-10 itself: what it says of figures given by hand; all of it on two classes."""

import json

import pictures_in_folders
import programs
import pytest

from trainers.judging.paired import Difference
from trainers.studies import cifar, jobs, options, report

CLEAR, UNCLEAR = (Difference(0.02, low, 0.03, (0.01,)) for low in (0.01, -0.01))


def results(*nets):
    """Training error 10, 20, ... %, test error a tenth more, after 16,000 steps."""
    histories, judged = {}, {}
    for number, net in enumerate(nets, 1):
        histories[net] = [[{"step": 16_000, "error": number / 10}]]
        judged[net] = [{"error": 0.11 * number, "error_top5": 0.0}]
    return jobs.Results(histories, judged, {"seeds": [0], "runs": {}})


def test_the_finding_says_which_is_better_and_of_which_pictures():
    lossless = {"plain20": [{"error": 0.25, "images": 1000}], "resnet20": []}
    found = results("plain20", "resnet20")
    said = cifar.finding(found, {("plain20", "resnet20"): CLEAR}, lossless, 16_000)
    assert said == (
        "That resnet20 is better than plain20 shows (1 seed): plain20 less resnet20 +2.00 points "
        "(+1.00 to +3.00). After 16,000 steps plain20 is wrong on 11.00% of the test set's "
        "pictures, and on 25.0% of 1,000 without loss; resnet20 is wrong on 22.00% of the test "
        "set's pictures."
    )
    for gain in (UNCLEAR, -CLEAR):
        said = cifar.finding(found, {("plain20", "resnet20"): gain}, {}, 16_000)
        assert said.startswith("That resnet20 is better than plain20 does not show (1 seed): ")
    found.histories["resnet20"] *= 2
    said = cifar.finding(found, {("plain20", "resnet20"): CLEAR}, {}, 16_000)
    assert said.startswith("That resnet20 is better than plain20 shows: ")


def test_the_table_has_the_papers_figure_beside_ours():
    rows = cifar.table(results("plain20", "resnet20"), {}, report).splitlines()
    assert rows[2] == "| plain20 | 10.00 | 11.00 | – | – |"
    assert rows[3] == "| resnet20 | 20.00 | 22.00 | – | 8.75 |"


def test_fewer_steps_are_among_the_differences():
    assert "16,000 steps instead of 64,000" in cifar.differences(16_000)
    assert "instead of" not in cifar.differences(64_000).partition("pictures are files")[0]


def test_a_job_is_the_papers_recipe_on_a_folder():
    asked = options.Options(steps=16_000)
    given = dict(cifar.settings(asked))
    assert given == {
        "data": "folder",
        "recipe": "cifar10",
        "steps": "16000",
        "round_steps": "1000",
    }


def test_without_a_folder_or_with_other_nets_it_says_what_it_needs(tmp_path):
    ended = programs.run("trainers.studies.cifar")
    assert ended.returncode == 2 and "--data_dir: expected a folder with CIFAR-10's" in ended.stderr
    ended = programs.run("trainers.studies.cifar", f"--data_dir={tmp_path}", "--nets=resnet18")
    assert ended.returncode == 2 and "expected CIFAR's networks, got 'resnet18'" in ended.stderr


@pytest.mark.exhaustive
def test_the_study_from_end_to_end(tmp_path):
    pictures, clean = tmp_path / "pictures", tmp_path / "clean"
    for root, count in ((pictures, 80), (clean, 10)):
        for split in ("train", "validation"):
            pictures_in_folders.fill(root / split, count)
    ended = programs.run(
        "trainers.studies.cifar",
        f"--data_dir={pictures}",
        f"--lossless_dir={clean}",
        "--nets=plain8,resnet8",
        "--steps=2",
        "--seeds=0",
        f"--runs_dir={tmp_path / 'runs'}",
        f"--output_dir={tmp_path / 'reports'}",
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "reports" / "cifar.json").read_text())
    assert found["lossless"]["resnet8"][0]["images"] == 20
    assert list(found["pairs"]) == ["plain8 - resnet8"]
    text = (tmp_path / "reports" / "cifar.md").read_text()
    assert "2 steps instead of 64,000" in text and str(tmp_path) not in text
