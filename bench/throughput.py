#!/usr/bin/env python3
"""How near training comes to what this machine's convolution kernels can do.

Trains for some steps exactly as train.py does, and times in the same run, in turn, each kernel that these steps call:
forward, gradient of the input, gradient of the filters, of every CONV and FC layer, in their shapes and precision, in
memory that is warm. Each counts at its best: in parts side by side or as a whole batch, images packed into rows or not.
A step that did nothing else would take the sum of these times: the ceiling. Beside it stands what the processor makes
of one large matrix product.
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

import train
from bench import machine
from cnnvis import processor
from cnnvis.images import inputs
from cnnvis.training import fast_layers, recipes
from cnnvis.training import loop as training
from cnnvis.training.batches import Batches, dataset

REPEATS = 3  # calls of a kernel a round
MATRIX = 4096  # rows and columns of the matrices whose product is the processor's peak


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--arch", choices=("basic", "deep"), default="deep")
    parser.add_argument("--data", default="cifar10", help="as in train.py")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--batch-size", type=int, help="images a step (default: recipe)")
    parser.add_argument("--rounds", type=int, default=5, help="of steps and kernels in turn; medians are reported")
    parser.add_argument("--steps", type=int, default=10, help="a round")
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
    """The kernels that a training step calls: (layer, what it computes, multiply-adds, functions to time).

    The functions are ways to compute the same: each ghost batch by itself, side by side, as in the step; and the whole
    batch at once.
    """
    layers = [layer for layer in model.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    splits = dict.fromkeys([tuple(map(len, np.array_split(range(batch), model.parts))), (batch,)])
    learning = False  # whether any layer before this one learns: only then is the gradient of its input asked for
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
    """Ways to compute one kernel on random images, `sizes` of them a part: tuples of as many functions."""
    arrays = [_random_arrays(layer, size, dtype) for size in sizes]
    compute = _convolution if len(layer.output.shape) == 4 else _product
    return zip(*(compute(layer, what, *parts) for parts in arrays))


def _random_arrays(layer, count, dtype):
    """Inputs, kernel and gradient of the outputs of a layer."""
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
    if isinstance(layer, fast_layers.PackedConv2D) and x.shape[2] <= fast_layers.WIDEST_PACKED:
        ways.append(lambda: fast_layers.packed_filter_gradient(x, sizes, y))
    return ways


def _product(_layer, what, x, kernel, y):
    if what == "forward":
        return [lambda: tf.matmul(x, kernel)]
    if what == "d-input":
        return [lambda: tf.matmul(y, kernel, transpose_b=True)]
    return [lambda: tf.matmul(x, y, transpose_a=True)]


def matrix_product(dtype):
    """One large matrix product, which no convolution can outrun by much: its multiply-adds, and the function."""
    a, b = (tf.cast(tf.random.normal((MATRIX, MATRIX)), dtype) for _ in range(2))
    return MATRIX**3, tf.function(lambda: [tf.matmul(a, b)])


def seconds_a_call(call):
    began = time.perf_counter()
    for _ in range(REPEATS):
        result = call()
    result[-1].numpy()
    return (time.perf_counter() - began) / REPEATS


def prepare(args):
    """What train.py would train: the precision, the recipe, the compiled network and its batches."""
    tf.get_logger().setLevel("ERROR")  # which finds that each kernel has a function of its own
    precision = args.precision
    if precision == "auto":
        precision = "bfloat16" if processor.multiplies_bfloat16() else "float32"
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    asked = train.options().parse_args(["--arch", args.arch, "--data", args.data])
    pictures, _, _ = inputs.training_pictures(asked)
    recipe = recipes.adapt(recipes.RECIPES[args.arch], len(pictures), batch_size=args.batch_size)
    model = train.build(asked, recipe, pictures, **train.layers_for(precision, tf.distribute.get_strategy(), recipe))
    batches = Batches(pictures.images, pictures.labels, recipe, seed=0)
    training.compile_model(model, recipe, recipe.epochs * len(batches))
    return precision, recipe, model, batches


def train_steps(model, batches, steps, callbacks):
    """The first steps of the next epoch."""
    pipeline = dataset(batches.next_epoch, len(batches), next(batches.of_epoch(0)))
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
        products.append(seconds_a_call(product))
        for (*_, ways), seconds in zip(timed, times):
            for way, its_seconds in zip(ways, seconds):
                its_seconds.append(seconds_a_call(way))
        if number == 0:  # the first round warms up
            stopwatch.seconds.clear()
            products.clear()
            times = [[[] for _ in ways] for *_, ways in timed]
    best = [min(map(statistics.median, seconds)) for seconds in times]
    report(args, precision, recipe, stopwatch.seconds, timed, best, 2e-9 * work / statistics.median(products))


def report(args, precision, recipe, steps, timed, seconds, peak):
    """Print the table of kernels, and what training makes of them."""
    how = f"medians of {args.rounds} rounds of {args.steps} steps and of the kernels, in turn"
    print(machine.describe(f"batches of {recipe.batch_size}, {precision}; {how}"))
    print("\n| layer | GFLOP an image | forward | d-input | d-filter |\n| --- | --- | --- | --- | --- |")
    rates, flops = {}, {}
    for (layer, what, work, _), time_taken in zip(timed, seconds):
        rates.setdefault(layer, {})[what] = 2e-9 * work / time_taken
        flops[layer] = 2e-9 * work / recipe.batch_size
    for layer, rate in rates.items():
        cells = (f"{rate[what]:.0f} GFLOP/s" if what in rate else "–" for what in ("forward", "d-input", "d-filter"))
        print(f"| {layer} | {flops[layer]:.4f} | {' | '.join(cells)} |")
    work = sum(2e-9 * work for _, _, work, _ in timed)
    step, ceiling = statistics.median(steps), sum(seconds)
    print("\n| | images/s | GFLOP/s | ms a step |\n| --- | --- | --- | --- |")
    for name, time_taken in ("training", step), ("the kernels alone", ceiling):
        print(f"| {name} | {recipe.batch_size / time_taken:.0f} | {work / time_taken:.0f} | {1000 * time_taken:.0f} |")
    print(f"| a matrix product, {MATRIX}×{MATRIX} | – | {peak:.0f} | – |")
    whose = "its kernels'" if processor.uses_onednn() else "TensorFlow's own kernels' (oneDNN's are off)"
    print(f"\n{args.arch} trains at {ceiling / step:.0%} of {whose} ceiling.")


if __name__ == "__main__":
    main()
