"""A training run and its files: options, table, curves, and the state from which it is resumed."""

import contextlib
import csv
import json
import os
import re
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cnnvis.checkpoints import read_metadata
from cnnvis.console import claimed, complete, notice, one_line, temporary_folder
from cnnvis.training import distribution
from cnnvis.training.journal import load_state
from cnnvis.training.settings import as_command, as_options

REPLACES = "replaces_film"  # of the settings: whether an earlier run of that name leaves a film that has to go


def new_name(data, arch=None, start_from=None):
    """The name of a run that has none: <data>_<arch>_<date-time>."""
    origin = arch or f"from_{Path(start_from).stem}"
    return f"{Path(data).resolve().name}_{origin}_{datetime.now():%Y-%m-%d_%H-%M-%S}"


@contextmanager
def open_run(folder, name, *, resume=False, overwrite=False, strategy="none", film=False):
    """Open a training run, and keep its name from other processes until it is closed.

    Of several workers, only the chief writes. An interrupt or a full disk ends in a message that says how to resume.

    Parameters
    ----------
    folder : Path
        Of checkpoints. It is created if need be, and removed again if it is empty at the end.
    name : str
    resume : bool
        Whether the interrupted run of that name is resumed.
    overwrite : bool
        Whether files of that name may be replaced.
    strategy : {"none", "mirrored", "multiworker"}
    film : bool
        Whether a new run has a film.

    Yields
    ------
    Run

    Raises
    ------
    ValueError
        If there is no name, or it can't be the name of a file.
    OSError
        If the name is taken, or another process trains under it.
    """
    if resume and not name:
        raise ValueError("--resume needs the --name of the run")
    writes = distribution.is_chief(strategy)
    with contextlib.ExitStack() as held:
        if writes:
            held.enter_context(temporary_folder(folder))
        run = Run(folder, name, strategy=strategy, writes=writes, resumes=resume, film=film)
        if writes:
            held.enter_context(run.claimed())
        if not resume:
            run.check_free(overwrite)
        with run.resumable():
            yield run


class Run:
    """A run called `name` in `folder`, as `open_run` makes it.

    Attributes
    ----------
    checkpoint : Path
        NAME.keras. With NAME.json, NAME.csv and NAME.png, it appears when the run is finished: until then, files of an
        earlier run of that name stay as they are.
    settings, state, table, curves : Path
        NAME.resume.json, .npz, .csv and .png, which exist only while the run is unfinished.
    animation, sheet, frames : Path
        Of a run with a film: NAME.gif, NAME_film.png, and, as long as it is unfinished, NAME.resume.film.npz.
    writes : bool
        Whether this process writes them.
    options : dict of str to JSON value
        `SETTINGS` of train.py, the "fingerprint" of the data, and the "base" digest of the network to start from: a new
        run writes them down as it starts, and the metadata repeat the settings.
    epochs, of : int
        Complete epochs, and all epochs; `of` is None as long as there is nothing to resume.
    """

    def __init__(self, folder, name, *, strategy="none", writes=True, resumes=False, film=False):
        is_file = name and Path(name).name == name and len(name.encode()) <= 200
        is_ours = name.startswith(".") or name.lower().endswith(".resume")  # names of hidden and of unfinished files
        if not is_file or is_ours:
            raise ValueError(f"--name {name!r} can't be the name of a file")
        self.name, self.folder, self.strategy, self.writes, self.resumes = name, folder, strategy, writes, resumes
        self.options = {"film": True} if film else {}
        self.epochs, self.of = 0, None
        self.checkpoint = folder / f"{name}.keras"
        ends = ("json", "npz", "csv", "png")
        self.settings, self.state, self.table, self.curves = (folder / f"{name}.resume.{end}" for end in ends)
        self.frames = folder / f"{name}.resume.film.npz"
        self.animation, self.sheet = folder / f"{name}.gif", folder / f"{name}_film.png"

    @property
    def finished(self):
        """The files of a finished run: list of Path."""
        films = [self.animation, self.sheet] if self.options.get("film") else []
        return [self.folder / f"{self.name}.{end}" for end in ("keras", "json", "csv", "png")] + films

    @property
    def unfinished(self):
        """The files of an unfinished run, list of Path. Settings come first: without them, nothing is resumed."""
        return [self.settings, self.state, self.table, self.curves, self.frames]

    @contextmanager
    def claimed(self):
        """Keep the name from other processes, and remove the half-written files of a killed one.

        Raises BlockingIOError if another process trains under this name.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(claimed(self.folder / f".{self.name}.lock"))
            except BlockingIOError:
                raise BlockingIOError(f"{self.name!r} is being trained now: wait, or choose another --name") from None
            self._sweep()
            yield

    def check_free(self, overwrite=False):
        """Raise FileExistsError if the name is taken, unless `overwrite`; IsADirectoryError if a folder has it."""
        for path in (*self.finished, *self.unfinished):
            if path.is_dir():
                raise IsADirectoryError(f"{path} is a folder: choose another --name")
        if overwrite:
            return
        if self.settings.exists():
            raise FileExistsError(f"the run {self.name!r} was interrupted: resume it with --resume, or say --overwrite")
        for path in self.finished:
            if path.exists():
                raise FileExistsError(f"{path} exists: choose another --name, or say --overwrite")

    def begin(self, settings):
        """Write the settings (JSON values) of a new run, and remove what an unfinished one of this name left."""
        for path in self.unfinished[1:]:
            path.unlink(missing_ok=True)
        settings = settings | ({REPLACES: True} if self._was_filmed() and not settings.get("film") else {})
        with complete(self.settings) as unfinished:
            unfinished.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def _was_filmed(self):
        """Whether the finished run of this name has a film."""
        try:
            return "--film" in str(read_metadata(self.checkpoint).get("command")).split()
        except ValueError:  # damaged
            return False

    def command(self):
        """The options of train.py that the interrupted run began with: list of str.

        Raises FileNotFoundError if there is no such run, ValueError if its settings are damaged.
        """
        try:
            settings = json.loads(self.settings.read_text(encoding="utf-8"))
            if not isinstance(settings, dict) or not isinstance(settings.get("fingerprint", {}), dict):
                raise ValueError("not an object")
            self.options = settings
            return as_options(settings)
        except FileNotFoundError:
            raise FileNotFoundError(f"there is no interrupted run {self.name!r} in {self.folder}") from None
        except ValueError as error:
            raise ValueError(f"{self.settings} is damaged: start anew with --overwrite") from error

    def load(self, model, steps_per_epoch, others=()):
        """Restore the state of the run, if it is resumed.

        Parameters
        ----------
        model : keras.Model
            Compiled.
        steps_per_epoch : int
        others : sequence of tf.Variable
            Which belong to the state, too.

        Returns
        -------
        int
            Complete epochs.
        """
        if self.resumes and self.state.exists():
            self.epochs = load_state(model, self.state, steps_per_epoch, others=others)
        elif self.resumes:
            notice("No epoch of that run was complete: starting with the first.")
        return self.epochs

    def start(self, epochs):
        """Start, or resume, a run of so many epochs: from here on, an interrupted run can be resumed."""
        if self.writes and not self.resumes:
            self.begin(self.options)
        self.of = epochs

    @contextmanager
    def resumable(self):
        """Add to an interrupt, or an error of the operating system, how to resume the run."""
        try:
            yield
        except KeyboardInterrupt as stop:
            if not self.writes or not self.of:
                raise
            done = f"after epoch {self.epochs} of {self.of}" if self.epochs else "before the first epoch was complete"
            raise type(stop)(f"Interrupted {done}. Resume with: {self.resume_command()}") from None
        except OSError as error:
            if not error.errno or not self.of or not self.state.exists():
                raise
            raise OSError(f"{one_line(error)}. Fix that, then resume with: {self.resume_command()}") from error

    def resume_command(self):
        """The command that resumes the run: str."""
        words = ["python", "train.py", "--name", self.name, "--out", str(self.folder), "--resume"]
        return as_command(words + (["--strategy", self.strategy] if self.strategy != "none" else []))

    def _sweep(self):
        """Remove the half-written files that a killed process left."""
        of_this_run = re.compile(
            rf"\.[0-9a-f]+\.{re.escape(self.name)}((\.resume(\.film)?)?\.(keras|json|csv|png|npz|gif)|_film\.png)",
            re.DOTALL,
        )
        for path in self.folder.glob(".*"):
            if of_this_run.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def write_rows(self, rows):
        """Write the table: one dict per epoch."""
        with complete(self.table) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)

    def read_rows(self, epochs):
        """The first `epochs` rows of the table: list of dict."""
        if not epochs:
            return []
        table = (
            self.table if self.table.exists() else self.checkpoint.with_suffix(".csv")
        )  # a process was killed in `end`
        try:
            with open(table, newline="", encoding="utf-8") as file:
                rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)][:epochs]
            if [row["epoch"] for row in rows] != list(range(1, epochs + 1)):
                raise ValueError("rows are missing")
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{table} is damaged: start anew with --overwrite") from error
        return [row | {"epoch": int(row["epoch"])} for row in rows]

    def end(self):
        """Move table and curves beside the checkpoint; remove what only an unfinished run needs, and an older film."""
        for path in (self.table, self.curves):
            if path.exists():  # not if an earlier process was killed right here
                os.replace(path, self.checkpoint.with_suffix(path.suffix))
        if self.settings.exists() and json.loads(self.settings.read_text(encoding="utf-8")).get(REPLACES):
            self.animation.unlink(missing_ok=True)
            if not (self.folder / f"{self.sheet.stem}.keras").exists():  # else they are the curves of that run
                self.sheet.unlink(missing_ok=True)
        self.discard()

    def discard(self):
        """Remove the files of the unfinished run; those of a finished one stay."""
        for path in self.unfinished:
            path.unlink(missing_ok=True)
        self.of = None
