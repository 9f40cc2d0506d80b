"""Ctrl-C, and SIGTERM, by which batch systems and containers end a process: both let it end well."""

import signal
import threading
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """SIGTERM came. As Ctrl-C, it is no error, and only who wants to end well catches it."""


@contextmanager
def terminable():
    """Let SIGTERM raise Terminated meanwhile, so that nothing is left half; not if it is ignored or heard already."""

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
    """Let Ctrl-C and SIGTERM wait: yields a function that raises KeyboardInterrupt or Terminated if one came.

    A second one doesn't wait. An interrupt that comes while TensorFlow calls Python is lost now and then, and one
    during its import breaks it.
    """
    came = []

    def stop(number):
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    def remember(number, _frame):
        if came:
            stop(number)
        came.append(number)

    def check():
        if came:
            stop(came[0])

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
