"""What docs/scale.md rests on is measured, of small sets and networks; no times."""

import re

import pytest

from benchmarks.scale import parts
from trainers.data import pipelines


def test_seeking_and_listing_have_figures(monkeypatch):
    monkeypatch.setattr(parts, "FILES", 40)
    found = {**parts.seek(1000), **parts.files(1000)}
    assert {key for key, value in found.items() if value >= 0} <= set(parts.TOLD)
    assert found["far_batch_seconds"] > 0 and len(found) == 5


def test_an_epochs_order_is_checked(monkeypatch):
    """An array of as many int64; examples that come twice are no permutation."""
    monkeypatch.setattr(parts, "GLOBAL_BATCH", 512)
    assert parts.permute(3000)["array_order_megabytes"] == 0.024
    monkeypatch.setattr(pipelines, "example_indices", lambda at, length, seed: at // 2)
    with pytest.raises(ValueError, match="every example of an epoch once"):
        parts.permute(3000)


def test_a_checkpoint_has_weights_and_momentum(monkeypatch):
    """resnet8: convolutions and a head by hand, two numbers a normalised channel."""
    monkeypatch.setattr(parts, "NETWORKS", ("resnet8",))
    found = parts.checkpoint(0)
    convolutions = 9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64)
    weights = convolutions + 64 * 10 + 10 + 2 * (3 * 16 + 2 * 32 + 2 * 64)
    assert found["resnet8_gradient_megabytes"] == pytest.approx(4e-6 * weights)
    twice = 2 * found["resnet8_gradient_megabytes"]
    assert twice < found["resnet8_checkpoint_megabytes"] < 1.2 * twice  # statistics, the index


def test_the_page_cites_what_is_measured():
    """Of the program's rows and the page's words; figures change with the machine."""
    with open("docs/scale.md", encoding="utf-8") as file:
        page = file.read()
    for claim in ("permutation", "checkpoint", "data service", "evaluat", "preempt", "gradients"):
        assert claim in page
    assert "python -m benchmarks.scale" in page
    claims = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert claims and all(re.search(r"\| (measured|reasoned|tested)\b", line) for line in claims)
