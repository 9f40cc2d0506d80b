#!/usr/bin/env python3
"""Time Grad-CAM and SmoothGrad by ours and others side by side, and print a Markdown table.

The ceiling of Grad-CAM is the forward pass of as many images; that of SmoothGrad, the gradient of as many images as it
makes noisy copies.
"""

import json
import os
import sys
import time
from argparse import SUPPRESS
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench import contest, machine, occluders  # noqa: E402
from cnnvis import attribution, checkpoints, console, network  # noqa: E402
from cnnvis.images import load  # noqa: E402

COPIES = 50  # of SmoothGrad
NOISE = 0.15  # its standard deviation, relative to the range of the pixels
COLUMNS = "maps by | of images | maps/s | ours is faster by"
LEGEND = (
    "Maps/s: the median round; in brackets the slowest and the fastest. The first call, which compiles, is not timed. "
    "Each gets as many images at once as it takes; tf-explain takes those of one class, and also colours its maps."
)


@dataclass(frozen=True)
class Contender:
    """A way to make maps.

    Attributes
    ----------
    title : str
    prepare : callable
        keras.Model that ends in logits, (N, H, W, 3) float32 images, (N,) int targets, name of the last CONV layer's
        activation -> a function that makes all maps.
    reference : str
        The contender to compare with.
    few : bool
        Whether it is too slow for all images.
    """

    title: str
    prepare: Callable
    reference: str
    few: bool = False


def grad_cam(model, images, targets, layer):
    classifier = network.Classifier(model)
    return lambda: attribution.heat_maps(classifier, images, targets, method="gradcam", **HOW)


def forward(model, images, targets, layer):
    classifier = network.Classifier(model)
    return lambda: classifier.logits(images)


def smooth_grad(model, images, targets, layer):
    classifier = network.Classifier(model)
    return lambda: attribution.heat_maps(classifier, images, targets, method="smoothgrad", **HOW)


def gradients(model, images, targets, layer):
    """The gradients of as many images as SmoothGrad's noisy copies, prepared in advance."""
    classifier, copies = network.Classifier(model), np.repeat(images, COPIES, axis=0)
    return lambda: classifier.gradients("logit", copies, np.repeat(targets, COPIES))


HOW = {"windows": None, "stride": None, "baseline": "mean", "layer": None, "score": "logit", "seed": 0}


def tf_keras_vis_grad_cam(at_once, model, images, targets, layer):
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    explain, parts = Gradcam(model, clone=False), _parts(len(images), at_once)
    return lambda: [
        explain(CategoricalScore(targets[each].tolist()), images[each], penultimate_layer=layer) for each in parts
    ]


def tf_keras_vis_smooth_grad(model, images, targets, layer):
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    explain, parts = Saliency(model, clone=False), _parts(len(images), 250)  # a copy of each in every pass
    how = {"smooth_samples": COPIES, "smooth_noise": NOISE}
    return lambda: [explain(CategoricalScore(targets[each].tolist()), images[each], **how) for each in parts]


def tf_explain_grad_cam(model, images, targets, layer):
    from tf_explain.core.grad_cam import GradCAM

    explain, parts = GradCAM().explain, list(_parts_of_classes(targets, 250))
    return lambda: [explain((images[each], None), model, target, layer) for target, each in parts]


def tf_explain_smooth_grad(model, images, targets, layer):
    from tf_explain.core.smoothgrad import SmoothGrad

    explain, parts = SmoothGrad().explain, list(_parts_of_classes(targets, 5))
    return lambda: [explain((images[each], None), model, target, COPIES, NOISE * 255) for target, each in parts]


def captum_grad_cam(model, images, targets, layer):
    import torch
    from captum.attr import LayerAttribution, LayerGradCam

    translated = occluders.torch_network(model)
    last = [each for each in translated if isinstance(each, torch.nn.Conv2d)][-1]
    explain, parts = LayerGradCam(translated, last).attribute, _parts(len(images), 250)
    pixels, classes = torch.from_numpy(np.moveaxis(images, -1, 1).copy()), torch.from_numpy(targets)
    return lambda: [
        LayerAttribution.interpolate(explain(pixels[each], classes[each]), images.shape[1:3], "bilinear")
        for each in parts
    ]


def captum_smooth_grad(model, images, targets, layer):
    import torch
    from captum.attr import NoiseTunnel, Saliency

    explain, parts = NoiseTunnel(Saliency(occluders.torch_network(model))).attribute, _parts(len(images), 5)
    pixels, classes = torch.from_numpy(np.moveaxis(images, -1, 1).copy()), torch.from_numpy(targets)
    how = {"nt_type": "smoothgrad", "nt_samples": COPIES, "stdevs": NOISE * 255, "abs": False}
    return lambda: [explain(pixels[each], target=classes[each], **how) for each in parts]


def _parts(count, at_once):
    return [slice(start, start + at_once) for start in range(0, count, at_once)]


def _parts_of_classes(targets, at_once):
    """Pairs of a class and the indices of some of its images."""
    for target in np.unique(targets).tolist():
        places = np.flatnonzero(targets == target)
        yield from ((target, places[part]) for part in _parts(len(places), at_once))


CONTENDERS = {
    "grad_cam": Contender("Grad-CAM, ours", grad_cam, "grad_cam"),
    "forward": Contender("the forward pass, ours", forward, "grad_cam"),
    "tf_keras_vis": Contender(
        "Grad-CAM, tf-keras-vis, 250 at once", lambda *given: tf_keras_vis_grad_cam(250, *given), "grad_cam"
    ),
    "tf_keras_vis_1": Contender(
        "Grad-CAM, tf-keras-vis, one by one", lambda *given: tf_keras_vis_grad_cam(1, *given), "grad_cam", few=True
    ),
    "tf_explain": Contender("Grad-CAM, tf-explain, by class", tf_explain_grad_cam, "grad_cam"),
    "captum": Contender("Grad-CAM, Captum on the network in PyTorch", captum_grad_cam, "grad_cam"),
    "smooth_grad": Contender("SmoothGrad, ours", smooth_grad, "smooth_grad", few=True),
    "gradients": Contender(f"the gradient of {COPIES} copies, ours", gradients, "smooth_grad", few=True),
    "tf_keras_vis_smooth": Contender(
        "SmoothGrad, tf-keras-vis, 250 at once", tf_keras_vis_smooth_grad, "smooth_grad", few=True
    ),
    "tf_explain_smooth": Contender("SmoothGrad, tf-explain, by class", tf_explain_smooth_grad, "smooth_grad", few=True),
    "captum_smooth": Contender(
        "SmoothGrad, Captum on the network in PyTorch", captum_smooth_grad, "smooth_grad", few=True
    ),
}


def options():
    parser = console.parser(__doc__, "In each round, every contender runs once, in its own process.")
    parser.add_argument("--model", type=Path, metavar="PATH", help="a `deep` network (default: your newest, else deep)")
    parser.add_argument("--num", type=console.positive, default=1000, metavar="N", help="images")
    parser.add_argument("--few", type=console.positive, default=20, metavar="N", help="images for slow contenders")
    parser.add_argument("--rounds", type=console.positive, default=3, metavar="N", help="runs of each contender")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table to this file")
    parser.add_argument("--contender", help=SUPPRESS)  # time only this one, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (measure if args.contender else compare)(args), argv)


def measure(args):
    """Time one contender, and print its maps per second as JSON."""
    import keras

    contender, rng = CONTENDERS[args.contender], np.random.default_rng(args.seed)
    samples = load("samples", "test").images
    count = args.few if contender.few else args.num
    images = samples[rng.integers(0, len(samples), count)].astype("float32")
    whole = checkpoints.load(args.model).model
    logits = keras.Model(whole.inputs, whole.get_layer("fc2").output)
    classifier = network.Classifier(logits)
    targets = classifier.logits(images).argmax(axis=1)
    make = contender.prepare(logits, images, targets, attribution.layer_for("gradcam", classifier))
    make()  # compiles
    began = time.perf_counter()
    make()
    console.say(json.dumps(count / (time.perf_counter() - began)))


def compare(args):
    occluders.check_installed()
    contest.check_report(args.out)
    rates = {name: [] for name in CONTENDERS}
    for number in range(args.rounds):
        for name, contender in CONTENDERS.items():
            rates[name].append(run(name, args))
            console.notice(f"round {number + 1} of {args.rounds}, {contender.title}: {rates[name][-1]:,.2f} maps/s")
    contest.publish(f"{conditions(args)}\n\n{table(args, rates)}\n\n{LEGEND}", args.out)


def run(name, args):
    """Maps per second of one contender, in a fresh process."""
    asked = ["--contender", name, "--num", args.num, "--few", args.few, "--seed", args.seed]
    asked += ["--model", args.model] if args.model else []
    return contest.measured(name, __file__, *asked, debug=args.debug)


def conditions(args):
    """Machine, versions, date and n, in a line."""
    name = checkpoints.find(args.model).name
    return machine.describe(
        f"{occluders.versions()}; {name}, float32, {os.cpu_count()} threads; n = {args.rounds} rounds"
    )


def table(args, rates):
    """The Markdown table: `rates` are the maps per second of each contender, in each round."""
    lines = [COLUMNS, "--- | ---: | ---: | ---:"]
    for name, rounds in rates.items():
        contender, rate = CONTENDERS[name], median(rounds)
        shown = f"{rate:,.3g} ({min(rounds):,.3g}–{max(rounds):,.3g})"
        faster = median(rates[contender.reference]) / rate
        lines.append(f"{contender.title} | {args.few if contender.few else args.num:,} | {shown} | {faster:.2f}×")
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
