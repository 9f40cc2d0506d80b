"""TensorFlow is set up before it is imported, and the user's own settings stay."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnvis import processor

ROOT = Path(__file__).parent.parent
SET = ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
TWICE = """
import resource
len(b"1" * 2**27)  # 128 MiB, more than glibc keeps by default
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
len(b"1" * 2**27)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
MALLOC = {"ours": {}, "unchanged": {"MALLOC_PERTURB_": "0"}}


def python(code, **settings):
    """Run code in a new process with only these settings: (stdout, stderr)."""
    kept = {name: value for name, value in os.environ.items() if name not in SET and not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | settings, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    """A folder for the user's keras.json, in a process that hasn't imported Keras."""
    monkeypatch.setattr(sys, "modules", {name: module for name, module in sys.modules.items() if name != "keras"})
    monkeypatch.setattr("os.environ", {"KERAS_HOME": str(tmp_path)})
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "file", "told"),
    [
        (None, None, ""),
        ("tensorflow", '{"backend": "jax"}', ""),
        ("torch", None, "'torch'"),
        (None, '{"backend": "jax"}', "'jax'"),
        ("", '{"backend": "openvino\\u001b"}', "'openvino\\x1b'"),
        (None, "[]", ""),
        (None, "{damaged", ""),
    ],
)
def test_keras_uses_tensorflow_and_a_notice_says_so(variable, file, told, keras_home, capsys):
    if variable is not None:
        os.environ["KERAS_BACKEND"] = variable
    if file:
        (keras_home / "keras.json").write_text(file)
    processor.choose_backend()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    expected = f"Your settings make Keras use {told}; cnnvis uses TensorFlow.\n" if told else ""
    assert capsys.readouterr().err == expected
    processor.choose_backend()
    assert capsys.readouterr().err == ""


def test_keras_imported_before_with_another_backend_is_refused(keras_home):
    sys.modules["keras"] = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    with pytest.raises(ImportError, match=r"uses jax: import cnnvis first, or set KERAS_BACKEND=tensorflow$"):
        processor.choose_backend()


def test_the_folder_of_keras_is_the_one_that_keras_finds(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert processor.keras_folder() == tmp_path / ".keras"
    monkeypatch.setenv("KERAS_HOME", "~/of keras")
    assert processor.keras_folder() == tmp_path / "of keras"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert processor.keras_folder() == Path("/tmp/.keras")


@pytest.mark.parametrize("settings", ["[]", '{"floatx": "bfloat16"}', '{"image_data_format": "channels_first"}'])
def test_keras_does_not_read_the_users_settings_but_keeps_their_data_sets(settings, tmp_path):
    """TensorFlow and Keras stop at the first two."""
    (tmp_path / "keras.json").write_text(settings)
    code = "import os; from cnnvis import processor; processor.import_libraries(); import keras\n"
    code += "print(keras.config.image_data_format(), keras.config.floatx(), os.environ['KERAS_HOME'])\n"
    code += "print(keras.src.backend.config.keras_home())"
    out, _ = python(code, KERAS_HOME=str(tmp_path))
    assert out.splitlines() == [f"channels_last float32 {tmp_path}", str(tmp_path)]
    assert (tmp_path / "keras.json").read_text() == settings


def test_a_setting_that_matplotlib_refuses_is_named():
    code = "from cnnvis import processor\ntry: processor.import_libraries()\nexcept ValueError as error: print(error)"
    assert "correct MPLBACKEND or your matplotlibrc (Key backend: 'no' is" in python(code, MPLBACKEND="no")[0]


def test_onednn_is_on_unless_the_user_turns_it_off():
    code = "import cnnvis; from cnnvis import processor; print(processor.uses_onednn())"
    assert python(code)[0] == str(sys.platform != "darwin")
    kept = "import cnnvis, os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"  # TensorFlow reads it
    assert python(kept, TF_ENABLE_ONEDNN_OPTS="0")[0] == "0"


def test_tensorflow_imported_first_keeps_its_settings_with_one_warning():
    code = "import tensorflow, os, cnnvis; from cnnvis import console; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
    out, err = python(code)
    assert out == "None"
    assert err.count("TensorFlow was imported before cnnvis") == 1
    assert "set TF_ENABLE_ONEDNN_OPTS=1" in err
    pretended = "import sys; sys.modules['tensorflow'] = sys; "  # enough here, and seconds faster
    out, err = python(pretended + code, TF_ENABLE_ONEDNN_OPTS="0")
    assert (out, "before cnnvis" in err) == ("0", False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the page faults that Linux reports")
def test_freed_memory_is_reused():
    pages = 2**27 // os.sysconf("SC_PAGE_SIZE")
    faults = {name: int(python(f"import cnnvis\n{TWICE}", **how)[0]) for name, how in MALLOC.items()}
    assert faults["ours"] < pages / 100
    assert faults["unchanged"] > pages / 2


def test_malloc_stays_as_it_is_without_glibc(monkeypatch):
    """As on a system without glibc."""
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("ctypes.CDLL", lambda _name: pytest.fail("mallopt was looked for"))
    monkeypatch.delattr("os.confstr", raising=False)
    assert not processor.keep_freed_memory()


def test_malloc_stays_as_it_is_where_a_process_is_not_a_library(monkeypatch):
    """As on Windows, where CDLL refuses None."""
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)

    def refuse(name):
        raise TypeError(f"bad argument type for built-in operation: {name}")

    monkeypatch.setattr("os.confstr", lambda _name: "", raising=False)
    monkeypatch.setattr("ctypes.CDLL", refuse)
    assert not processor.keep_freed_memory()


def test_a_system_that_says_nothing_about_its_processor(monkeypatch):
    """As on Windows and macOS, which have neither /proc nor affinities."""

    def refuse(path, *_, **__):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert processor.cores() == 6
    assert processor._flags() == set()


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, 8),
        ({"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"}, 3),
        ({"cpu.max": "nonsense"}, 8),
        ({}, 8),
    ],
)
def test_a_containers_quota_counts(files, cores, tmp_path):
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        folder = tmp_path / "cpu" if "cfs" in name else tmp_path
        (folder / name).write_text(f"{text}\n")
    assert processor._quota(tmp_path, 8) == cores


def test_there_is_a_thread_per_core(monkeypatch):
    monkeypatch.setattr(processor, "cores", lambda: 3)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr(processor, "keep_freed_memory", lambda: True)
    monkeypatch.setattr(sys, "modules", {name: module for name, module in sys.modules.items() if name != "tensorflow"})
    settings = {"TF_NUM_INTEROP_THREADS": "5"}
    monkeypatch.setattr("os.environ", settings)
    processor.prepare()
    assert [settings[name] for name in SET] == ["1", "3", "3", "5"]


def test_bfloat16_is_for_processors_whose_instructions_tensorflow_uses(monkeypatch):
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _kind: [])

    def multiplies(flags, onednn):
        monkeypatch.setattr(processor, "_flags", lambda: flags)
        monkeypatch.setattr(processor, "uses_onednn", lambda: onednn)
        return processor.multiplies_bfloat16(), processor.multiplies_in_tiles()

    assert multiplies({"amx_bf16", "avx512_bf16"}, True) == (True, True)
    assert multiplies({"avx512_bf16"}, True) == (True, False)
    assert multiplies({"amx_bf16", "avx512_bf16"}, False) == (False, False)
    assert multiplies({"avx2"}, True) == (False, False)


@pytest.mark.parametrize(
    ("isa", "kept"),
    [
        (None, {"amx_bf16", "avx512_bf16"}),
        ("avx2", set()),
        ("AVX512_CORE_VNNI", set()),
        ("AVX512_CORE_BF16", {"avx512_bf16"}),
        ("AVX512_CORE_AMX", {"amx_bf16", "avx512_bf16"}),
    ],
)
def test_instructions_that_the_user_forbids_onednn_do_not_count(isa, kept, monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda _path, **_: "flags : avx2 avx512_bf16 amx_bf16")
    if isa:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", isa)
    else:
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert processor._flags() & {"amx_bf16", "avx512_bf16"} == kept


ENTRIES = [
    *ROOT.glob("*.py"),
    *(path for path in ROOT.glob("bench/*.py") if "__main__" in path.read_text(encoding="utf-8")),
    *ROOT.glob("fuzz/*.py"),
    *(ROOT / package / "__init__.py" for package in ("article", "bench", "cnnvis")),
    ROOT / "tests" / "conftest.py",
]


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_entry_point_imports_ours_before_tensorflow(path):
    """Each file that starts a process or a package imports one of our modules before TensorFlow."""
    order = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        order += [name.split(".")[0] for name in names]
    heavy = {"tensorflow", "keras", "models"}
    ours = {"cnnvis", "bench", "article", "train", "explore"}
    first = next((name for name in order if name in heavy | ours), None)
    assert first not in heavy
