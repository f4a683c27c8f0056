"""proposals.npz: made once, whole, and refused to a run that goes on with others."""

import numpy as np
import pytest

from trainers.run import proposals
from trainers.run.directory import RunError

FOUND = np.array([0, 0, 5], np.int64), np.int32([[0, 1, 2, 3], [4, 5, 6, 7], [1, 1, 9, 99_999]])


@pytest.fixture
def asked(monkeypatch):
    """How often proposals were made."""
    times = []

    def proposed(*given):
        times.append(given)
        return FOUND

    monkeypatch.setattr(proposals, "proposed", proposed)
    return times


def test_proposals_are_made_once_and_kept_to_the_bit(asked, tmp_path):
    path = tmp_path / "proposals.npz"
    for _ in range(2):
        for found, expected in zip(proposals.kept(None, None, {"a": 1}, path, False), FOUND):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
    assert len(asked) == 1 and [file.name for file in tmp_path.iterdir()] == [path.name]


def test_those_of_another_localiser_are_for_another_run(asked, tmp_path):
    """Where none has begun they are made anew."""
    path = tmp_path / "proposals.npz"
    proposals.kept(None, None, {"localiser": "a"}, path, False)
    with pytest.raises(RunError, match="of another localiser, or of other pictures"):
        proposals.kept(None, None, {"localiser": "b"}, path, True)
    proposals.kept(None, None, {"localiser": "b"}, path, False)
    proposals.kept(None, None, {"localiser": "b"}, path, True)
    assert len(asked) == 2


def test_a_damaged_file_is_one_sentence(asked, tmp_path):
    path = tmp_path / "proposals.npz"
    proposals.kept(None, None, {}, path, False)
    for content in (b"", b"no archive", path.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="cannot be read .*: remove it, and it is made anew"):
            proposals.kept(None, None, {}, path, True)
