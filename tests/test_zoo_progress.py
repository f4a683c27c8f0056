"""Progress of long programs: a moving line on a terminal, few lines elsewhere, none if quiet."""

import io
import os
import pty
import re
import subprocess

from export_networks import program, save_run
from runs_on_digits import run

from zoo import progress, starting


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def written(stream, seconds, total=1000):
    """What 1,000 items of one second each, or the first of them, leave on a stream."""
    clock = Clock()
    line = progress.Line("evaluating", total, stream, clock)
    for _ in range(seconds):
        clock.now += 1
        line.advance()
    line.clear()
    return stream.getvalue()


def test_a_terminal_has_one_line_that_goes_away():
    text = written(Terminal(), 500)
    states = text.split("\r\033[K")
    assert len(states) == 502 and states[-1] == "" and "\n" not in text
    assert states[250] == f"evaluating [{6 * '#'}{18 * '.'}] 250 of 1,000, 12 min 30 s left"


def test_elsewhere_there_are_few_lines():
    """After 30 seconds, and each time after as long again."""
    lines = written(io.StringIO(), 1000).splitlines()
    assert [line.split()[1] for line in lines] == ["30", "60", "120", "240", "480", "960"]
    assert lines[1] == "evaluating 60 of 1,000, 15 min 40 s left"
    assert written(io.StringIO(), 29) == ""


def test_times_as_a_person_says_them():
    found = [progress.duration(s) for s in (0.4, 45, 200, 7500)]
    assert found == ["0 s", "45 s", "3 min 20 s", "2 h 5 min"]


def test_calls_from_python_say_nothing(capsys):
    assert list(progress.over(range(3), "x", 3)) == [0, 1, 2]
    with progress.stage("x"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_filter_of_standard_error_does_not_hide_the_terminal(capfd):
    with starting.filtered_stderr(re.compile(b"noise")):
        os.write(2, b"noise\n")
        print("\rnoise of ours", end="", file=starting.unfiltered(), flush=True)
    assert capfd.readouterr().err == "\rnoise of ours"


def on_a_terminal(*words):
    """(standard output, what a terminal got as standard error)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 4096):
            told += part
    except OSError:  # the program has ended
        pass
    os.close(ours)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    return output, told.decode()


def test_a_program_shows_its_progress_on_a_terminal_unless_quiet(tmp_path):
    words = program("trainers.evaluate", f"--run_dir={save_run(tmp_path / 'run')}")
    output, told = on_a_terminal(*words)
    assert re.search(r"evaluating \[[#.]{24}\] [\d,]+ of 355", told) and told.endswith("\r\033[K")
    assert "evaluating" not in output
    quiet, told = on_a_terminal(*words, "--quiet")
    assert told == "" and quiet == output  # which is the result


def test_quiet_training_says_how_it_ended_and_warns(tmp_path):
    words = ["--steps=10", "--round_steps=5", "--batch_size=16", "--nopictures", "--quiet"]
    result = run("classify", *words, f"--run_dir={tmp_path / 'run'}")
    assert result.returncode == 0
    assert result.stdout.startswith("trained: ") and result.stdout.count("\n") == 1
    assert result.stderr.startswith("NOTE: --batch_size=16") and result.stderr.count("\n") == 1
