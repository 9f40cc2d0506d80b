#!/usr/bin/env python3
"""How near predicting a whole test set comes to the network's own forward pass.

In turn: the network alone, on one batch of random pixels that is there already as it wants it; and what
visualize_results.py does, from pictures of bytes to the probabilities of all of them. Test labels are not read.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up

# isort: split
import numpy as np
import tensorflow as tf

from bench import machine
from cnnvis.classifier import Classifier
from cnnvis.data import pictures_at_once
from models import checkpoint


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", type=Path, help="(default: your newest, else deep)")
    parser.add_argument("--num", type=int, default=10_000, help="pictures")
    parser.add_argument("--rounds", type=int, default=5, help="medians are reported")
    return parser


def forward(model, batch, count):
    """A function that runs the network alone over as many pictures, the same batch again and again."""
    graph = tf.function(lambda x: model(x, training=False), jit_compile=False)
    pixels = tf.random.uniform((batch, *model.inputs[0].shape[1:]), 0, 255)

    def run():
        for _ in range(count // batch):
            result = graph(pixels)
        return result.numpy()

    return run


def seconds_of(run):
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def measure(network, count, rounds):
    """Pictures a second, one number a round: of the network alone, and of predicting as the script does."""
    classifier = Classifier(network.model, network.metadata.get("input_range", (0, 255)))
    batch = min(count, pictures_at_once(*classifier.size))
    count -= count % batch
    images = np.random.default_rng(0).integers(0, 256, (count, *classifier.size, 3), dtype="uint8")
    runs = forward(network.model, batch, count), lambda: classifier.probabilities(images)
    times = [[seconds_of(run) for run in runs] for _ in range(rounds + 1)]
    return count / np.array(times[1:]).T  # the first round warms up


def main(argv=None):
    args = options().parse_args(argv)
    network = checkpoint.load(args.model)
    rates = measure(network, args.num, args.rounds)
    alone, predicting = map(statistics.median, rates)
    how = f"{network.path.stem}, {args.num:,} pictures, n = {args.rounds} rounds in which each has its turn"
    print(machine.describe(how))
    print("\n| | images/s, the median round (slowest–fastest) |\n| --- | ---: |")
    for name, rate in zip(("the network alone", "visualize_results.py"), rates):
        print(f"| {name} | {statistics.median(rate):,.0f} ({rate.min():,.0f}–{rate.max():,.0f}) |")
    print(f"\nPredicting goes at {predicting / alone:.0%} of the network's own forward pass.")


if __name__ == "__main__":
    main()
