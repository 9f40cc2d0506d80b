"""What the comparisons share: each contender in a process of its own, and a report that is printed and kept."""

import json
import os
import subprocess
import sys
import tempfile

from cnnvis.console import messages as console
from cnnvis.console import output as saving
from cnnvis.console.files import complete


def measured(name, script, *options, debug=False, **settings):
    """What a script measured of itself in a fresh process: the JSON in its last line.

    Parameters
    ----------
    name : str
        Of the contender, for the error if it fails.
    script : path
    options : of the script
    debug : bool
        Let it say all that it has to say.
    settings : str
        More variables of its environment.

    Raises ChildProcessError if it fails.
    """
    with tempfile.TemporaryDirectory() as folder:  # for what an interrupted training leaves behind
        process = subprocess.run(
            [sys.executable, str(script), *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=None if debug else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # of what Windows says in a code of its own
            env=os.environ | settings | {"TMPDIR": folder},
        )
    if process.returncode:
        said = (process.stderr or "").strip() or f"exit status {process.returncode}"
        raise ChildProcessError(f"{name} failed (--debug tells more): {said.splitlines()[-1]}")
    return json.loads(process.stdout.splitlines()[-1])


def check_report(path):
    """Say at once if a report can't be written to `path`, if there is to be one."""
    if path:
        saving.make_place(path)


def publish(text, path):
    """Print a report, and write it to `path` if there is one."""
    console.say(text)
    if path:
        with complete(path) as unfinished:
            unfinished.write_text(f"{text}\n", encoding="utf-8")
