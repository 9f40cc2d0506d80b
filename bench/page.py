#!/usr/bin/env python3
"""The page of explore.py in Chromium: its size, the time to its first view, the speed and accuracy of what it computes.

The first view is complete once an image and its probabilities are drawn. All layers are redrawn after a patch of the
image was hidden. Predictions per second are measured by the page's own button, with both workers busy. The largest
difference is that between probabilities of the page and Keras, over all samples.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from playwright.sync_api import sync_playwright

import explore
from bench import machine
from cnnvis import checkpoints, images, network

CHANGES = 10  # of the image, there and back
REDRAW = """async ([key, selector]) => {
    const [shown, stage] = [selector, ".stage"].map((one) => document.querySelector(one));
    const ready = new Promise((done) => {
        const look = () => shown.getAttribute("aria-busy") === "false" && done();
        new MutationObserver(look).observe(shown, { attributeFilter: ["aria-busy"] });
    });
    stage.focus();
    const began = performance.now();
    stage.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await ready;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return (performance.now() - began) / 1000;
}"""


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", type=Path, help="(default: your newest, else deep)")
    parser.add_argument("--rounds", type=int, default=5, help="runs; medians are reported")
    return parser


def redraw(tab, key, selector):
    """Move the patch of the image by an arrow key: seconds until what `selector` finds is up to date, and drawn."""
    return tab.evaluate(REDRAW, [key, selector])


def measure(browser, page, samples):
    """Seconds to the first view, to the network and to redraw it; predictions a second; (N, K) probabilities."""
    tab = browser.new_page()
    began = time.perf_counter()
    tab.goto(page.resolve().as_uri(), wait_until="commit")
    tab.wait_for_selector("[aria-label=Probabilities]")
    first = time.perf_counter() - began
    tab.wait_for_selector(".network", timeout=120_000)
    alive = time.perf_counter() - began
    redrawn = statistics.median(redraw(tab, key, ".network") for key in ("ArrowLeft", "ArrowRight") * CHANGES)
    tab.get_by_role("tab", name="Results").click()
    tab.get_by_role("button", name="How fast?").click()
    tab.wait_for_selector("#speed:has-text('per second')", timeout=60_000)
    speed = float(tab.locator("#speed").inner_text().split()[0])
    probabilities = []
    for index in range(samples):
        tab.get_by_label("Images to choose from").get_by_role("button").nth(index).click()
        tab.wait_for_timeout(200)
        tab.wait_for_selector("[aria-label=Probabilities][aria-busy=false]")
        rows = tab.locator("[data-class]").evaluate_all("rows => rows.map(r => [r.dataset.class, r.dataset.value])")
        probabilities.append([float(value) for _, value in sorted(rows, key=lambda row: int(row[0]))])
    tab.close()
    return first, alive, redrawn, speed, np.array(probabilities)


def main():
    args = options().parse_args()
    path = checkpoints.find(args.model)
    samples = images.load("samples", "test").images
    expected = network.Classifier(checkpoints.load(path).model).probabilities(samples)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "explore.html"
        began = time.perf_counter()
        if explore.main(["--model", str(path), "--out", str(page)]):
            sys.exit(2)
        made = time.perf_counter() - began
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        rounds = [measure(browser, page, len(samples)) for _ in range(args.rounds)]
        version = browser.version
        browser.close()
        size = page.stat().st_size
    first, alive, redrawn, speed = (statistics.median(column) for column in list(zip(*rounds))[:4])
    difference = max(np.abs(probabilities - expected).max() for *_, probabilities in rounds)
    print(machine.describe(f"Chromium {version}; {path.name}; n = {args.rounds} rounds, medians"))
    print(f"the page: {size / 1e6:.1f} MB, made in {made:.0f} s")
    print(f"first view after {first:.2f} s, the network runs after {alive:.2f} s")
    print(f"all layers redrawn {1000 * redrawn:.0f} ms after a change of the image")
    print(f"{speed:.0f} predictions per second (lowest {min(r[3] for r in rounds):.0f})")
    print(f"largest difference from Keras over {len(samples)} samples: {difference:.5f}")


if __name__ == "__main__":
    main()
