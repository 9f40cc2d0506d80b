"""What the scripts say to whoever sits at the console."""

import errno
import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from cnnvis.console.names import shown


def notice(text):
    """Tell the user something that is no error, on stderr."""
    print(_harmless(text), file=sys.stderr)


def shout(text):
    """Tell the user something that must not be overlooked: framed, on stderr."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(Panel(Text(_harmless(text)), title="NOTE", border_style="bold yellow", expand=False))


def is_terminal():
    """Whether somebody watches stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def track(description):
    """A wrapper of sequences that shows a progress bar while they are gone through; none if stdout is no terminal."""
    from rich.markup import escape
    from rich.progress import track as rich_track

    def wrap(sequence):
        return rich_track(sequence, escape(_harmless(description)), transient=True) if is_terminal() else iter(sequence)

    return wrap


@contextmanager
def bar(total, completed=0):
    """A bar with the time left, none if stdout is no terminal; yields a function of the step and of words to show."""
    if not is_terminal():
        yield lambda step, words: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=total, completed=completed)
        yield lambda step, words: progress.update(task, completed=step, description=words)


def say(*texts):
    """Print texts, or a path; a reader that has gone away, as `head` does, stops nothing."""
    try:
        print(*map(_harmless, texts), flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # the second is what Windows calls it
            raise
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


def print_table(title, columns, rows):
    """Print a table, its first column to the left and the numbers to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=max(80, 24 + 12 * len(columns)))
    console.print(table)
    say(f"{title}\n{console.file.getvalue().rstrip()}")


def _harmless(text):
    """Without letters that would move the cursor or change colours; lines stay lines, but those in a path."""
    return shown(text) if isinstance(text, Path) else "\n".join(map(shown, str(text).split("\n")))
