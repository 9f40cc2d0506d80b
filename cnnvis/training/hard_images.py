"""Hard images: what a small network that learns along finds hardest of every batch (Jordan, `airbench96_faster`)."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from cnnvis.training import optimizers
from cnnvis.training.batches import Batches

WIDTHS = (32, 64, 64)  # of the small network
LEARNS_EVERY = 4  # batches: it only looks at the others
OTHER_SEED = 100  # added to that of the training: its weights are other ones


def small(recipe):
    """The recipe of the small network."""
    return replace(recipe, widths=WIDTHS, hardest=1.0)


def masks(model, dataset, recipe, seed):
    """Which images of each batch are the hardest for a small network: (epochs, steps, B) bool array."""
    batches = Batches(dataset.images, dataset.labels, recipe, seed=seed)
    kept = int(recipe.batch_size * recipe.hardest)
    steps = recipe.epochs * len(batches)
    variables = model.trainable_variables
    optimizer = optimizers.from_recipe(small(recipe), steps // LEARNS_EVERY, model.compute_dtype)
    optimizer.build(variables)

    def hardest(images, labels):
        logits = tf.cast(model(images, training=True), tf.float32)
        targets = tf.one_hot(tf.cast(labels, tf.int32), len(dataset.classes))
        targets = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing / len(dataset.classes)
        return tf.math.top_k(tf.nn.softmax_cross_entropy_with_logits(targets, logits), kept, sorted=False)

    @tf.function(jit_compile=False)
    def look(images, labels):
        return hardest(images, labels).indices

    @tf.function(jit_compile=False)
    def learn(images, labels):
        with tf.GradientTape() as tape:
            losses, indices = hardest(images, labels)
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return indices

    found = np.zeros((recipe.epochs, len(batches), recipe.batch_size), bool)
    number = 0
    for epoch in range(recipe.epochs):
        for step, (images, labels) in enumerate(batches.of_epoch(epoch)):
            step_of = look if number % LEARNS_EVERY else learn
            found[epoch, step, step_of(tf.constant(images), tf.constant(labels)).numpy()] = True
            number += 1
    return found
