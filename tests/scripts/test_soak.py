"""Many calls in one process, and folders of very many pictures: how memory grows.

SOAK=1000 asks for a thousand calls, MILLION=1000000 for a million pictures; both say what they measured (pytest -rP).
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
PICTURES = int(os.environ.get("MILLION", 20_000))
# That memory may grow, once rubbish is collected and free memory given back. It does by about 3 KiB a call, but
# twenty calls in which it jumps may show 40. The bound is there for a graph of TensorFlow's that a call leaves behind
# (1,350 KiB a call as it was once), and for figures or pictures.
KIB_A_CALL = 100
BYTES_A_PICTURE = 600  # of a name, a label, and what two classes get; a picture of 64x64 has 12,288

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
from cnnvis.images import sources as data

pictures = data.load(sys.argv[1], "test", (64, 64), skip_bad=True)
images, total = pictures.streamed, 0
for start in range(0, len(pictures), 62):
    total += int(images[start : start + 62][..., 0].sum())
with open("/proc/self/status") as file:
    peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])  # KiB; ru_maxrss counts the parent's, too
print(json.dumps([len(pictures), total, peak]))
"""


def last_line(program, *options):
    """What a program of its own process says at the end, from JSON."""
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
    print(f"{CALLS} calls in {seconds:.0f} s; MiB: {marks}; {growth:.1f} KiB a call in the second half")
    assert growth < KIB_A_CALL


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pictures_of_a_folder_but_for_their_names(tmp_path):
    """Links to a few small files, in class folders of thousands."""
    peaks = {}
    for count in (PICTURES // 10, PICTURES):
        folder, began = tmp_path / str(count), time.perf_counter()
        for label in range(10):
            (folder / "test" / f"class {label}").mkdir(parents=True)
            Image.new("RGB", (8, 8), (label, 0, 0)).save(folder / "test" / f"class {label}" / "0.png")
            for number in range(1, count // 10):
                # A file has 65,000 names at most.
                old = folder / "test" / f"class {label}" / f"{number - number % 10_000}.png"
                new = old.with_name(f"{number}.png")
                os.link(old, new) if number % 10_000 else Image.new("RGB", (8, 8), (label, 0, 0)).save(new)
        made = time.perf_counter()
        found, total, peaks[count] = last_line(LIST, folder)
        print(
            f"{found:,} pictures of 8x8, brought to 64x64: made in {made - began:.0f} s, "
            f"listed and streamed in {time.perf_counter() - made:.0f} s, at most {peaks[count] / 1024:.0f} MiB"
        )
        assert (found, total) == (count, 64 * 64 * 45 * count // 10)
    assert (peaks[PICTURES] - peaks[PICTURES // 10]) * 1024 < 20_000_000 + BYTES_A_PICTURE * PICTURES * 0.9
