"""What is on the disk before a file has its name, what is left by the dead, and by whom."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from zoo import files


@pytest.fixture
def disk(monkeypatch):
    """What is asked of the disk, in order: ("flush", name), ("rename", name)."""
    asked = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor):
        asked.append(("flush", pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        fsync(descriptor)

    def renamed(source, target):
        asked.append(("rename", pathlib.Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    return asked


def test_bytes_then_the_name_then_the_folder(disk, tmp_path):
    files.write_text(tmp_path / "a.txt", "whole")
    (kind, temporary), *rest = disk
    assert kind == "flush" and temporary.endswith(".a.txt") and temporary.startswith(".")
    assert rest == [("rename", "a.txt"), ("flush", tmp_path.name)]


def test_a_directory_s_files_are_all_there_before_it_has_its_name(disk, tmp_path):
    made = tmp_path / "made"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "a").write_text("a")
    (made / "b").write_text("b")
    files.settle(made, tmp_path / "1")
    names = ["b", "inner", "a", "made"]
    assert disk == [
        *(("flush", name) for name in names),
        ("rename", "1"),
        ("flush", tmp_path.name),
    ]


def test_the_names_of_new_directories_are_there_too(disk, tmp_path):
    files.make_directory(tmp_path / "runs" / "a")
    assert disk == [("flush", tmp_path.name), ("flush", "runs")]
    files.make_directory(tmp_path / "runs" / "a")
    assert len(disk) == 2


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), files.replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_what_the_dead_leave_is_swept_and_the_living_keep_theirs(tmp_path):
    """A process that ended, one whose number was given again, another machine's of today."""
    code = "from zoo import files; print(files.temporary_name('x.h5'))"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    own = files.temporary_name(tmp_path / "own.h5")
    again = own.with_name(own.name.replace(files.started(os.getpid()), "1"))
    other = own.with_name(own.name.replace(files.own_host(), "elsewhere"))
    left = [tmp_path / dead.stdout.strip(), again]
    kept = [own, other, tmp_path / ".hidden", tmp_path / ".a-b-c.d", tmp_path / "a.txt"]
    for path in [*left, *kept]:
        path.write_text("x")
    left.append(own.with_name(again.name.replace("own.h5", "3")))
    (left[-1] / "variables").mkdir(parents=True)  # an artifact that was never published
    (left[-1] / "variables" / "data").write_text("x")
    files.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    day_before = time.time() - files.ABANDONED_SECONDS - 60
    os.utime(other, (day_before, day_before))
    files.sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted({*kept} - {other})
