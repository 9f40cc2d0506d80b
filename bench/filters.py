#!/usr/bin/env python3
"""Which feature visualisations are better? Compare ours and others' on the same filters, and print a Markdown table.

A better image activates the filter more strongly, has less fine noise, and takes less time. Measured is the final uint8
image. Each is compared with the training image that activates the filter most strongly.
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
from cnnvis import checkpoints, console, features, network  # noqa: E402
from cnnvis.images import image_statistics, load  # noqa: E402

PLAIN = {  # fields of `Ascent` for plain gradient ascent on pixels
    **{"fourier": False, "limit_high_frequencies": None, "colors": False},
    **{"shift": 0.0, "degrees": 0.0, "zoom": 0.0},
}
COLUMNS = "layer | images by | seconds per filter | above every real image | activation, relative to ours | fine energy"
LEGEND = (
    "Above every real image: filters that the image activates more strongly than any training image does. Activation: "
    "how far it exceeds the largest of a training image (median over the filters), relative to ours. Fine energy: "
    "share of the spectrum, without the mean, above half the Nyquist rate; of real images, {real:.0%}. "
    "Seconds: from the first call to the finished images."
)


def ours(model, filters, statistics, steps, seed, **changes):
    classifier, layer = model
    ascent = features.Ascent(steps=steps, seed=seed, **changes)
    return features.ascend(classifier, layer, filters, statistics=statistics, ascent=ascent)[0]


def tf_keras_vis(model, filters, statistics, steps, seed, change=None, together=False):
    """tf-keras-vis's ActivationMaximization on the same network, filter by filter or for all filters together.

    Parameters
    ----------
    change : callable, optional
        Returns options that differ from its defaults, which are documented as being for VGG16.
    """
    import tensorflow as tf
    from tf_keras_vis import activation_maximization

    classifier, layer = model
    objective = features.objective_model(classifier, layer, classifier.size)
    np.random.seed(seed)  # used by Jitter
    rng, made = np.random.default_rng(seed), []
    for chosen in [filters] if together else [[each] for each in filters]:
        start = tf.constant(rng.uniform(0, 255, (len(chosen), *classifier.size, 3)), tf.float32)
        made.append(
            activation_maximization.ActivationMaximization(objective, clone=False)(
                lambda outputs, chosen=chosen: tf.linalg.diag_part(tf.gather(outputs, chosen, axis=1)),
                seed_input=start,
                steps=steps,
                **(change(activation_maximization) if change else {}),
            )
        )
    return np.rint(np.clip(np.concatenate(made), 0, 255)).astype("uint8")


def unregularized(_):
    return {"regularizers": []}


def little_variation(peer):
    return {
        "input_modifiers": [peer.input_modifiers.Jitter(2)],
        "regularizers": [peer.regularizers.TotalVariation2D(0.1), peer.regularizers.Norm(0.3, p=1)],
    }


def our_transforms(peer):
    modifiers = peer.input_modifiers
    return {
        "input_modifiers": [modifiers.Jitter(2), modifiers.Rotate2D(5), modifiers.Scale(0.9, 1.1)],
        "regularizers": [],
    }


CONTENDERS = {
    "ours": ("ours", ours),
    "plain": (
        "plain ascent on pixels (`--without fourier limit_high_frequencies colors shift turn zoom`)",
        partial(ours, **PLAIN),
    ),
    "documented": ("tf-keras-vis, as documented", tf_keras_vis),
    **{
        change.__name__: (f"tf-keras-vis, {title}, all together", partial(tf_keras_vis, change=change, together=True))
        for title, change in (
            ("without its regularizers", unregularized),
            ("jitter of 2 and a tenth of total variation", little_variation),
            ("our transforms, without its regularizers", our_transforms),
        )
    },
}
OWN = "ours", "plain"  # these take our default number of steps


def fine_energy(images):
    """Share of a grey image's energy above half the Nyquist rate: (N, H, W, 3) array -> (N,) float array, 0-1."""
    grey = np.asarray(images, dtype="float64").mean(axis=-1)
    energy = np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2
    height, width = grey.shape[1:]
    fine = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]) > 0.25  # cycles per pixel
    total = energy.sum(axis=(1, 2))
    return np.divide(energy[:, fine].sum(axis=1), total, out=np.zeros_like(total), where=total > 0)


def options():
    parser = console.parser(__doc__, "Each contender runs in its own process, one after the other.")
    parser.add_argument("--model", type=Path, metavar="PATH", help="from train.py (default: newest, else deep)")
    parser.add_argument("--layers", nargs="+", metavar="NAME", help="layers (default: all CONV and the first FC)")
    parser.add_argument("--num", type=console.positive, default=16, metavar="N", help="random live filters per layer")
    parser.add_argument("--steps", type=console.positive, default=200, metavar="N", help="steps of tf-keras-vis")
    who = {"choices": CONTENDERS, "default": list(CONTENDERS), "metavar": "NAME", "help": ", ".join(CONTENDERS)}
    parser.add_argument("--contenders", nargs="+", **who)
    parser.add_argument(
        "--cores", type=console.positive, default=os.cpu_count(), metavar="N", help="threads per operation"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table to this file")
    parser.add_argument("--contender", help=SUPPRESS)  # measure only this one, and print JSON
    return parser


def main(argv=None):
    return console.run(options(), lambda args: (measure if args.contender else compare)(args), argv)


def subjects(args):
    """The checkpoint, its classifier, the training images, the layers, and their responses to real images."""
    checkpoint = checkpoints.load(args.model)
    classifier, dataset = network.Classifier(checkpoint.model), load("cifar10", "train")
    every = features.layers_with_filters(classifier, ["all"])
    names = args.layers or [layer.name for layer in every if layer.kind == "CONV" and layer.layer.trainable] + ["fc1"]
    layers = features.layers_with_filters(classifier, names)
    track = console.track("Looking at real images")
    about = {"checkpoint": checkpoint, "folders": [checkpoint.path.parent], "track": track, "tell": console.notice}
    return checkpoint, classifier, dataset, layers, features.observe(classifier, every, dataset, **about)


def measure(args):
    """Let one contender make its images, and print their scores as JSON."""
    checkpoint, classifier, dataset, layers, real = subjects(args)
    statistics = checkpoint.statistics or image_statistics(dataset.images)
    _, draw = CONTENDERS[args.contender]
    found = {}
    for layer in layers:
        alive = np.flatnonzero(~real[layer.name].dead)
        filters = np.sort(np.random.default_rng(args.seed).permutation(alive)[: args.num])
        began = time.perf_counter()
        steps = features.STEPS if args.contender in OWN else args.steps
        images = draw((classifier, layer), filters, statistics, steps=steps, seed=args.seed)
        seconds = (time.perf_counter() - began) / len(filters)
        reached = features.activations(classifier, layer, images)[np.arange(len(filters)), filters]
        above = reached - real[layer.name].largest[filters]
        found[layer.name] = {"seconds": seconds, "above": above.tolist(), "fine": fine_energy(images).tolist()}
    console.say(json.dumps(found))


def compare(args):
    if importlib.util.find_spec("tf_keras_vis") is None:
        raise ValueError("tf-keras-vis is not installed: pip install -r bench/requirements.txt, or make bench-filters")
    contest.check_report(args.out)
    checkpoint, _, dataset, layers, _ = subjects(args)
    shared = ["--model", checkpoint.path, "--num", args.num, "--steps", args.steps, "--seed", args.seed]
    shared += ["--layers", *[layer.name for layer in layers]]
    threads = {"TF_NUM_INTRAOP_THREADS": str(args.cores)}
    found = {}
    for name in dict.fromkeys(["ours", *args.contenders]):
        title, _ = CONTENDERS[name]
        found[title] = contest.measured(title, __file__, *shared, "--contender", name, debug=args.debug, **threads)
        console.notice(f"{title}: {np.mean([layer['seconds'] for layer in found[title].values()]):.2f} s per filter")
    steps = f"{args.steps} steps of tf-keras-vis, {features.STEPS} of ours"
    how = (
        f"tf-keras-vis {version('tf-keras-vis')}; {checkpoint.path.name}, float32, {args.cores} threads, {steps}; "
        f"n = {args.num} random live filters per layer (seed {args.seed}), {len(dataset):,} training images"
    )
    legend = LEGEND.format(real=fine_energy(dataset.images[::50]).mean())
    contest.publish(f"{machine.describe(how)}\n\n{table(found)}\n\n{legend}", args.out)


def table(found):
    """The Markdown table.

    Parameters
    ----------
    found : dict of str to dict of str to dict
        For each contender, ours first, and each layer: `seconds` per filter, and for each filter `above`, by how much
        its image's activation exceeds the largest of a real image, and `fine`, its image's fine energy.
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
