"""What a measurement was made on."""

import os
import platform
import re
from datetime import datetime
from importlib.metadata import version
from pathlib import Path


def describe(how):
    """Processor, cores, how it multiplies in bfloat16, versions and date, then how it was measured: one line."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
    except OSError:
        cpuinfo = ""
    model = re.search(r"^model name\s*: (.+)", cpuinfo, re.MULTILINE)
    native = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in cpuinfo.split()]
    return (
        f"{model[1] if model else platform.processor()}, {os.cpu_count()} logical cores, "
        f"bfloat16 by {' and '.join(native) or 'no instruction'}; TensorFlow {version('tensorflow')}, "
        f"Keras {version('keras')}; {datetime.now():%Y-%m-%d}; {how}."
    )
