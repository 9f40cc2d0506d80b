"""A training run: what it was asked for, its table, the state to go on from if interrupted, and what is kept of it."""

import contextlib
import csv
import importlib.metadata
import io
import json
import os
import platform
import re
import shlex
import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from cnnvis.console.files import claimed, complete
from cnnvis.images.statistics import picture_statistics

# The options of train.py that decide how a run ends.
SETTINGS = (
    "arch",
    "data",
    "epochs",
    "batch_size",
    "learning_rate",
    "seed",
    "precision",
    "limit",
    "validation",
    "deterministic",
    "recipe",
    "skip_bad",
)


class Run:
    """A run called `name` in `folder`.

    Attributes
    ----------
    checkpoint : Path
        NAME.keras. With NAME.json, NAME.csv and NAME.png, it appears when the run is finished: until then, files of an
        earlier run of that name stay as they are.
    settings, state, table, curves : Path
        NAME.resume.json, .npz, .csv and .png, which are there only while the run is unfinished.
    """

    def __init__(self, folder, name):
        is_file = name and Path(name).name == name and len(name.encode()) <= 200
        is_ours = name.startswith(".") or name.lower().endswith(".resume")  # as hidden and unfinished files are called
        if not is_file or is_ours:
            raise ValueError(f"--name {name!r} can't be the name of a file")
        self.name, self.folder = name, folder
        self.checkpoint = folder / f"{name}.keras"
        ends = ("json", "npz", "csv", "png")
        self.settings, self.state, self.table, self.curves = (folder / f"{name}.resume.{end}" for end in ends)

    @property
    def finished(self):
        """The files of a finished run: list of Path."""
        return [self.folder / f"{self.name}.{end}" for end in ("keras", "json", "csv", "png")]

    @property
    def unfinished(self):
        """The files of an unfinished run; the settings first, without which nothing is resumed."""
        return [self.settings, self.state, self.table, self.curves]

    @contextmanager
    def claimed(self):
        """Let no other process train under this name meanwhile: BlockingIOError if one does already.

        What a killed one left unfinished is removed.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(claimed(self.folder / f".{self.name}.lock"))
            except BlockingIOError:
                raise BlockingIOError(f"{self.name!r} is being trained now: wait, or choose another --name") from None
            self._sweep()
            yield

    def check_free(self, overwrite=False):
        """Raise FileExistsError if the name is taken and not to be overwritten, IsADirectoryError if it can't be."""
        for path in (*self.finished, *self.unfinished):
            if path.is_dir():
                raise IsADirectoryError(f"{path} is a folder: choose another --name")
        if overwrite:
            return
        if self.settings.exists():
            raise FileExistsError(f"the run {self.name!r} was interrupted: go on with --resume, or say --overwrite")
        for path in self.finished:
            if path.exists():
                raise FileExistsError(f"{path} exists: choose another --name, or say --overwrite")

    def begin(self, settings):
        """Forget an earlier, unfinished run of this name, and keep the settings (JSON values) of this one."""
        for path in (self.state, self.table, self.curves):
            path.unlink(missing_ok=True)
        with complete(self.settings) as unfinished:
            unfinished.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def restore(self):
        """The settings that the run began with. ValueError or FileNotFoundError if there is nothing to go on with."""
        try:
            settings = json.loads(self.settings.read_text(encoding="utf-8"))
            if not isinstance(settings, dict):
                raise ValueError("not an object")
            return settings
        except FileNotFoundError:
            raise FileNotFoundError(f"there is no interrupted run {self.name!r} in {self.folder}") from None
        except ValueError as error:
            raise ValueError(f"{self.settings} is damaged: start anew with --overwrite") from error

    def resume_command(self, strategy="none"):
        """What to type to go on."""
        words = ["python", "train.py", "--name", self.name, "--out", str(self.folder), "--resume"]
        return as_command(words + (["--strategy", strategy] if strategy != "none" else []))

    def _sweep(self):
        """Remove the unfinished files that a killed process left."""
        of_this_run = re.compile(
            rf"\.[0-9a-f]+\.{re.escape(self.name)}(\.resume)?\.(keras|json|csv|png|npz)", re.DOTALL
        )
        for path in self.folder.glob(".*"):
            if of_this_run.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def write_rows(self, rows):
        """Write one dict an epoch to the table."""
        with complete(self.table) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)

    def read_rows(self, epochs):
        """The first `epochs` rows of the table: list of dict."""
        if not epochs:
            return []
        table = self.table if self.table.exists() else self.checkpoint.with_suffix(".csv")  # killed as the run ended
        try:
            with open(table, newline="", encoding="utf-8") as file:
                rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)][:epochs]
            if [row["epoch"] for row in rows] != list(range(1, epochs + 1)):
                raise ValueError("rows are missing")
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{table} is damaged: start anew with --overwrite") from error
        return [row | {"epoch": int(row["epoch"])} for row in rows]

    def end(self):
        """Put table and curves beside the checkpoint, and remove what only an unfinished run needs."""
        for path in (self.table, self.curves):
            if path.exists():  # else an earlier process was killed right here
                os.replace(path, self.checkpoint.with_suffix(path.suffix))
        self.discard()

    def discard(self):
        """Remove all that is there of an unfinished run; what is there of a finished one stays."""
        for path in self.unfinished:
            path.unlink(missing_ok=True)


def as_options(settings):
    """Settings, by name, as the words of a command line; what is off, none or zero is left out."""
    words = []
    for key in SETTINGS:
        value = settings.get(key)
        if value not in (None, False, []):
            values = [] if value is True else map(str, value) if isinstance(value, list) else [str(value)]
            words += [f"--{key.replace('_', '-')}", *values]
    return words


def as_command(words):
    """Words as a line to type, which this system's shell takes apart into the same words."""
    if sys.platform != "win32":
        return shlex.join(words)
    plain = re.compile(r"[\w.:=/\\-]+")  # to cmd and PowerShell; there, no file has a quotation mark in its name
    return " ".join(word if plain.fullmatch(word) else f'"{word}"' for word in words)


def restore(args, parser):
    """Bring the options of the interrupted run back; what is said again must not differ.

    Parameters
    ----------
    args : Namespace
        Of `parser`: `name` and `out` tell which run. Its settings are changed in place.
    parser : argparse.ArgumentParser

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such run, its settings are damaged, or an option differs.
    """
    run = Run(args.out, args.name)
    settings = run.restore()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            began = parser.parse_args(as_options(settings))
    except SystemExit:
        raise ValueError(f"{run.settings} is damaged: start anew with --overwrite") from None
    for key in SETTINGS:
        said, value = getattr(args, key), getattr(began, key)
        if said not in (value, parser.get_default(key)):
            raise ValueError(f"the run {args.name!r} began with {key} {value}, not {said}: leave that option out")
        setattr(args, key, value)


def recipe_line(args, recipe, pictures):
    """What is about to be trained, and how, in a line."""
    side, small = recipe.small_side, recipe.small_epochs
    shrunk = f", the first {small} on images shrunk to {side}x{side}" if small else ""
    line = f"{args.arch} on {len(pictures):,} images of {pictures.name}: {recipe.epochs} epochs{shrunk}, batches of "
    return line + f"{recipe.batch_size}, learning rate {recipe.learning_rate:g}, {args.precision}, seed {args.seed}"


def epoch_line(row, epochs):
    """What is said of an epoch that is over."""
    line = f"epoch {row['epoch']:2} of {epochs}   loss {row['loss']:.3f}   accuracy {row['accuracy']:6.2%}"
    if "val_loss" in row:
        line += f"   validation: loss {row['val_loss']:.3f}   accuracy {row['val_accuracy']:6.2%}"
    return f"{line}   {row['seconds']:.1f} s   {row['images_per_second']:,.0f} images/s"


def metadata(run, args, recipe, pictures, rows, tested):
    """All that is kept beside a trained network, of where it comes from and how good it is.

    Parameters
    ----------
    run : Run
    args : Namespace
        Of train.py: those of `SETTINGS`, and `strategy`.
    recipe : Recipe
        That the network was trained by.
    pictures : Pictures
        That it was trained on.
    rows : list of dict
        One an epoch.
    tested : dict
        What was found on the test pictures, as JSON values.

    Returns
    -------
    dict of str to JSON value
    """
    import keras

    seconds = sum(row["seconds"] for row in rows)
    resolved = {name: getattr(recipe, name) for name in ("epochs", "batch_size", "learning_rate")}
    settings = vars(args) | resolved | {"data": pictures.name}
    return {
        "command": as_command(["python", "train.py", *as_options(settings), "--name", run.name]),
        "architecture": args.arch,
        "data": pictures.name,
        "classes": list(pictures.classes),
        "input_range": [0, 255],
        "seed": args.seed,
        "epochs": recipe.epochs,
        "training_images": len(pictures),
        "statistics": picture_statistics(pictures.images).as_json(),
        "precision": args.precision,
        "seconds": round(seconds, 1),
        "images_per_second": round(sum(row["seconds"] * row["images_per_second"] for row in rows) / seconds, 1),
        **tested,
        "recipe": asdict(recipe),
        "deterministic": args.deterministic,
        "strategy": args.strategy,
        "versions": {
            "python": platform.python_version(),
            "tensorflow": importlib.metadata.version("tensorflow"),
            "keras": keras.__version__,
        },
        "trained_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
