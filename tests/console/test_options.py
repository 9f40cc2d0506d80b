"""Options, and errors in one line."""

import contextlib
import errno
import gc
import sys

import pytest

from cnnvis.console import messages as console
from cnnvis.console import options as cli


def run(command, argv=()):
    return cli.run(cli.parser("A test."), command, list(argv))


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
        (MemoryError(), 2, "choose a smaller picture or network, or end other programs (MemoryError)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_mistakes_are_one_line(error, status, line, capsys):
    assert run(raises(error)) == status
    err = capsys.readouterr().err.strip()
    assert err.endswith(line)
    assert "\n" not in err


def test_debug_shows_where_and_a_bug_shows_always():
    with pytest.raises(ValueError, match="wrong"):
        run(raises(ValueError("wrong")), ["--debug"])
    with pytest.raises(KeyError):
        run(raises(KeyError("bug")))


def test_a_wrong_option_is_one_line(capsys):
    assert run(None, ["--seed", "x"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("argv", [["--seed", "-1"], ["--seed", "x"], ["--unknown"]])
def test_wrong_options(argv):
    assert run(lambda args: None, argv) == 2


def test_help_shows_defaults_and_no_none(capsys):
    assert cli.run(cli.visualize_parser("A test."), None, ["--help"]) == 0
    out = capsys.readouterr().out
    assert "(default: outputs)" in out
    assert "None" not in out
    assert "False" not in out


@pytest.mark.parametrize(("text", "value"), [("mean", "mean"), ("noise", "noise"), ("0", 0.0), ("127.5", 127.5)])
def test_baselines(text, value):
    assert cli.baseline(text) == value


@pytest.mark.parametrize("text", ["grey", "-1", "256", "nan"])
def test_no_baselines(text):
    with pytest.raises(cli.argparse.ArgumentTypeError):
        cli.baseline(text)


def test_class_index():
    assert cli.class_index("dog", ("cat", "dog")) == 1
    assert cli.class_index("0", ("cat", "dog")) == 0
    assert cli.class_index("0", ("1", "0")) == 1  # a name goes before an index
    assert cli.class_index(None, ("cat",)) is None
    for wrong in ("2", "bird", "-1"):
        with pytest.raises(ValueError, match="there are cat, dog"):
            cli.class_index(wrong, ("cat", "dog"))


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_garbage_is_looked_for_again_after_an_import(error):
    """Not among what was imported: that stays."""
    try:
        with contextlib.suppress(KeyboardInterrupt), cli._all_kept():
            assert not gc.isenabled()
            if error:
                raise error
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError(errno.EINVAL, "Invalid")])
def test_a_reader_that_has_gone_away_stops_nothing(error, monkeypatch):
    """The second by substitution: no Windows here, which calls a broken pipe an invalid argument."""

    class Closed:
        def write(self, _text):
            raise error

    monkeypatch.setattr(sys, "stdout", Closed())
    console.say("nobody hears it")
    console.say("nor any other letter: 図")
    assert sys.stdout.encoding == "utf-8"
    sys.stdout.close()


def test_a_full_disk_behind_stdout_is_told(monkeypatch):
    class Full:
        def write(self, _text):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        console.say("lost")


def test_without_a_console_there_is_no_stderr_to_close(monkeypatch):
    """By substitution: no Windows here, where programs in windows have none."""

    def no_such_file(_number):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr("os.dup", no_such_file)
    with cli._stderr_closed():
        pass
