"""Messages are printed, and a closed stdout doesn't stop a script."""

import errno
import sys

import pytest

from cnnvis.console import messages


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


def test_a_full_disk_behind_stdout_is_an_error(monkeypatch):
    class Full:
        def write(self, _text):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        messages.say("lost")
