#!/usr/bin/env python3
"""How much the settings of `cnnvis/processor.py` save: each script and training with and without them.

The settings are oneDNN's kernels, and a malloc that keeps freed memory. Huge pages, which are not used, are added to
both. Every combination runs once per round, in a fresh process. Reported are medians over the rounds: seconds from
command to figures (for trainings, seconds per step) and peak memory.
"""

import json
import sys
import tempfile
import time
from argparse import SUPPRESS
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from statistics import median

BEGAN = time.perf_counter()
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import contest, machine  # noqa: E402
from cnnvis import console  # noqa: E402

NOT_KEPT = {"MALLOC_PERTURB_": "0"}  # the default; if it is set, `processor` leaves malloc alone
HUGE = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=18446744073709551615"
WAYS = {
    "as called": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "oneDNN alone": {"TF_ENABLE_ONEDNN_OPTS": "1"} | NOT_KEPT,
    "memory kept alone": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "neither": {"TF_ENABLE_ONEDNN_OPTS": "0"} | NOT_KEPT,
    "with huge pages": {"TF_ENABLE_ONEDNN_OPTS": "1", "GLIBC_TUNABLES": HUGE},
}
SCRIPTS = {
    "results": ("visualize_results", "--data", "cifar10"),
    "importance": ("visualize_pixel_importance", "--data", "cifar10"),
    "filters": ("visualize_hidden_layer_activation", "--data", "cifar10"),
    "outputs": ("visualize_hidden_layer_output", "--data", "cifar10"),
    "page": ("explore", "--data", "cifar10"),
}
TRAININGS = {"training basic": "basic", "training deep": "deep"}
JOBS = (*TRAININGS, *SCRIPTS)


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--rounds", type=console.positive, default=5, metavar="N", help="runs of each combination")
    parser.add_argument("--steps", type=console.positive, default=40, metavar="N", help="training steps per run")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS, metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=tuple(WAYS), metavar="WAY", help=", ".join(WAYS))
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the tables to this file")
    parser.add_argument("--job", choices=JOBS, help=SUPPRESS)  # measure only this one, and print JSON
    return parser


def compare(args):
    contest.check_report(args.out)
    turns = {(job, way): [] for job in args.jobs for way in args.ways}
    for number in range(args.rounds):
        for job, way in turns:
            own = "--job", job, "--steps", args.steps, "--seed", args.seed
            turns[job, way].append(contest.measured(f"{job}, {way}", __file__, *own, debug=args.debug, **WAYS[way]))
            console.notice(f"round {number + 1} of {args.rounds}, {job}, {way}: {turns[job, way][-1]['seconds']:.2f} s")
    how = f"n = {args.rounds} rounds, trainings with {args.steps} steps"
    tables = [comparison(turns)] + [parts(turns)] * any(job in SCRIPTS for job in args.jobs)
    contest.publish("\n\n".join([machine.describe(how), *tables]), args.out)


def comparison(turns):
    """The Markdown table of seconds and memory.

    Parameters
    ----------
    turns : dict of (job, way) to list of dict
        `seconds` and `megabytes` of each round.
    """
    jobs, ways = (list(dict.fromkeys(names)) for names in zip(*turns))
    lines = [f"| | {' | '.join(ways)} | peak memory, MB |", f"| --- |{' ---: |' * (len(ways) + 1)}"]
    for job in jobs:
        seconds = {way: _median(turns[job, way], "seconds") for way in ways}
        cells = [f"{seconds[way]:.3g} s ({seconds[way] / seconds[ways[0]]:.2f}×)" for way in ways]
        memory = " / ".join(f"{_median(turns[job, way], 'megabytes'):.0f}" for way in ways)
        lines.append(f"| {job} | {' | '.join(cells)} | {memory} |")
    slowest = max(
        _median(turns[job, ways[0]], "seconds") / min(_median(turns[job, way], "seconds") for way in ways)
        for job in jobs
    )
    kept = f"{ways[0].capitalize()}, each has {1 / slowest:.0%} or more of the speed of its best way."
    return "\n".join([*lines, "", f"×: relative to the first column. {kept}"])


def parts(turns):
    """The Markdown table of how the scripts spend their time, in the first combination."""
    first = next(way for _, way in turns)
    lines = ["| | import of TensorFlow | computing | drawing |", "| --- | ---: | ---: | ---: |"]
    for (job, way), rounds in turns.items():
        if way == first and job in SCRIPTS:
            drawing, importing = _median(rounds, "drawing"), _median(rounds, "importing")
            computing = _median(rounds, "seconds") - drawing - importing
            lines.append(f"| {job} | {importing:.1f} s | {computing:.1f} s | {drawing:.1f} s |")
    return "\n".join(lines)


def _median(rounds, what):
    return median(each[what] for each in rounds)


def measure(args):
    """Run one job, and print its time and memory as JSON."""
    found = train(TRAININGS[args.job], args.steps) if args.job in TRAININGS else show(*SCRIPTS[args.job])
    console.say(json.dumps(found | {"megabytes": machine.peak_megabytes()}))


def train(arch, steps):
    """Seconds of a training step: the median of `steps` steps after the first."""
    from bench import throughput

    *_, model, batches = throughput.prepare(throughput.options().parse_args(["--arch", arch]))
    watch = throughput.Stopwatch()
    throughput.train_steps(model, batches, min(steps + 1, len(batches)), [watch])
    return {"seconds": median(watch.seconds)}


def show(script, *asked):
    """Seconds of a script from its command to its figures: in total, importing and drawing."""
    from importlib import import_module

    from cnnvis import plots

    importing, drawing = time.perf_counter() - BEGAN, []  # `console.run` has imported TensorFlow
    drawn = [name for name in plots.__all__ if callable(getattr(plots, name))]
    with tempfile.TemporaryDirectory() as folder, timed(drawing, plots, drawn), timed(drawing, console, SAVING):
        out = Path(folder) / ("page.html" if script == "explore" else "")
        if import_module(script).main([*asked, "--model", str(MODEL), "--out", str(out)]):
            raise SystemExit(2)
    return {"seconds": time.perf_counter() - BEGAN, "importing": importing, "drawing": sum(drawing)}


MODEL = ROOT / "models" / "stashed" / "cifar10_deep.keras"
SAVING = ("save_figures", "save_animation")


@contextmanager
def timed(seconds, module, names):
    """Append the seconds of calls of a module's functions to a list, without the calls that they make of each other."""
    kept, busy = {name: getattr(module, name) for name in names}, []

    def watched(function):
        @wraps(function)
        def call(*args, **options):
            if busy:
                return function(*args, **options)
            busy.append(function)
            began = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                seconds.append(time.perf_counter() - began)
                busy.clear()

        return call

    for name, function in kept.items():
        setattr(module, name, watched(function))
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(module, name, function)


if __name__ == "__main__":
    sys.exit(console.run(options(), lambda args: (measure if args.job else compare)(args)))
