"""Names of any characters are drawn: by a font that has them, or spelled out, without a word."""

import warnings

import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from export import images, picture
from trainers.judging import plots
from zoo import lettering

NAMES = ["Café – 猫 $5", "$^$", "a $x$ \\", "🙂", "\udcff", "x\ny", "long " * 50, "plain"]


@pytest.fixture
def two_fonts(monkeypatch):
    """Those that come with Matplotlib, whatever else is installed."""
    monkeypatch.setattr(lettering, "families", lambda: (lettering.PLAIN, "STIXGeneral"))
    lettering.font_of.cache_clear()
    yield
    lettering.font_of.cache_clear()


def test_what_no_font_has_is_spelled_out(two_fonts):
    """By the Unicode Character Database: U+732B, U+1F642 SLIGHTLY SMILING FACE, U+200D joins."""
    expected = {
        "Café – 猫 $5": "Café – [732B] $5",
        "$^$": "$^$",
        "🙂\u200d": "[slightly smiling face]\u200d",
        "\udcff": "[DCFF]",
        "x\ny": "x[000A]y",
        "Cafe\u0301": "Café",
        "𝒜Ａ": "𝒜A",  # of a script letter and a wide one, which DejaVu Sans lacks, one is STIX's
    }
    assert {name: lettering.drawable(name) for name in expected} == expected


def test_a_font_that_has_a_character_draws_it(two_fonts):
    plain, stix = (font_manager.findfont(name) for name in (lettering.PLAIN, "STIXGeneral"))
    script = "\N{MATHEMATICAL SCRIPT CAPITAL A}"
    assert lettering.runs(f"a{script}{script}$") == [("a", plain), (script * 2, stix), ("$", plain)]
    names, style = lettering.drawn(["cat", script])
    assert names == ["cat", script]
    assert style == {"parse_math": False, "fontfamily": [lettering.PLAIN, "STIXGeneral"]}


def test_pictures_of_any_names_are_made_in_silence(tmp_path, capfd):
    counts = np.array([[i, j, i + j + 1] for i in range(len(NAMES)) for j in range(len(NAMES))])
    tile, n = np.full((8, 8, 3), 99, np.uint8), len(NAMES)
    shown = images.Images(np.float32([tile] * n), (b"",) * n, np.arange(n), "")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.confusion_matrix(tmp_path / "matrix.png", counts, NAMES)
        plots.confused_pairs(tmp_path / "pairs.png", counts, NAMES)
        plots.contact_sheet(tmp_path / "sheet.png", [tile] * n, [(name, name) for name in NAMES])
        picture.draw(tmp_path / "answers.png", shown, np.eye(n)[::-1], NAMES)
    assert capfd.readouterr() == ("", "")
    assert len([Image.open(path).verify() for path in tmp_path.iterdir()]) == 4


def test_dollars_are_drawn_as_they_are(tmp_path):
    """As mathematics `$a$` would be an italic letter alone: the captions must be of two widths."""

    def ink(caption):
        plots.contact_sheet(tmp_path / "sheet.png", [np.full((9, 9, 3), 255, np.uint8)], [caption])
        return (np.asarray(Image.open(tmp_path / "sheet.png").convert("L")) < 128).sum()

    assert ink(("$a$",)) > ink(("a",)) + ink(("a",))
