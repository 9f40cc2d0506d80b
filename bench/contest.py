"""Run each contender in its own process, and print and save the report."""

import json
import os
import subprocess
import sys
import tempfile

from cnnvis import console


def measured(name, script, *options, debug=False, **settings):
    """Run a script in a fresh process: the JSON in the last line that it prints.

    Parameters
    ----------
    name : str
        Of the contender, for the error message.
    script : Path
    *options
        Of the script.
    debug : bool
        Show its stderr.
    **settings : str
        Environment variables.

    Raises
    ------
    ChildProcessError
        If the script fails.
    """
    with tempfile.TemporaryDirectory() as folder:  # for files that an interrupted training leaves
        process = subprocess.run(
            [sys.executable, str(script), *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=None if debug else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # Windows may use another encoding
            env=os.environ | settings | {"TMPDIR": folder},
        )
    if process.returncode:
        message = (process.stderr or "").strip() or f"exit status {process.returncode}"
        raise ChildProcessError(f"{name} failed (--debug shows more): {message.splitlines()[-1]}")
    return json.loads(process.stdout.splitlines()[-1])


def check_report(path):
    """Raise an error at once if no report can be written to `path`; None is fine."""
    if path:
        console.make_parent(path)


def publish(text, path):
    """Print a report, and write it to `path` unless that is None."""
    console.say(text)
    if path:
        with console.complete(path) as unfinished:
            unfinished.write_text(f"{text}\n", encoding="utf-8")
