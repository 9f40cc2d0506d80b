#!/usr/bin/env python3
"""Time how fast we and others hide windows and score what is left, side by side, and print a Markdown table.

The measure is the network's own forward pass on as many ready-made pictures.
"""

import json
import os
import sys
import time
from argparse import SUPPRESS
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench import contest, machine, occluders  # noqa: E402
from bench.occluders import PATCH, WINDOW  # noqa: E402
from cnnvis.attribution import banzhaf as halves  # noqa: E402
from cnnvis.attribution import explanation as importance  # noqa: E402
from cnnvis.attribution import occlusion  # noqa: E402
from cnnvis.checkpoints import checkpoint  # noqa: E402
from cnnvis.console import messages as console  # noqa: E402
from cnnvis.console import options as cli  # noqa: E402
from cnnvis.images import sources as data  # noqa: E402

BATCH = 256  # pictures, where the contender leaves it to us
AT_ONCE = (1, 16, 64, 256)  # windows in a call of Captum's; 1 is its default
COLUMNS = "occlusion by | windows/s | of the forward pass | ours is faster by"
LEGEND = (
    "Windows/s: the median round; in brackets the slowest and the fastest. Windows are "
    f"{WINDOW}×{WINDOW}, one pixel apart; tf-explain's {PATCH}×{PATCH}, side by side. By default, "
    "half of a picture is hidden at once: each such picture counts as one."
)


def one_by_one(height, width, size=WINDOW, apart=1):
    """How many windows are hidden in a picture, one after the other."""
    return len(occlusion.window_corners(height, width, size, apart))


def many_halves(height, width):
    return len(
        halves.Halves((height, width), *importance.windows_for("halves", height, width), np.random.default_rng())
    )


@dataclass(frozen=True)
class Contender:
    """One that takes part.

    Attributes
    ----------
    title : str
    prepare : callable
        keras.Model, (N, H, W, 3) uint8, (N,) int targets -> a function that goes through all windows of all pictures.
    windows : callable
        (height, width) of a picture -> how many pictures with something hidden go through the network for its map.
    """

    title: str
    prepare: Callable
    windows: Callable = one_by_one


def forward(model, images, targets):
    from cnnvis.network.classifier import Classifier

    classifier, hidden = Classifier(model), ready_made(images)
    return lambda: classifier.logits(hidden)


def predict(model, images, targets):
    hidden = ready_made(images)
    return lambda: model.predict(hidden, batch_size=BATCH, verbose=0)


def ours(model, images, targets):
    from cnnvis.network.classifier import Classifier

    classifier, baselines = Classifier(model), occlusion.baseline_images(images, "mean")
    return lambda: occlusion.occlusion_maps(classifier.logits, images, targets, baselines, [WINDOW])


def ours_halves(model, images, targets):
    from cnnvis.network.classifier import Classifier

    classifier, baselines = Classifier(model), occlusion.baseline_images(images, "mean")
    how = importance.windows_for("halves", *images.shape[1:3])
    return lambda: halves.half_maps(classifier.logits, images, targets, baselines, *how)


def tf_explain(model, images, targets):
    return lambda: [occluders.tf_explain_map(model, *pair) for pair in zip(images, targets)]


def captum_on_keras(at_once, model, images, targets):
    from cnnvis.network.classifier import Classifier

    score = occluders.as_torch(Classifier(model).logits)
    return lambda: [occluders.captum_map(score, *pair, at_once=at_once) for pair in zip(images, targets)]


def captum_on_torch(at_once, model, images, targets):
    score = ported(model, images)
    return lambda: [occluders.captum_map(score, *pair, at_once=at_once) for pair in zip(images, targets)]


def torch_forward(order, model, images, targets):
    import torch

    score = ported(model, images, order)
    batches = torch.from_numpy(np.moveaxis(ready_made(images), -1, 1)).split(BATCH)
    return lambda: [score(batch) for batch in batches]


CONTENDERS = {
    "forward": Contender("nobody: the network's forward pass alone", forward),
    "predict": Contender(f"nobody: Keras `predict(batch_size={BATCH})`", predict),
    "ours": Contender("ours, `--method occlusion`", ours),
    "halves": Contender("ours, as it is by default", ours_halves, many_halves),
    "tf_explain": Contender("tf-explain, as documented", tf_explain, partial(one_by_one, size=PATCH, apart=PATCH)),
    **{
        f"captum_on_keras_{n}": Contender(f"Captum on our Keras network, {n} at once", partial(captum_on_keras, n))
        for n in AT_ONCE
    },
    "torch_forward": Contender(
        "nobody: the network in PyTorch, channels last", partial(torch_forward, "channels_last")
    ),
    "torch_channels_first": Contender("nobody: the same, channels first", partial(torch_forward, "contiguous_format")),
    **{
        f"captum_on_torch_{n}": Contender(f"Captum on the network in PyTorch, {n} at once", partial(captum_on_torch, n))
        for n in AT_ONCE
    },
}


def ready_made(images):
    """Copies of the pictures, each with one window black: (N * windows, H, W, 3) float32 array."""
    corners = occlusion.window_corners(*images.shape[1:3], WINDOW, 1)
    black = np.broadcast_to(np.float32(0), images.shape[1:])
    return np.concatenate(
        [occlusion.occlude([image] * len(corners), [black] * len(corners), corners) for image in images]
    )


def ported(model, images, order="channels_last"):
    """The network in PyTorch as a function of (B, 3, H, W) tensors in that order of memory, checked against Keras."""
    import torch

    from cnnvis.network.classifier import Classifier

    order = getattr(torch, order)
    network = occluders.torch_network(model).to(memory_format=order)

    @torch.inference_mode()
    def score(pictures):
        return network(pictures.contiguous(memory_format=order))

    pixels = np.moveaxis(images, -1, 1).astype("float32")
    difference = np.abs(score(torch.from_numpy(pixels)).numpy() - Classifier(model).logits(images)).max()
    if not difference < 1e-3:
        raise ArithmeticError(f"the logits of PyTorch and Keras differ by {difference}")
    return score


def options():
    parser = cli.parser(__doc__, "Each contender runs in a process of its own, one after the other, round after round.")
    parser.add_argument(
        "--model", type=Path, metavar="PATH", help="a `deep` of train.py's (default: your newest, else deep)"
    )
    parser.add_argument("--num", type=cli.positive, default=4, metavar="N", help="random ones of the bundled samples")
    parser.add_argument("--seconds", type=cli.above_zero, default=10, metavar="S", help="of each turn, at least")
    parser.add_argument(
        "--rounds", type=cli.positive, default=5, metavar="N", help="times that each contender has its turn"
    )
    parser.add_argument(
        "--cores", type=cli.positive, default=os.cpu_count(), metavar="N", help="threads of an operation"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--contender", help=SUPPRESS)  # time this one only, and print JSON: what `run` asks for
    return parser


def main(argv=None):
    return cli.run(options(), lambda args: (measure if args.contender else compare)(args), argv)


def measure(args):
    """Time one contender, and print its windows a second as JSON."""
    contender = CONTENDERS[args.contender]
    samples = data.load("samples", "test").images
    images = samples[np.random.default_rng(args.seed).integers(0, len(samples), args.num)]
    model = checkpoint.load(args.model).model
    targets = model(images.astype("float32")).numpy().argmax(axis=1)
    call = contender.prepare(model, images, targets)
    call()  # to warm up
    began, calls = time.perf_counter(), 0
    while (seconds := time.perf_counter() - began) < args.seconds:
        call()
        calls += 1
    console.say(json.dumps(calls * len(images) * contender.windows(*images.shape[1:3]) / seconds))


def compare(args):

    occluders.check_installed()
    contest.check_report(args.out)
    rates = {name: [] for name in CONTENDERS}
    for number in range(args.rounds):
        for name, contender in CONTENDERS.items():
            rates[name].append(run(name, args))
            console.notice(f"round {number + 1} of {args.rounds}, {contender.title}: {rates[name][-1]:,.0f} a second")
    text = f"{conditions(args)}\n\n{table(rates)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def run(name, args):
    """Windows a second of one contender, in a fresh process."""
    options = ["--contender", name, "--num", args.num, "--seconds", args.seconds, "--seed", args.seed]
    options += ["--model", args.model] if args.model else []
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(args.cores))  # TensorFlow's, PyTorch's
    return contest.measured(name, __file__, *options, debug=args.debug, **threads)


def conditions(args):
    """Machine, versions, date and n, in a line."""
    name = checkpoint.find(args.model).name
    return machine.describe(
        f"{occluders.versions()}; {name}, float32, {args.cores} threads, {args.num} pictures at a time; "
        f"n = {args.rounds} rounds in which each contender has its turn of at least {args.seconds:g} s"
    )


def table(rates):
    """The Markdown table.

    Parameters
    ----------
    rates : dict of str to list of float
        Windows a second of each of `CONTENDERS`, of each round.

    Returns
    -------
    str
        A row a contender, in the order of `rates`.
    """
    forward, ours = median(rates["forward"]), median(rates["ours"])
    lines = [COLUMNS, "--- | ---: | ---: | ---:"]
    for name, rounds in rates.items():
        rate = median(rounds)
        shown = f"{rate:,.0f} ({min(rounds):,.0f}–{max(rounds):,.0f})"
        lines.append(f"{CONTENDERS[name].title} | {shown} | {rate / forward:.0%} | {ours / rate:.2f}×")
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
