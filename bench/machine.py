"""The machine that a measurement was made on."""

import math
import os
import platform
import re
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path


def describe(how):
    """Processor, cores, bfloat16 instructions, versions, date, and how it was measured: one line."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        cpuinfo = ""
    name, family, model = (
        re.search(rf"^{key}\s*: (.+)", cpuinfo, re.MULTILINE) for key in ("model name", "cpu family", "model")
    )
    processor = name[1] if name else platform.processor()
    if family and model:  # clouds hide part of the name
        processor += f" (family {family[1]}, model {model[1]})"
    native = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in cpuinfo.split()]
    return (
        f"{processor}, {os.cpu_count()} logical cores, "
        f"bfloat16 by {' and '.join(native) or 'no instruction'}; TensorFlow {version('tensorflow')}, "
        f"Keras {version('keras')}; {datetime.now():%Y-%m-%d}; {how}."
    )


def peak_megabytes():
    """Peak memory of this process; NaN on Windows, where Python can't ask for it."""
    try:
        import resource
    except ImportError:
        return math.nan
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS reports bytes, Linux KiB
