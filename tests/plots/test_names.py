"""Names in figures are distinct, and every character of them is drawn."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from cnnvis import plots
from cnnvis.evaluation import findings
from cnnvis.images import Dataset
from cnnvis.plots import canvas, fonts
from cnnvis.plots.names import cut, legible, short_names

ARABIC, HINDI, CUNEIFORM = "قطة", "कुत्ता", "𒀀"
shaped = pytest.mark.skipif(not fonts.IS_SHAPED, reason="this Matplotlib draws Arabic letters unjoined")


def forget():
    for function in (fonts._fonts, fonts._others, fonts.family):
        function.cache_clear()


@pytest.fixture(autouse=True)
def only_matplotlibs_fonts(monkeypatch):
    """A machine without other fonts, which draw more characters."""
    own = [font for font in fonts.font_manager.fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(fonts.font_manager.fontManager, "ttflist", own)
    forget()
    yield
    forget()


@given(st.lists(st.text("ab漢é\u0301 \n$", max_size=40), max_size=6))
def test_short_names_are_short_and_distinct(names):
    short = short_names(names, 12)
    assert len({" ".join(name.split()) for name in short}) == len(names)
    assert all(len(name.replace("\u0301", "")) <= 12 for name in short)
    assert all(name.strip() and name.isprintable() for name in short)


def test_names_are_cut_in_the_middle():
    assert cut("n" * 18, 18) == "n" * 18
    assert cut("conv2d_block_17_expand", 13) == "conv2d…expand"
    assert cut("two words and more", 9) == "two…more"
    assert cut("漢字漢字漢字", 7) == "漢…字"  # twice as wide as letters
    assert cut("n" * 6 + "e\u0301" * 6, 7) == "nnn…ééé"
    assert short_names(["a long 1 name", "a long 2 name", "b"], 8) == ["a…e (0)", "a…e (1)", "b"]


@pytest.mark.parametrize("name", [CUNEIFORM, f"cat {CUNEIFORM}", "", " \t"])
def test_a_name_that_can_not_be_drawn_becomes_its_index(name):
    assert legible(["dog", name]) == ["dog", "class 1"]
    assert legible([name], "image", [7]) == ["image 7"]
    assert short_names(["class 1", name]) == ["class 1 (0)", "class 1 (1)"]


def test_text_that_needs_shaping_is_drawn_by_those_that_shape(monkeypatch):
    assert legible([ARABIC]) == ([ARABIC] if fonts.IS_SHAPED else ["class 0"])
    monkeypatch.setattr(fonts, "IS_SHAPED", False)
    forget()
    assert legible([ARABIC, HINDI, "é", "e\u0301"]) == ["class 0", "class 1", "é", "e\u0301"]


@shaped
def test_numbers_beside_arabic_stay_in_their_places():
    """A mark of text from left to right before and after each name, however often the figure is drawn."""
    once = fonts.drawn(f"{ARABIC} {ARABIC} 95% → {ARABIC}")
    assert once == f"\u200e{ARABIC} {ARABIC}\u200e 95% → \u200e{ARABIC}\u200e"
    assert fonts.drawn(once) == once


def test_another_font_of_the_machine_is_used_where_matplotlibs_own_lacks_a_character(monkeypatch):
    """The first that has it, but for one with a box for every character."""
    has = {"DejaVu Sans": "cat …", ".LastResort": "猫犬𐀀", "Han": "猫", "Other Han": "猫犬"}
    listed = [SimpleNamespace(name=name, fname=name, style="normal", weight=400) for name in has]
    monkeypatch.setattr(fonts.font_manager.fontManager, "ttflist", listed)
    monkeypatch.setattr(fonts, "_characters", lambda path: dict.fromkeys(map(ord, has[path])))
    forget()
    assert fonts.families("cat 猫犬") == ["DejaVu Sans", "Han", "Other Han"]
    assert fonts.drawn("cat 猫 𐀀𐀀") == "cat 猫 …"


@pytest.mark.filterwarnings("error")
def test_a_figure_has_no_boxes(tmp_path):
    """Not even in texts that were set on it by hand: Matplotlib would warn of missing characters."""
    figure = canvas.new_figure(4, 2)
    figure.suptitle(f"{CUNEIFORM}{CUNEIFORM}.png 猫 {ARABIC} 🐱")
    figure.subplots().set_yticks([0, 1], short_names([CUNEIFORM, "猫"]))
    figure.savefig(tmp_path / "figure.png")
    shown = figure.get_suptitle()
    assert shown.startswith("….png")
    assert fonts.is_drawable(shown)


def test_the_classes_of_all_figures_of_findings_are_legible():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (12, 8, 8, 3), dtype="uint8"), np.arange(12) % 3
    dataset = Dataset("name", images, labels, ("cat", CUNEIFORM, "dog"))
    probabilities = rng.dirichlet(np.ones(3), 12)
    found = findings.evaluate(probabilities, labels, 2)
    figures = plots.findings_pages(dataset, probabilities, found, headline="t", examples=3, topk=2, seed=0)
    texts = [text.get_text() for figure in figures.values() for text in figure.findobj(Text)]
    assert not [text for text in texts if CUNEIFORM in text]
    assert [text for text in texts if re.search(r"class 1 #\d", text)]
    assert dataset.classes[1] == CUNEIFORM
