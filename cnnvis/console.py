"""What the scripts say to whoever sits at the console."""

import io
import os
import sys
from contextlib import contextmanager


def notice(text):
    """Tell the user something that is no error, on stderr."""
    print(text, file=sys.stderr)


def shout(text):
    """Tell the user something that must not be overlooked: framed, on stderr."""
    from rich.console import Console
    from rich.panel import Panel

    Console(stderr=True).print(Panel(text, title="NOTE", border_style="bold yellow", expand=False))


def is_terminal():
    """Whether somebody watches stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def track(description):
    """A wrapper of sequences that shows a progress bar while they are gone through; none if stdout is no terminal."""
    from rich.progress import track as rich_track

    def wrap(sequence):
        return rich_track(sequence, description, transient=True) if is_terminal() else iter(sequence)

    return wrap


@contextmanager
def bar(total, completed=0):
    """A bar with the time left, none if stdout is no terminal; yields a function of the step and of words to show."""
    if not is_terminal():
        yield lambda step, words: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=total, completed=completed)
        yield lambda step, words: progress.update(task, completed=step, description=words)


def say(*texts):
    """Print; a reader that has gone away, as `head` does, stops nothing."""
    try:
        print(*texts, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process


def print_table(title, columns, rows):
    """Print a table, its first column to the left and the numbers to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=max(80, 24 + 12 * len(columns)))
    console.print(table)
    say(f"{title}\n{console.file.getvalue().rstrip()}")
