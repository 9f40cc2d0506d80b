#!/usr/bin/env python3
"""Time occlusion by ours and others side by side, and print a Markdown table.

The reference is the network's forward pass on the same number of occluded images, prepared in advance.
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
from cnnvis import attribution, checkpoints, console, network  # noqa: E402
from cnnvis.images import load  # noqa: E402

BATCH = 256  # images per batch, unless the contender decides
AT_ONCE = (1, 16, 64, 256)  # patches per call in Captum; 1 is its default
COLUMNS = "occlusion by | patches/s | of the forward pass | ours is faster by"
LEGEND = (
    "Patches/s: the median round; in brackets the slowest and the fastest. Patches have "
    f"{WINDOW}×{WINDOW} pixels and stride 1; tf-explain's {PATCH}×{PATCH}, side by side. Banzhaf values "
    "hide half of an image at once: each such image counts as one patch."
)


def one_by_one(height, width, size=WINDOW, stride=1):
    """Number of patches in an image that are hidden one after the other."""
    return len(attribution.window_corners(height, width, size, stride=stride))


def coalitions(height, width):
    """Number of images with half of their patches hidden, for one map."""
    size, rng = (height, width), np.random.default_rng()
    return len(attribution.Masks(size, *attribution.windows_for("banzhaf", size), rng))


@dataclass(frozen=True)
class Contender:
    """A way to occlude images, or a reference.

    Attributes
    ----------
    title : str
    prepare : callable
        keras.Model, (N, H, W, 3) uint8, (N,) int targets -> a function that occludes all patches of all images.
    patches : callable
        height, width -> number of occluded images per image.
    """

    title: str
    prepare: Callable
    patches: Callable = one_by_one


def forward(model, images, targets):
    classifier, hidden = network.Classifier(model), ready_made(images)
    return lambda: classifier.logits(hidden)


def predict(model, images, targets):
    hidden = ready_made(images)
    return lambda: model.predict(hidden, batch_size=BATCH, verbose=0)


def ours(model, images, targets):
    classifier, baselines = network.Classifier(model), attribution.baseline_images(images, "mean")
    return lambda: attribution.occlusion_maps(classifier.logits, images, targets, baselines=baselines, windows=[WINDOW])


def ours_banzhaf(model, images, targets):
    classifier, baselines = network.Classifier(model), attribution.baseline_images(images, "mean")
    sides, stride = attribution.windows_for("banzhaf", images.shape[1:3])
    how = {"baselines": baselines, "windows": sides, "stride": stride}
    return lambda: attribution.banzhaf_maps(classifier.logits, images, targets, **how)


def tf_explain(model, images, targets):
    return lambda: [occluders.tf_explain_map(model, *pair) for pair in zip(images, targets)]


def captum_on_keras(at_once, model, images, targets):
    score = occluders.as_torch(network.Classifier(model).logits)
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
    "forward": Contender("the forward pass alone", forward),
    "predict": Contender(f"the forward pass by Keras `predict(batch_size={BATCH})`", predict),
    "ours": Contender("ours, `--method occlusion`", ours),
    "banzhaf": Contender("ours, `--method banzhaf` (default)", ours_banzhaf, coalitions),
    "tf_explain": Contender("tf-explain, as documented", tf_explain, partial(one_by_one, size=PATCH, stride=PATCH)),
    **{
        f"captum_on_keras_{n}": Contender(f"Captum on our Keras network, {n} at once", partial(captum_on_keras, n))
        for n in AT_ONCE
    },
    "torch_forward": Contender("the forward pass in PyTorch, channels last", partial(torch_forward, "channels_last")),
    "torch_channels_first": Contender(
        "the forward pass in PyTorch, channels first", partial(torch_forward, "contiguous_format")
    ),
    **{
        f"captum_on_torch_{n}": Contender(f"Captum on the network in PyTorch, {n} at once", partial(captum_on_torch, n))
        for n in AT_ONCE
    },
}


def ready_made(images):
    """Copies of the images, each with one black patch: (N * patches, H, W, 3) float32 array."""
    corners = attribution.window_corners(*images.shape[1:3], WINDOW, stride=1)
    black = np.broadcast_to(np.float32(0), images.shape[1:])
    return np.concatenate(
        [attribution.occlude([image] * len(corners), [black] * len(corners), corners) for image in images]
    )


def ported(model, images, order="channels_last"):
    """The network in PyTorch, checked against Keras: a function of (B, 3, H, W) tensors in this memory format."""
    import torch

    order = getattr(torch, order)
    translated = occluders.torch_network(model).to(memory_format=order)

    @torch.inference_mode()
    def score(images):
        return translated(images.contiguous(memory_format=order))

    pixels = np.moveaxis(images, -1, 1).astype("float32")
    difference = np.abs(score(torch.from_numpy(pixels)).numpy() - network.Classifier(model).logits(images)).max()
    if not difference < 1e-3:
        raise ArithmeticError(f"the logits of PyTorch and Keras differ by {difference}")
    return score


def options():
    parser = console.parser(__doc__, "In each round, every contender runs once, in its own process.")
    parser.add_argument(
        "--model", type=Path, metavar="PATH", help="a `deep` network from train.py (default: your newest, else deep)"
    )
    parser.add_argument(
        "--num", type=console.positive, default=4, metavar="N", help="random images of the bundled samples"
    )
    parser.add_argument("--seconds", type=console.above_zero, default=10, metavar="S", help="of each run, at least")
    parser.add_argument("--rounds", type=console.positive, default=5, metavar="N", help="runs of each contender")
    parser.add_argument(
        "--cores", type=console.positive, default=os.cpu_count(), metavar="N", help="threads per operation"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table to this file")
    parser.add_argument("--contender", help=SUPPRESS)  # time only this one, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (measure if args.contender else compare)(args), argv)


def measure(args):
    """Time one contender, and print its patches per second as JSON."""
    contender = CONTENDERS[args.contender]
    samples = load("samples", "test").images
    images = samples[np.random.default_rng(args.seed).integers(0, len(samples), args.num)]
    model = checkpoints.load(args.model).model
    targets = model(images.astype("float32")).numpy().argmax(axis=1)
    call = contender.prepare(model, images, targets)
    call()  # to warm up
    began, calls = time.perf_counter(), 0
    while (seconds := time.perf_counter() - began) < args.seconds:
        call()
        calls += 1
    console.say(json.dumps(calls * len(images) * contender.patches(*images.shape[1:3]) / seconds))


def compare(args):
    occluders.check_installed()
    contest.check_report(args.out)
    rates = {name: [] for name in CONTENDERS}
    for number in range(args.rounds):
        for name, contender in CONTENDERS.items():
            rates[name].append(run(name, args))
            console.notice(f"round {number + 1} of {args.rounds}, {contender.title}: {rates[name][-1]:,.0f} patches/s")
    text = f"{conditions(args)}\n\n{table(rates)}\n\n{LEGEND}"
    contest.publish(text, args.out)


def run(name, args):
    """Patches per second of one contender, in a fresh process."""
    options = ["--contender", name, "--num", args.num, "--seconds", args.seconds, "--seed", args.seed]
    options += ["--model", args.model] if args.model else []
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(args.cores))  # TensorFlow's, PyTorch's
    return contest.measured(name, __file__, *options, debug=args.debug, **threads)


def conditions(args):
    """Machine, versions, date and n, in a line."""
    name = checkpoints.find(args.model).name
    return machine.describe(
        f"{occluders.versions()}; {name}, float32, {args.cores} threads, {args.num} images at a time; "
        f"n = {args.rounds} rounds of at least {args.seconds:g} s for each contender"
    )


def table(rates):
    """The Markdown table.

    Parameters
    ----------
    rates : dict of str to list of float
        Patches per second of each contender, in each round.

    Returns
    -------
    str
        One row per contender, in the order of `rates`.
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
