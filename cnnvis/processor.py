"""The processor: what it can do, and how to set TensorFlow up to make the most of it.

TensorFlow leaves oneDNN's kernels off on processors without AVX512-VNNI, AVX-VNNI and AMX, although they would double
its speed there. And glibc returns the memory of every large tensor to the operating system, only to request it again,
page by page, a step later. `prepare` changes both, and makes Keras use TensorFlow. Importing `cnnvis` runs it, because
it must run before TensorFlow and Keras are imported.
"""

import ctypes
import importlib.util
import json
import logging
import os
import sys
import warnings
from pathlib import Path

from cnnvis.keras_internals import default_settings, uses_onednn

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # parameters of mallopt, from glibc's malloc.h


def prepare():
    """Set up this process, and its child processes, before TensorFlow is imported.

    The user's own settings stay: `TF_ENABLE_ONEDNN_OPTS`, `TF_NUM_INTRAOP_THREADS`, `TF_NUM_INTEROP_THREADS` and
    `TF_CPP_MIN_LOG_LEVEL`. malloc stays as it is if a variable `MALLOC_…` is set or `GLIBC_TUNABLES` mentions malloc.
    If TensorFlow has already been imported, it keeps its own settings, and a warning says so. Raises ImportError if
    Keras has been imported without TensorFlow.
    """
    keep_freed_memory()
    choose_backend()
    if "tensorflow" in sys.modules:
        if "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
            on_or_off = "on" if uses_onednn() else "off"
            warnings.warn(
                f"TensorFlow was imported before cnnvis and keeps its own settings (oneDNN is {on_or_off}): "
                "import cnnvis first, or set TF_ENABLE_ONEDNN_OPTS=1",
                stacklevel=3,
            )
        return
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if cores() < (os.cpu_count() or 1):
        for pool in ("INTRAOP", "INTEROP"):
            os.environ.setdefault(f"TF_NUM_{pool}_THREADS", str(cores()))


def choose_backend():
    """Make Keras use TensorFlow, with a notice if the user's settings name something else."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].backend.backend()
        if backend != "tensorflow":
            raise ImportError(
                f"cnnvis needs Keras with TensorFlow, but Keras was imported before it and uses {backend}: "
                "import cnnvis first, or set KERAS_BACKEND=tensorflow"
            )
        return
    chosen = os.environ.get("KERAS_BACKEND") or _chosen_in(keras_folder() / "keras.json")
    if chosen != "tensorflow":
        os.environ["KERAS_BACKEND"] = "tensorflow"
        if chosen and sys.stderr:
            print(f"Your settings make Keras use {chosen!a}; cnnvis uses TensorFlow.", file=sys.stderr)


def keras_folder():
    """The folder of Keras's settings and data sets."""
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):
        home = "/tmp"
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", os.path.join(home, ".keras"))))


def _chosen_in(file):
    """The backend that a keras.json names; None if it names none, or can't be read."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def import_libraries():
    """Import TensorFlow, and Keras with its default settings, whatever the user's keras.json says.

    Raises ValueError if Matplotlib, which Keras imports, refuses the user's settings.
    """
    logging.getLogger("matplotlib").setLevel("ERROR")  # it warns of settings, fonts and folders that don't matter here
    _, is_module, backend = os.environ.get("MPLBACKEND", "").partition("module://")
    if is_module and not importlib.util.find_spec(backend.partition(".")[0]):
        del os.environ["MPLBACKEND"]  # a notebook's, whose environment isn't this one
    try:
        import matplotlib  # noqa: F401
    except ValueError as error:
        raise ValueError(f"Matplotlib refuses a setting: correct MPLBACKEND or your matplotlibrc ({error})") from error
    with default_settings(keras_folder()):
        import tensorflow
    tensorflow.get_logger().setLevel("ERROR")


def keep_freed_memory():
    """Make glibc's malloc keep freed memory for the next tensor; return whether that worked.

    Otherwise, glibc maps every block of more than 32 MiB anew, and the kernel zeroes it page by page.
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
    """How many cores this process may use: those in its affinity mask, or fewer if a container sets a quota."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, _quota(Path("/sys/fs/cgroup"), available)))


def _quota(folder, otherwise):
    """How many cores the control group (version 2 or 1) in `folder` allows, rounded up; `otherwise` without a quota."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / file).read_text(encoding="utf-8") for file in files).split()
            return -(-int(quota) // int(period)) if int(quota) > 0 else otherwise
        except (OSError, ValueError):  # no such file, or it contains "max"
            continue
    return otherwise


def multiplies_bfloat16():
    """Whether TensorFlow uses bfloat16 instructions of the first GPU or, without a GPU, of the processor."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0,)) >= (8, 0)
    return uses_onednn() and bool({"amx_bf16", "avx512_bf16"} & _flags())


def multiplies_in_tiles():
    """Whether TensorFlow multiplies bfloat16 on the processor's matrix unit (AMX): only without a GPU."""
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU") and uses_onednn() and "amx_bf16" in _flags()


def _flags():
    """The processor's features by their names in Linux, except those that the user forbids oneDNN: set of str."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return set()
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()  # such as AVX2, AVX512_CORE_BF16
    needed = {"amx_bf16": ("AMX", "DEFAULT"), "avx512_bf16": ("BF16", "FP16", "AMX", "DEFAULT")}
    return flags - {flag for flag, names in needed.items() if not any(name in allowed for name in names)}
