#!/usr/bin/env python3
"""Which pictures of what a filter looks for are better? Judge ours and others' on the same filters; print a table.

Better is a picture that excites the filter more, with less fine noise, made in less time. What counts is the picture
of whole numbers from 0 to 255 that is kept. Each is compared with the training image that excites the filter most.
"""

import importlib.util
import json
import os
import sys
import time
from argparse import SUPPRESS
from functools import partial
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench import contest, machine  # noqa: E402
from cnnvis.checkpoints import checkpoint  # noqa: E402
from cnnvis.console import messages as console  # noqa: E402
from cnnvis.console import options as cli  # noqa: E402
from cnnvis.images import sources as data  # noqa: E402

PLAIN = ("fourier", "smooth", "colors", "shift", "turn", "zoom")
COLUMNS = "layer | pictures by | seconds a filter | above every real one | activation, of ours | fine energy"
LEGEND = (
    "Above every real one: filters that the picture excites more than any training image. Activation, of ours: the "
    "median over the filters of its activation less the largest real one's, divided by the same of ours. Fine energy: "
    "share of the spectrum, but for the mean, above half the Nyquist rate; of real pictures, {real:.0%}. "
    "Seconds hold everything from the first call to the finished pictures."
)


def ours(model, filters, statistics, steps, seed, without=()):
    from cnnvis.features import ascent

    classifier, layer = model
    return ascent.ascend(classifier, layer, filters, statistics, steps=steps, seed=seed, without=without)


def tf_keras_vis(model, filters, statistics, steps, seed, change=None, together=False):
    """ActivationMaximization on the same network, one filter after the other or all of them together.

    Parameters
    ----------
    change : callable, optional
        Gives what differs from its defaults, of which it says that they are for VGG16.
    """
    import tensorflow as tf
    from tf_keras_vis import activation_maximization

    from cnnvis.features import ascent

    classifier, layer = model
    network = ascent.excitation_model(classifier, layer, classifier.size)
    np.random.seed(seed)  # which Jitter draws from
    rng, pictures = np.random.default_rng(seed), []
    for chosen in [filters] if together else [[each] for each in filters]:
        start = tf.constant(rng.uniform(0, 255, (len(chosen), *classifier.size, 3)), tf.float32)
        pictures.append(
            activation_maximization.ActivationMaximization(network, clone=False)(
                lambda outputs, chosen=chosen: tf.linalg.diag_part(tf.gather(outputs, chosen, axis=1)),
                seed_input=start,
                steps=steps,
                **(change(activation_maximization) if change else {}),
            )
        )
    return np.rint(np.clip(np.concatenate(pictures), 0, 255)).astype("uint8")


def unregularized(_):
    return {"regularizers": []}


def little_variation(peer):
    return {
        "input_modifiers": [peer.input_modifiers.Jitter(2)],
        "regularizers": [peer.regularizers.TotalVariation2D(0.1), peer.regularizers.Norm(0.3, p=1)],
    }


def moved_as_ours(peer):
    modifiers = peer.input_modifiers
    return {
        "input_modifiers": [modifiers.Jitter(2), modifiers.Rotate2D(5), modifiers.Scale(0.9, 1.1)],
        "regularizers": [],
    }


CONTENDERS = {
    "ours": ("ours", ours),
    "plain": (f"plain ascent on pixels (`--without {' '.join(PLAIN)}`)", partial(ours, without=PLAIN)),
    "documented": ("tf-keras-vis, as documented", tf_keras_vis),
    **{
        change.__name__: (f"tf-keras-vis, {title}, all together", partial(tf_keras_vis, change=change, together=True))
        for title, change in (
            ("without its regularizers", unregularized),
            ("jitter of 2 and a tenth of total variation", little_variation),
            ("moved as ours, without its regularizers", moved_as_ours),
        )
    },
}


OWN = "ours", "plain"  # which take the steps that are our default


def fine_energy(images):
    """Share of the energy of grey waves above half the Nyquist rate: (N, H, W, 3) array -> (N,) float array, 0-1."""
    grey = np.asarray(images, dtype="float64").mean(axis=-1)
    energy = np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2
    height, width = grey.shape[1:]
    fine = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]) > 0.25  # cycles a pixel
    total = energy.sum(axis=(1, 2))
    return np.divide(energy[:, fine].sum(axis=1), total, out=np.zeros_like(total), where=total > 0)


def options():
    parser = cli.parser(__doc__, "Each contender runs in a process of its own, one after the other.")
    parser.add_argument("--model", type=Path, metavar="PATH", help="one of train.py's (default: newest, else deep)")
    parser.add_argument("--layers", nargs="+", metavar="NAME", help="(default: all CONV layers and the first FC)")
    parser.add_argument("--num", type=cli.positive, default=16, metavar="N", help="random live filters a layer")
    parser.add_argument("--steps", type=cli.positive, default=200, metavar="N", help="of tf-keras-vis's ascent")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME", help="who takes part"
    )
    parser.add_argument(
        "--cores", type=cli.positive, default=os.cpu_count(), metavar="N", help="threads of an operation"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--contender", help=SUPPRESS)  # let this one draw, and print JSON: what `compare` asks for
    return parser


def main(argv=None):
    return cli.run(options(), lambda args: (measure if args.contender else compare)(args), argv)


def subjects(args):
    """The classifier, the training pictures, the layers, and what real pictures do to their filters."""
    from cnnvis.features import cache as excitation_cache
    from cnnvis.images import choices
    from cnnvis.network.classifier import Classifier

    network = checkpoint.load(args.model)
    classifier, pictures = Classifier(network.model), data.load("cifar10", "train")
    every = choices.layers_with_filters(classifier, ["all"])
    names = args.layers or [layer.name for layer in every if layer.kind == "CONV" and layer.layer.trainable] + ["fc1"]
    layers = choices.layers_with_filters(classifier, names)
    track = console.track("Looking at real pictures")
    folders = [network.path.parent]
    real = excitation_cache.observe(classifier, every, pictures, network, folders, track, console.notice)
    return network, classifier, pictures, layers, real


def measure(args):
    """Let one contender draw, and print what its pictures are worth as JSON."""
    from cnnvis.features import ascent
    from cnnvis.images import inputs

    network, classifier, pictures, layers, real = subjects(args)
    statistics = inputs.statistics(network, pictures)
    _, draw = CONTENDERS[args.contender]
    found = {}
    for layer in layers:
        alive = np.flatnonzero(~real[layer.name].dead)
        filters = np.sort(np.random.default_rng(args.seed).permutation(alive)[: args.num])
        began = time.perf_counter()
        steps = ascent.STEPS if args.contender in OWN else args.steps
        images = draw((classifier, layer), filters, statistics, steps, args.seed)
        seconds = (time.perf_counter() - began) / len(filters)
        reached = ascent.activations(classifier, layer, images)[np.arange(len(filters)), filters]
        above = reached - real[layer.name].largest[filters]
        found[layer.name] = {"seconds": seconds, "above": above.tolist(), "fine": fine_energy(images).tolist()}
    console.say(json.dumps(found))


def compare(args):
    from cnnvis.features import ascent

    if importlib.util.find_spec("tf_keras_vis") is None:
        raise ValueError("tf-keras-vis is not installed: pip install -r bench/requirements.txt, or make bench-filters")
    contest.check_report(args.out)
    network, _, pictures, layers, _ = subjects(args)
    shared = ["--model", network.path, "--num", args.num, "--steps", args.steps, "--seed", args.seed]
    shared += ["--layers", *[layer.name for layer in layers]]
    threads = {"TF_NUM_INTRAOP_THREADS": str(args.cores)}
    found = {}
    for name in dict.fromkeys(["ours", *args.contenders]):
        title, _ = CONTENDERS[name]
        found[title] = contest.measured(title, __file__, *shared, "--contender", name, debug=args.debug, **threads)
        console.notice(f"{title}: {np.mean([layer['seconds'] for layer in found[title].values()]):.2f} s a filter")
    steps = f"{args.steps} steps of tf-keras-vis, {ascent.STEPS} of ours"
    how = (
        f"tf-keras-vis {version('tf-keras-vis')}; {network.path.name}, float32, {args.cores} threads, {steps}; "
        f"n = {args.num} random live filters a layer (seed {args.seed}), {len(pictures):,} training images"
    )
    legend = LEGEND.format(real=fine_energy(pictures.images[::50]).mean())
    contest.publish(f"{machine.describe(how)}\n\n{table(found)}\n\n{legend}", args.out)


def table(found):
    """The Markdown table.

    Parameters
    ----------
    found : dict of str to dict of str to dict
        Of each contender, ours first, and each layer: `seconds` a filter, and of each filter `above`, what its
        picture excites it more than the best real one, and `fine`, its picture's fine energy.
    """
    lines = [COLUMNS, "--- | --- | ---: | ---: | ---: | ---:"]
    for layer, own in found["ours"].items():
        for title, layers in found.items():
            of_layer = layers[layer]
            above = np.array(of_layer["above"])
            beside = np.median(above) / np.median(own["above"])
            lines.append(
                f"{layer} | {title} | {of_layer['seconds']:.2f} | {(above >= 0).sum()} of {len(above)} | "
                f"{beside:.0%} | {np.mean(of_layer['fine']):.0%}"
            )
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
