"""How memory grows over many calls in one process, and with the number of images in a folder.

SOAK=1000 makes a thousand calls, MILLION=1000000 a million images; both print their measurements (pytest -rP).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import small_sequential

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads how memory grows in /proc")

ROOT = Path(__file__).parents[2]
CALLS = int(os.environ.get("SOAK", 40))
IMAGES = int(os.environ.get("MILLION", 20_000))
# Growth that is allowed once garbage is collected and free memory returned. It is about 3 KiB per call; with jumps,
# twenty calls may show 40. The bound catches a TensorFlow graph that each call leaves behind (once 1,350 KiB), and
# figures or images.
KIB_PER_CALL = 100
BYTES_PER_IMAGE = 600  # for its name, label and probabilities; an image of 64x64 takes 12,288

SOAK = """
import ctypes, gc, json, os, sys
import visualize_hidden_layer_activation, visualize_hidden_layer_output, visualize_pixel_importance, visualize_results

calls, options = int(sys.argv[1]), sys.argv[2:]
scripts = {
    visualize_results: ["--examples", "2"],
    visualize_pixel_importance: ["--window", "8", "--stride", "8", "--num", "1"],
    visualize_hidden_layer_activation: ["--steps", "2", "--num", "1", "--layers", "first"],
    visualize_hidden_layer_output: ["--layers", "first"],
}
resident, libc = [], ctypes.CDLL(None)
for number in range(calls):
    script = list(scripts)[number % len(scripts)]
    assert script.main([*options, *scripts[script]]) == 0
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    with open("/proc/self/statm") as file:
        resident.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024)
print(json.dumps(resident))
"""

LIST = r"""
import json, re, sys
from cnnvis.images import load

images, total = load(sys.argv[1], "test", (64, 64), skip_bad=True).streamed, 0
for start in range(0, len(images), 62):
    total += int(images[start : start + 62][..., 0].sum())
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])  # KiB; ru_maxrss includes the parent's
print(json.dumps([len(images), total, peak]))
"""


def last_line(program, *options):
    """The JSON in the last line that a program prints in its own process."""
    command = [sys.executable, "-c", program, *map(str, options)]
    return json.loads(subprocess.check_output(command, cwd=ROOT, text=True).splitlines()[-1])


@pytest.mark.slow
def test_memory_grows_little_with_the_number_of_calls(tmp_path):
    small_sequential(classes=10, size=16).save(tmp_path / "small.keras")
    options = ["--model", tmp_path / "small.keras", "--input-range", "0", "1", "--data", "samples", "--out", tmp_path]
    began = time.perf_counter()
    resident = last_line(SOAK, CALLS, *options)
    seconds = time.perf_counter() - began
    warm = len(resident) // 2
    growth = np.polyfit(np.arange(warm, len(resident)), resident[warm:], 1)[0]
    marks = ", ".join(f"{resident[i] / 1024:.0f} after {i + 1}" for i in np.linspace(3, CALLS - 1, 9).astype(int))
    print(f"{CALLS} calls in {seconds:.0f} s; MiB: {marks}; {growth:.1f} KiB per call in the second half")
    assert growth < KIB_PER_CALL


@pytest.mark.slow
def test_memory_grows_with_a_folder_only_by_the_names_of_its_images(tmp_path):
    """Links to a few small files, in class folders of thousands."""
    peaks = {}
    for count in (IMAGES // 10, IMAGES):
        folder, began = tmp_path / str(count), time.perf_counter()
        for label in range(10):
            (folder / "test" / f"class {label}").mkdir(parents=True)
            Image.new("RGB", (8, 8), (label, 0, 0)).save(folder / "test" / f"class {label}" / "0.png")
            for number in range(1, count // 10):
                # A file can have 65,000 names.
                old = folder / "test" / f"class {label}" / f"{number - number % 10_000}.png"
                new = old.with_name(f"{number}.png")
                os.link(old, new) if number % 10_000 else Image.new("RGB", (8, 8), (label, 0, 0)).save(new)
        made = time.perf_counter()
        found, total, peaks[count] = last_line(LIST, folder)
        print(
            f"{found:,} images of 8x8, resized to 64x64: made in {made - began:.0f} s, "
            f"listed and streamed in {time.perf_counter() - made:.0f} s, at most {peaks[count] / 1024:.0f} MiB"
        )
        assert (found, total) == (count, 64 * 64 * 45 * count // 10)
    assert (peaks[IMAGES] - peaks[IMAGES // 10]) * 1024 < 20_000_000 + BYTES_PER_IMAGE * IMAGES * 0.9
