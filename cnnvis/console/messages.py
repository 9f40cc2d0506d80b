"""Messages, tables and progress bars on the console."""

import errno
import functools
import io
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from cnnvis.console.names import shown

SECONDS = 1.0  # of a sequence's steps, from which its duration is forecast
LONG = 10.0  # seconds; a longer sequence says how long it takes


def notice(text):
    """Print a notice to stderr."""
    print(_harmless(text), file=sys.stderr)


@functools.cache
def notice_once(text):
    """Print a notice to stderr, but not again in the same run of a script."""
    notice(text)


def shout(text):
    """Print a notice that nobody should overlook, framed, to stderr."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(Panel(Text(_harmless(text)), title="NOTE", border_style="bold yellow", expand=False))


def is_terminal():
    """Whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def track(description):
    """A function that wraps a sequence in a progress bar, which is shown if stdout is a terminal.

    A notice says how long the sequence takes, as soon as that can be told, if it takes more than `LONG` seconds.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track as rich_track

    def wrap(sequence):
        steps = sequence
        if is_terminal():
            how = {"console": Console(file=sys.stdout), "transient": True}  # the terminal, even if stdout is redirected
            steps = rich_track(sequence, escape(_harmless(description)), **how)
        return _forecast(steps, len(sequence), description)

    return wrap


def _forecast(steps, count, description):
    """Yield the steps, and say how long all take after some; the first doesn't count, as it may trace a network."""
    said = False
    for done, step in enumerate(steps):
        if done == 1:
            began = time.perf_counter()
        if done > 1 and not said and (seconds := time.perf_counter() - began) >= SECONDS:
            said, whole = True, count * seconds / (done - 1)
            if whole > LONG:
                notice(f"{description}: this takes about {duration(whole)}.")
        yield step


def duration(seconds):
    """Seconds in words, rounded by less than 5 %: "0 s", "95 s", "3.4 min", "12 min", "2.5 h"."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.65 * length:
            return f"{seconds / length:.{int(seconds < 10 * length)}f} {unit}"
    return f"{seconds:.0f} s"


@contextmanager
def bar(total, completed=0):
    """A progress bar with the time left; yields update(step, text). Nothing is shown unless stdout is a terminal."""
    if not is_terminal():
        yield lambda step, text: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=total, completed=completed)
        yield lambda step, text: progress.update(task, completed=step, description=text)


def say(*texts):
    """Print texts or paths. If the reader of stdout, such as `head`, has closed it, the script still goes on."""
    try:
        print(*map(_harmless, texts), flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # EINVAL on Windows
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


def print_table(title, columns, rows):
    """Print a table with its first column left-aligned and the others right-aligned."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=max(80, 24 + 12 * len(columns)))
    console.print(table)
    say(f"{title}\n{console.file.getvalue().rstrip()}")


def _harmless(text):
    """The text without control characters; line breaks stay, except in a path."""
    return shown(text) if isinstance(text, Path) else "\n".join(map(shown, str(text).split("\n")))
