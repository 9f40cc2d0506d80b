#!/usr/bin/env python3
"""Whether it helps `deep` to learn from its own past predictions, too, and print JSON.

A target is a mixture of the label and of what the network predicted for the image in the epochs before (Kim et al.
2021, progressive self-knowledge distillation). As images are mirrored in every other epoch, and moved, it also teaches
to predict the same for both. It takes no more compute than labels alone.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from cnnvis import console, evaluation, images, network, training  # noqa: E402
from cnnvis.training import loop  # noqa: E402


class PastPredictions(keras.losses.Loss):
    """Cross-entropy with targets that go over from labels to the network's own past predictions.

    Parameters
    ----------
    targets : (N, K) float32 tensor
        The labels, smoothed.
    share : float
        Weight of past predictions in the last step; it rises linearly, from 0 after the fraction `start` of the steps.
    memory : float
        Weight of earlier predictions in their running average: 0 keeps those of the last epoch.
    steps : int
        Of the whole training.
    optimizer : keras.optimizers.Optimizer
        Counts them.
    """

    def __init__(self, targets, *, share, memory, start, steps, optimizer):
        super().__init__()
        self.targets, self.predicted = targets, tf.Variable(targets, trainable=False)
        self.share, self.memory, self.start, self.steps, self.optimizer = share, memory, start, steps, optimizer

    def call(self, places, logits):
        """(n,) places of the images in the training set, (n, K) logits -> (n,) losses."""
        places = tf.cast(tf.reshape(places, [-1]), tf.int32)
        done = tf.cast(self.optimizer.iterations, tf.float32) / self.steps
        share = self.share * tf.clip_by_value((done - self.start) / (1 - self.start), 0, 1)
        past = tf.gather(self.predicted, places)
        targets = (1 - share) * tf.gather(self.targets, places) + share * past
        now = tf.nn.softmax(tf.stop_gradient(tf.cast(logits, tf.float32)))
        memory = tf.where(done > self.start / 2, self.memory, 0.0)  # the first predictions are worth little
        with tf.control_dependencies(
            [self.predicted.scatter_nd_update(places[:, None], memory * past + (1 - memory) * now)]
        ):
            return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


def options():
    parser = console.parser(__doc__)
    parser.add_argument("--epochs", type=console.positive, default=12, metavar="N", help="of the training")
    parser.add_argument("--share", type=float, default=0.5, help="of past predictions in the last targets")
    parser.add_argument("--memory", type=float, default=0.0, help="weight of earlier ones in their running average")
    parser.add_argument("--start", type=float, default=0.0, help="fraction of the training that has labels only")
    parser.add_argument("--validation", type=console.positive, default=10_000, metavar="N", help="images held out")
    parser.add_argument("--changes", default="", help="in the recipe, such as crop_margin=3")
    return parser


def main(argv=None):
    return console.run(options(), measure, argv)


def measure(args):
    """Print the accuracy on held-out images, without and with TTA."""
    dataset, held_out, _ = images.for_training("cifar10", validation=args.validation, seed=args.seed)
    recipe = training.recipe_for("deep", dataset, args.changes.split(), epochs=args.epochs)
    precision = loop.precision_of("auto")
    model, batches = loop.prepare(dataset, recipe, arch="deep", seed=args.seed, precision=precision)
    smoothing, classes = recipe.label_smoothing, len(dataset.classes)
    loss = PastPredictions(
        (1 - smoothing) * tf.one_hot(tf.cast(dataset.labels, tf.int32), classes) + smoothing / classes,
        share=args.share,
        memory=args.memory,
        start=args.start,
        steps=recipe.epochs * len(batches),
        optimizer=model.optimizer,
    )
    model.compile(model.optimizer, loss, jit_compile=False)
    batches.labels = np.arange(len(dataset))
    loop.fit(model, recipe, batches)
    final = loop.plain("deep", dataset, recipe, model, seed=args.seed)
    loop.recompute_statistics(final, batches.parts(args.epochs))
    console.say(json.dumps(evaluation.accuracies(network.Classifier(final), held_out.images, held_out.labels)))


if __name__ == "__main__":
    sys.exit(main())
