"""The batches of training: shuffled, augmented, and prepared while the network learns."""

import itertools

import numpy as np
import tensorflow as tf

from cnnvis.images import channel_statistics, images_at_once
from cnnvis.training import augmentation


class Batches:
    """Shuffled, augmented batches, epoch after epoch.

    They depend only on seed, epoch and step, so that a resumed run sees what it would have seen without the
    interruption. The last, incomplete batch is dropped; which images that leaves out differs from epoch to epoch.

    Attributes
    ----------
    epoch : int
        The next one, counted from 0.
    """

    def __init__(self, images, labels, recipe, seed, epoch=0):
        self.images, self.labels = images, labels
        self.recipe, self.seed, self.epoch = recipe, seed, epoch
        self.flipped_first = np.random.default_rng(seed).random(len(images)) < 0.5
        self.mean_color = np.rint(channel_statistics(images)[0]) if recipe.cutout else None

    def __len__(self):
        return len(self.labels) * self.recipe.repeats // self.recipe.batch_size

    def of_epoch(self, epoch):
        """Generate the batches of an epoch: (N, H, W, C) uint8 images and (N,) labels."""
        shuffle = np.random.default_rng([self.seed, epoch])
        order = np.concatenate([shuffle.permutation(len(self.labels)) for _ in range(self.recipe.repeats)])
        pass_number = epoch * self.recipe.repeats + np.arange(len(order)) // len(self.labels)
        for step in range(len(self)):
            places = slice(step * self.recipe.batch_size, (step + 1) * self.recipe.batch_size)
            chosen = order[places]
            rng = np.random.default_rng([self.seed, epoch, step])
            images = augmentation.pad(self.images[chosen], self.recipe.crop_margin)
            images = augmentation.random_crop(images, self.recipe.crop_margin, rng)
            if self.recipe.flip == "alternating":
                images = augmentation.alternating_flip(images, self.flipped_first[chosen], pass_number[places])
            elif self.recipe.flip == "random":
                images = augmentation.flip(images, rng.random(len(images)) < 0.5)
            if self.recipe.brightness or self.recipe.contrast:
                images = augmentation.change_light(images, self.recipe.brightness, self.recipe.contrast, rng)
            if self.recipe.jpeg:
                images = augmentation.compress(images, self.recipe.jpeg, rng)
            if self.recipe.cutout:
                images = augmentation.cut_out(images, self.recipe.cutout, self.mean_color, rng)
            yield images, self.labels[chosen]

    def parts(self, epoch):
        """Generate the images of an epoch, in parts as large as batch normalisation sees them: (n, H, W, C) uint8."""
        for images, _ in self.of_epoch(epoch):
            yield from np.array_split(images, self.recipe.ghost_batches)

    def next_epoch(self):
        """Generate the batches of `epoch`, which goes up by one at once."""
        self.epoch += 1
        yield from self.of_epoch(self.epoch - 1)

    def endless(self):
        """Generate the batches of `epoch` and of all epochs after it."""
        for epoch in itertools.count(self.epoch):
            yield from self.of_epoch(epoch)


def dataset_of(batches, count, example):
    """A tf.data.Dataset that prepares batches while the network learns from earlier ones.

    TensorFlow doesn't tune it: the thread that does so can take many seconds to end after every epoch.

    Parameters
    ----------
    batches : callable
        Returns an iterator over `count` pairs of arrays, images and labels; called for every pass through the dataset.
    count : int
    example : pair of arrays
        With the shapes, but for the first axis, and the dtypes of all pairs.
    """
    images, labels = example
    signature = tf.TensorSpec((None, *images.shape[1:]), images.dtype), tf.TensorSpec((None,), labels.dtype)
    options = tf.data.Options()
    options.autotune.enabled = False
    whole = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return whole.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2).with_options(options)


def held_out_batch(size):
    """How many held-out images of a (height, width) are evaluated at once: 500 of 32x32."""
    return 2 * images_at_once(*size)


def held_out_batches(held_out):
    """A tf.data.Dataset of the images and labels of a Dataset, in their order."""
    at_once = held_out_batch(held_out.images.shape[1:3])
    starts = range(0, len(held_out), at_once)

    def batches():
        for start in starts:
            chosen = slice(start, start + at_once)
            yield held_out.images[chosen], held_out.labels[chosen]

    return dataset_of(batches, len(starts), next(batches()))
