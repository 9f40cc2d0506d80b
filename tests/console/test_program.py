"""A script from its arguments to its exit code: each mistake is one line."""

import contextlib
import errno
import gc

import pytest

from cnnvis.console import options, program


def run(command, argv=()):
    return program.run(options.parser("A test."), command, list(argv))


def raises(error):
    def command(_args):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("wrong\n  in two lines"), 2, "wrong in two lines"),
        (OSError(28, "No space left on device", "out/x.png"), 2, "out/x.png: No space left on device"),
        (PermissionError("out can't be written to"), 2, "out can't be written to"),
        (MemoryError(), 2, "choose a smaller image or network, or close other programs (MemoryError)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_mistake_is_one_line(error, status, line, capsys):
    assert run(raises(error)) == status
    err = capsys.readouterr().err.strip()
    assert err.endswith(line)
    assert "\n" not in err


def test_a_long_message_keeps_its_end_and_whole_words():
    assert program.one_line(ValueError("what is wrong " * 80 + "to do")).endswith("wrong to do")
    line = program.one_line(ValueError("what is wrong " * 1000 + "to do"))
    assert len(line) <= program.LONGEST
    assert line.endswith("is wrong to do")
    assert set(line.split()) == {"what", "is", "wrong", "to", "do", "…"}


def test_debug_shows_a_traceback_and_a_bug_always_does():
    with pytest.raises(ValueError, match="wrong"):
        run(raises(ValueError("wrong")), ["--debug"])
    with pytest.raises(KeyError):
        run(raises(KeyError("bug")))


def test_a_wrong_option_is_one_line(capsys):
    assert run(None, ["--seed", "x"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_garbage_collection_is_on_again_after_an_import(error):
    """But not among the imported modules, which stay."""
    try:
        with contextlib.suppress(KeyboardInterrupt), program._without_garbage_collection():
            assert not gc.isenabled()
            if error:
                raise error
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_without_a_console_there_is_no_stderr_to_close(monkeypatch):
    """As on Windows, where programs without a console have no stderr."""

    def no_such_file(_number):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr("os.dup", no_such_file)
    with program._stderr_closed():
        pass
