"""The page that sets every table and figure of the paper beside ours: complete, and read off."""

import re

import pytest

from trainers.studies import coverage, index, read_off

DEGRADED = {
    "finding": "Degradation shows: it is worse. Gradients: they explode, and do not show why. "
    "Otherwise fine.",
    "families": {
        "cifar": {
            "histories": {
                "plain8": [[{"step": 1, "error": 0.1, "validation_error": 0.2}]],
                "plain20": [
                    [{"step": 1, "error": 0.9}, {"step": 2, "error": 0.3, "validation_error": 0.4}],
                    [{"step": 1, "error": 0.9}, {"step": 2, "error": 0.5, "validation_error": 0.6}],
                ],
                "resnet8": [[{"step": 1, "error": 0.1, "validation_error": 0.3}]],
                "resnet20": [[{"step": 1, "error": 0.1, "validation_error": 0.2}]],
                "plain20, 4 times the steps": [[{"step": 1, "error": 0, "validation_error": 0}]],
            }
        }
    },
}


def test_every_table_and_figure_is_there_once():
    """The paper has 14 tables and 7 figures."""
    named = [row.what for row in coverage.ROWS if row.what.startswith(("Table", "Figure"))]
    for kind, count in (("Table", 14), ("Figure", 7)):
        numbers = [
            int(n) for what in named if what.startswith(kind) for n in re.findall(r"\d+", what)
        ]
        assert sorted(numbers) == list(range(1, count + 1))
    fixed = {row.state for row in coverage.ROWS if isinstance(row.state, str)}
    assert fixed <= set(read_off.STATES)


def test_figures_and_states_are_read_off_a_report():
    assert read_off.ends("plain")(DEGRADED) == "plain8 10.0 %, plain20 40.0 %"
    assert read_off.both_ends("validation_error")(DEGRADED) == (
        "plain8 20.0 %, plain20 50.0 %; resnet8 30.0 %, resnet20 20.0 %"
    )
    assert read_off.every("error")(DEGRADED).endswith("resnet8 10.0 %, resnet20 10.0 %")
    assert read_off.verdict(DEGRADED) == read_off.SHOWN
    assert read_off.compared({**DEGRADED, "pairs": {"a - b": {}}}) == read_off.SHOWN
    assert read_off.compared({**DEGRADED, "pairs": {}}) == read_off.FULL
    assert read_off.crossing(DEGRADED) == read_off.SHOWN
    assert read_off.verdict_of("Gradients")(DEGRADED) == read_off.HIDDEN
    assert read_off.verdict_of("nowhere")(DEGRADED) == read_off.ABSENT
    worse = {"measured": {"a": {"ap": [0.5]}, "b": {"ap": [0.4, 0.7]}, "c": {"ap": [0.52]}}}
    assert read_off.precision("a", "b")(worse) == "a 50.0 %, b 55.0 %"
    assert read_off.improves("a", "b")(worse) == read_off.SHOWN
    assert read_off.improves("a", "b", "c")(worse) == read_off.HIDDEN
    judged = {"a": [{"error": 0.5}], "b": [{"error": 0.25}], "first 2 together": [{"error": 0.2}]}
    assert read_off.together({"measured": judged}) == ("b alone 25.0 %, first 2 together 20.0 %")


def test_the_table_says_what_is_not_there():
    def table_of(header, rows):
        return "\n".join(f"| {' | '.join(row)} |" for row in (header, *rows))

    text = coverage.table({"degradation": DEGRADED}, table_of)
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
    command = "`python -m trainers.studies.detection`"
    expected = f"| {command} | not covered | AP 21.2 to 27.2 % | not measured |"
    assert expected in rows["Table 8"]
    assert (
        "| needs full scale |" in rows["Table 7"]
        and "trainers.detect --recipe=voc" in rows["Table 7"]
    )
    assert "[Table 2](degradation.md)" in rows and "| shown |" in rows["[Table 2](degradation.md)"]
    assert "| does not show at this scale |" in rows["[Sec. 4.1](degradation.md)"]


def test_a_claims_cost_names_its_assumptions():
    """Never a sum of ImageNet's nets and CIFAR's."""
    claim = index.Claim("Title", "says", "Table 9", "depth", ("resnet20", "resnet20", "resnet34"))
    text = index.section(claim, {"finding": "It does."}, {"resnet20": 1.5, "resnet34": 40.0}, {})
    assert "**Measured**: It does. [The report](depth.md)" in text and "With seeds" not in text
    assert (
        "about 3 GPU-hours a seed on CIFAR-10 at an assumed 1 TFLOP/s and 40 GPU-hours a seed on "
        "ImageNet at NVIDIA's measured 22 TFLOP/s."
    ) in text


def test_a_missing_report_is_named(tmp_path):
    claim = index.Claim("Title", "says", "Table 9", "depth", ("resnet20",))
    with pytest.raises(index.MissingReport, match="table1.json lacks resnet20: run python -m"):
        index.section(claim, {"finding": "It does."}, {}, {})
    with pytest.raises(index.MissingReport, match="run python -m trainers.studies.table1 first"):
        index.read_all(tmp_path)
    for study in ("table1", "localisation"):
        (tmp_path / f"{study}.json").write_text('{"finding": "It shows."}')
    assert set(index.read_all(tmp_path)) == {"table1", "localisation"}


def test_what_other_seeds_and_more_steps_found_stands_beside_it():
    claim = index.Claim("Title", "says", "Table 9", "depth", ("resnet20",))
    seeds = {"finding": "It does not.", "origin": {"seeds": [7, 8]}}
    steps = {"finding": "It does again.", "origin": {"seeds": [0]}}
    again = {"other_seeds": {"depth": seeds}, "four_times": {"depth": steps, "shortcuts": seeds}}
    text = index.section(claim, {"finding": "It does."}, {"resnet20": 1}, again)
    assert (
        "**With seeds 7, 8**: It does not. [The report](other_seeds/depth.md).\n\n"
        "**With four times the steps, seed 0**: It does again. [The report](four_times/depth.md)."
    ) in text
    assert text.count("**With") == 2
