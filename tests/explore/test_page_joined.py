"""Layers that put channels side by side: what a channel sees, and where it comes from."""

import keras
import pytest
from keras import layers

from tests.explore.conftest import FEW, Tab, make

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = pytest.mark.once


def joined():
    """Channels 0-3 of `both` are those of `small`, 4-8 those of `large`."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((16, 16, 3))
    small = layers.Conv2D(4, 1, padding="same", name="small")(inputs)
    large = layers.Conv2D(5, 5, padding="same", name="large")(inputs)
    both = layers.Dropout(0.5, name="dropout")(layers.Concatenate(name="both")([small, large]))
    pooled = layers.GlobalAveragePooling2D(name="average")(both)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="end")(pooled))


def test_a_channel_of_layers_side_by_side_leads_to_its_own_source(chromium, tmp_path):
    path, _ = make(tmp_path, joined(), *FEW)
    tab = Tab(chromium, path).alive()
    inspector = tab.page.locator(".inspector")
    for channel, source, sees in ((2, "small, channel 2", "1×1"), (6, "large, channel 2", "5×5")):
        tab.page.evaluate(f"location.hash = '#view=Network&layer=both&channel={channel}&row=8&col=8'")
        expect(inspector.locator("h2")).to_have_text(f"both channel {channel}")
        expect(inspector).to_contain_text("The outputs of several layers are put side by side.")
        expect(inspector).to_contain_text(f"is copied from {source}.")
        expect(inspector).to_contain_text(f"It sees {sees} pixels of the image")
        expect(tab.page.locator(".lines .for, .lines .against")).to_have_count(1)
    inspector.get_by_role("button", name="dropout").click()
    expect(inspector).to_contain_text("is copied from both, channel 6.")
    tab.page.go_back()
    inspector.get_by_role("button", name="large, channel 2").click()
    expect(inspector.locator("h2")).to_have_text("large channel 2")
    assert not tab.errors
    tab.page.close()
