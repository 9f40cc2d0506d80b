"""Messages are printed, and a closed stdout doesn't stop a script."""

import errno
import sys

import pytest

from cnnvis.console import messages, names, options, program


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError(errno.EINVAL, "Invalid")])
def test_a_closed_stdout_does_not_stop_a_script(error, monkeypatch):
    """The second error is that of Windows, which calls a broken pipe an invalid argument."""

    class Closed:
        def write(self, _text):
            raise error

    monkeypatch.setattr(sys, "stdout", Closed())
    messages.say("nobody hears it")
    messages.say("nor any other letter: 図")
    assert sys.stdout.encoding == "utf-8"
    sys.stdout.close()


def test_long_names_in_a_table_stay_distinct(capsys):
    messages.print_table("title", ("class", "F1"), [(99 * "a" + digit, "5 %") for digit in "12"])
    out = capsys.readouterr().out
    assert "aa1 " in out
    assert "aa2 " in out


def test_a_full_disk_behind_stdout_is_an_error(monkeypatch):
    class Full:
        def write(self, _text):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        messages.say("lost")


@pytest.mark.parametrize(
    ("seconds", "said", "after"),
    [
        ([90, *[2] * 99], "Predicting: this takes about 3.3 min.", 2),  # without the first step, which is slower
        ([90, *[0.5] * 99], "Predicting: this takes about 50 s.", 3),  # once a second of work is known
        ([90, *[0.02] * 99, 60], "", 101),  # a short sequence, as far as its first steps say
        ([60], "", 1),
    ],
)
def test_a_long_sequence_says_after_its_first_steps_how_long_it_takes(seconds, said, after, monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(messages.time, "perf_counter", lambda: now[0])
    told = ""
    for number, step in enumerate(messages.track("Predicting")(seconds)):
        told += capsys.readouterr().err
        assert told.strip() == (said if number >= after else "")
        now[0] += step
    assert number == len(seconds) - 1


def test_a_notice_is_given_once_in_a_run(capsys):
    def command(_args):
        for text in ("one", "one", "two"):
            messages.notice_once(text)

    for _ in range(2):
        assert program.run(options.parser("A test."), command, []) == 0
        assert capsys.readouterr().err == "one\ntwo\n"


def test_some_of_many_names():
    assert names.some(["a", "b\n", "c"]) == r"a, b\n, c"
    assert names.some("abcdef", most=2) == "a, b and 4 more"
