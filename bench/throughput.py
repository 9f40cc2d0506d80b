#!/usr/bin/env python3
"""How close training comes to the speed of this machine's convolution kernels.

Trains for some steps exactly as train.py does, and in the same run times each kernel that these steps call: forward,
gradient of the input and gradient of the filters of every CONV and FC layer, with their shapes and precision and a warm
cache. The fastest variant counts: in parts side by side or as a whole batch, images packed into rows or not. A step
that did nothing else would take the sum of these times: the ceiling. For comparison, one large matrix product is timed.
"""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up

# isort: split
import keras
import numpy as np
import tensorflow as tf

from bench import machine
from cnnvis import images, keras_internals, training

REPEATS = 3  # calls of a kernel per round
MATRIX = 4096  # rows and columns of the matrices for the processor's peak


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--arch", choices=("basic", "deep"), default="deep")
    parser.add_argument("--data", default="cifar10", help="as in train.py")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--batch-size", type=int, help="images per step (default: recipe)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of steps and kernels; medians are reported")
    parser.add_argument("--steps", type=int, default=10, help="steps per round")
    return parser


class Stopwatch(keras.callbacks.Callback):
    """Seconds of every step but the first of each round."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if batch:
            self.seconds.append(now - self.ended)
        self.ended = now


def kernels(model, batch, dtype):
    """The kernels that a training step calls: tuples of layer name, kernel name, multiply-adds and functions to time.

    The functions compute the same in different ways: ghost batches side by side, as in the step, or the whole batch.
    """
    layers = [layer for layer in model.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    splits = dict.fromkeys([tuple(map(len, np.array_split(range(batch), model.parts))), (batch,)])
    learning = False  # whether a layer before this one learns: only then is the gradient of the input needed
    for layer in layers:
        work = batch * math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
        needed = {"forward": True, "d-input": learning, "d-filter": layer.trainable}
        for what, need in needed.items():
            if need:
                ways = [_side_by_side(calls) for sizes in splits for calls in _ways(layer, what, sizes, dtype)]
                yield layer.name, what, work, ways
        learning = learning or layer.trainable


def _side_by_side(calls):
    return tf.function(lambda: [call() for call in calls])


def _ways(layer, what, sizes, dtype):
    """Ways to compute one kernel for parts of `sizes` random images: tuples with one function per part."""
    arrays = [_random_arrays(layer, size, dtype) for size in sizes]
    compute = _convolution if len(layer.output.shape) == 4 else _product
    return zip(*(compute(layer, what, *parts) for parts in arrays))


def _random_arrays(layer, count, dtype):
    """Random inputs, kernel and gradients of the outputs of a layer."""
    shapes = (count, *layer.input.shape[1:]), layer.kernel.shape, (count, *layer.output.shape[1:])
    return [tf.cast(tf.random.normal(shape), dtype) for shape in shapes]


def _convolution(layer, what, x, kernel, y):
    options = {"strides": [1, *layer.strides, 1], "padding": layer.padding.upper()}
    if what == "forward":
        return [lambda: tf.nn.conv2d(x, kernel, **options)]
    if what == "d-input":
        return [lambda: tf.raw_ops.Conv2DBackpropInput(input_sizes=x.shape, filter=kernel, out_backprop=y, **options)]
    sizes = kernel.shape
    ways = [lambda: tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=sizes, out_backprop=y, **options)]
    if isinstance(layer, training.PackedConv2D) and x.shape[2] <= training.WIDEST_PACKED:
        ways.append(lambda: training.packed_filter_gradient(x, sizes, y))
    return ways


def _product(_layer, what, x, kernel, y):
    if what == "forward":
        return [lambda: tf.matmul(x, kernel)]
    if what == "d-input":
        return [lambda: tf.matmul(y, kernel, transpose_b=True)]
    return [lambda: tf.matmul(x, y, transpose_a=True)]


def matrix_product(dtype):
    """One large matrix product, about the processor's peak: its multiply-adds, and the function."""
    a, b = (tf.cast(tf.random.normal((MATRIX, MATRIX)), dtype) for _ in range(2))
    return MATRIX**3, tf.function(lambda: [tf.matmul(a, b)])


def seconds_per_call(call):
    began = time.perf_counter()
    for _ in range(REPEATS):
        result = call()
    result[-1].numpy()
    return (time.perf_counter() - began) / REPEATS


def prepare(args):
    """The precision, recipe, compiled network and batches of train.py."""
    tf.get_logger().setLevel("ERROR")  # it warns that each kernel has its own function
    precision = training.precision_of(args.precision)
    dataset, _, _ = images.for_training(args.data)
    recipe = training.recipe_for(args.arch, dataset, batch_size=args.batch_size)
    model, batches = training.prepare(dataset, recipe, arch=args.arch, precision=precision)
    return precision, recipe, model, batches


def train_steps(model, batches, steps, callbacks):
    """Train for the first steps of the next epoch."""
    pipeline = training.dataset_of(batches.next_epoch, len(batches), next(batches.of_epoch(0)))
    model.fit(pipeline, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=callbacks)


def main(argv=None):
    args = options().parse_args(argv)
    precision, recipe, model, batches = prepare(args)
    steps = min(args.steps, len(batches) - 1) + 1
    timed = list(kernels(model, recipe.batch_size, precision))
    work, product = matrix_product(precision)
    stopwatch, times, products = Stopwatch(), [[[] for _ in ways] for *_, ways in timed], []
    for number in range(args.rounds + 1):
        train_steps(model, batches, steps, [stopwatch])
        products.append(seconds_per_call(product))
        for (*_, ways), seconds in zip(timed, times):
            for way, its_seconds in zip(ways, seconds):
                its_seconds.append(seconds_per_call(way))
        if number == 0:  # the first round warms up
            stopwatch.seconds.clear()
            products.clear()
            times = [[[] for _ in ways] for *_, ways in timed]
    best = [min(map(statistics.median, seconds)) for seconds in times]
    report(args, precision, recipe, stopwatch.seconds, timed, best, 2e-9 * work / statistics.median(products))


def report(args, precision, recipe, steps, timed, seconds, peak):
    """Print the table of kernels, and the speed of training relative to them."""
    how = f"medians of {args.rounds} rounds of {args.steps} steps and of the kernels, in turn"
    print(machine.describe(f"batches of {recipe.batch_size}, {precision}; {how}"))
    print("\n| layer | GFLOP per image | forward | d-input | d-filter |\n| --- | --- | --- | --- | --- |")
    rates, flops = {}, {}
    for (layer, what, work, _), time_taken in zip(timed, seconds):
        rates.setdefault(layer, {})[what] = 2e-9 * work / time_taken
        flops[layer] = 2e-9 * work / recipe.batch_size
    for layer, rate in rates.items():
        cells = (f"{rate[what]:.0f} GFLOP/s" if what in rate else "–" for what in ("forward", "d-input", "d-filter"))
        print(f"| {layer} | {flops[layer]:.4f} | {' | '.join(cells)} |")
    work = sum(2e-9 * work for _, _, work, _ in timed)
    step, ceiling = statistics.median(steps), sum(seconds)
    print("\n| | images/s | GFLOP/s | ms per step |\n| --- | --- | --- | --- |")
    for name, time_taken in ("training", step), ("the kernels alone", ceiling):
        print(f"| {name} | {recipe.batch_size / time_taken:.0f} | {work / time_taken:.0f} | {1000 * time_taken:.0f} |")
    print(f"| a matrix product, {MATRIX}×{MATRIX} | – | {peak:.0f} | – |")
    whose = "its kernels'" if keras_internals.uses_onednn() else "TensorFlow's own kernels' (oneDNN's are off)"
    print(f"\n{args.arch} trains at {ceiling / step:.0%} of {whose} ceiling.")


if __name__ == "__main__":
    main()
