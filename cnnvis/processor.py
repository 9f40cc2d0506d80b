"""The processor: what it can do, and how TensorFlow is set up to make the most of it.

TensorFlow leaves oneDNN's kernels off on processors that lack AVX512-VNNI, AVX-VNNI and AMX, where they would double
its speed; and glibc hands the memory of every large tensor back to the kernel, only to ask for it again, page by page,
a step later. `prepare` sees to both. It has to run before TensorFlow is imported, and importing `cnnvis` runs it.
"""

import ctypes
import os
import sys
import warnings
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # parameters of mallopt, from glibc's malloc.h


def prepare():
    """Set up this process, and those that it starts, before TensorFlow is imported.

    What the user has set stays: `TF_ENABLE_ONEDNN_OPTS`, `TF_NUM_INTRAOP_THREADS`, `TF_NUM_INTEROP_THREADS`,
    `TF_CPP_MIN_LOG_LEVEL`; and malloc is left alone if there is any `MALLOC_…` variable or `GLIBC_TUNABLES` names it.
    Where TensorFlow was imported before, it keeps its own settings, and a warning says so.
    """
    keep_freed_memory()
    if "tensorflow" in sys.modules:
        if "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
            warnings.warn(
                f"TensorFlow was imported before cnnvis and keeps its own settings (oneDNN is {_on_or_off()}): "
                "import cnnvis first, or set TF_ENABLE_ONEDNN_OPTS=1",
                stacklevel=3,
            )
        return
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if cores() < (os.cpu_count() or 1):
        for pool in ("INTRAOP", "INTEROP"):
            os.environ.setdefault(f"TF_NUM_{pool}_THREADS", str(cores()))


def keep_freed_memory():
    """Let malloc keep what is freed for the next tensor, if it is glibc's: whether it does.

    Without this, glibc maps every block of more than 32 MiB anew, and the kernel fills it with zeros, page by page.
    """
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        os.confstr("CS_GNU_LIBC_VERSION")
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, ValueError, OSError):  # Windows, macOS, musl
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))


def cores():
    """How many cores this process may use: those that it may run on, or fewer if a container's quota says so."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, _quota(Path("/sys/fs/cgroup"), available)))


def _quota(folder, otherwise):
    """Cores that the control group (version 2, then 1) in `folder` grants, rounded up."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / file).read_text(encoding="utf-8") for file in files).split()
            return -(-int(quota) // int(period)) if int(quota) > 0 else otherwise
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return otherwise


def uses_onednn():
    """Whether TensorFlow, once imported, takes oneDNN's kernels."""
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


def _on_or_off():
    return "on" if uses_onednn() else "off"


def multiplies_bfloat16():
    """Whether the first GPU, or else the processor, has instructions that multiply in bfloat16, and they are used."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0,)) >= (8, 0)
    return uses_onednn() and bool({"amx_bf16", "avx512_bf16"} & _flags())


def multiplies_in_tiles():
    """Whether bfloat16 is multiplied by the processor's matrix unit (AMX), since there is no GPU."""
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU") and uses_onednn() and "amx_bf16" in _flags()


def _flags():
    """What the processor can do, as Linux names it, without what the user forbids oneDNN to use: set of str."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return set()
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()  # such as AVX2, AVX512_CORE_BF16
    needed = {"amx_bf16": ("AMX", "DEFAULT"), "avx512_bf16": ("BF16", "FP16", "AMX", "DEFAULT")}
    return flags - {flag for flag, names in needed.items() if not any(name in allowed for name in names)}
