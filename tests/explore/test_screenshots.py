"""The README shows the page of explore.py as it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import explore
from article import screenshots
from tests.explore.conftest import FEW, missing

pytestmark = [pytest.mark.once, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
BASIC = ROOT / "models" / "stashed" / "cifar10_basic.keras"


def test_screenshots_are_up_to_date(tmp_path):
    """Compared after shrinking, since fonts differ between machines."""
    page = tmp_path / "page.html"
    assert explore.main(["--model", str(BASIC), *FEW, "--article", ".", "--out", str(page)]) == 0
    try:
        images = screenshots.photograph(page)
    except (ImportError, ValueError) as error:
        missing(error)
    for name, image in images.items():
        with Image.open(ROOT / "imgs" / f"{name}.png") as kept:
            assert image.size == kept.size
            assert np.abs(shrunk(image) - shrunk(kept)).mean() < 4, "draw it again: make figures"


def shrunk(image):
    return np.asarray(
        image.convert("RGB").resize((image.width // 8, image.height // 8), Image.Resampling.BOX), "float32"
    )
