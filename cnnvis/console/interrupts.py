"""A clean end on Ctrl-C, and on SIGTERM, with which batch systems and containers end a process."""

import signal
import threading
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived. Like Ctrl-C, it is no `Exception`, so that `except Exception` doesn't catch it."""


@contextmanager
def terminable():
    """Make SIGTERM raise Terminated, so that no file stays unfinished. Other handlers of SIGTERM stay in place."""

    def stop(_number, _frame):
        raise Terminated

    if not _is_main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def deferred():
    """Defer Ctrl-C and SIGTERM: yields a function that raises KeyboardInterrupt or Terminated if one has arrived.

    A second interrupt takes effect at once. Without this, an interrupt while TensorFlow calls Python sometimes gets
    lost, and one during its import breaks it.
    """
    arrived = []

    def stop(number):
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def remember(number, _frame):
        if arrived:
            stop(number)
        arrived.append(number)

    def check():
        if arrived:
            stop(arrived[0])

    if not _is_main_thread():
        yield check
        return
    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_main_thread():
    return threading.current_thread() is threading.main_thread()
