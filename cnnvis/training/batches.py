"""Which pictures each step of training sees, and in which shape: shuffled, augmented, made while the network learns."""

import numpy as np
import tensorflow as tf

from cnnvis.training import augmentation as augment


class Batches:
    """Shuffled, augmented batches of one epoch after the other; in the first ones, pictures may be shrunk.

    What comes out depends only on seed, epoch and position, so that an interrupted run goes on as if nothing
    had happened. Of the last, incomplete batch nothing is shown; the shuffle leaves out others each epoch.

    Attributes
    ----------
    epoch : int
        The one that comes next, counted from 0.
    """

    def __init__(self, images, labels, recipe, seed, epoch=0):
        self.padded = augment.pad(images, recipe.crop_margin)
        self.labels = labels
        self.recipe, self.seed, self.epoch = recipe, seed, epoch
        self.flipped_first = np.random.default_rng(seed).random(len(images)) < 0.5

    def __len__(self):
        return len(self.labels) // self.recipe.batch_size

    def of_epoch(self, epoch):
        """Generate its batches: (N, H, W, C) uint8 pictures, of one size in all of them, and (N,) labels."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.labels))
        for step in range(len(self)):
            chosen = order[step * self.recipe.batch_size :][: self.recipe.batch_size]
            rng = np.random.default_rng([self.seed, epoch, step])
            images = augment.random_crop(self.padded[chosen], self.recipe.crop_margin, rng)
            if self.recipe.flip == "alternating":
                images = augment.alternating_flip(images, self.flipped_first[chosen], epoch)
            elif self.recipe.flip == "random":
                images = augment.flip(images, rng.random(len(images)) < 0.5)
            if epoch < self.recipe.small_epochs:
                images = augment.shrink(images, self.recipe.small_side)
            yield images, self.labels[chosen]

    def next_epoch(self):
        """Generate the batches of `epoch`, which is counted at once."""
        self.epoch += 1
        yield from self.of_epoch(self.epoch - 1)

    def stages(self):
        """The epochs that are to come, in ranges of which each has pictures of one size: list of range.

        Small pictures come first: what they show of shapes is soon learned from them, and takes less time (Howard 2018,
        in DAWNBench; Tan & Le, "EfficientNetV2", 2021).
        """
        border, end = self.recipe.small_epochs, self.recipe.epochs
        return [stage for stage in (range(self.epoch, border), range(max(self.epoch, border), end)) if stage]


def dataset(batches, count, example):
    """A tf.data.Dataset that makes batches while the network learns from those before.

    Each time that it is gone through, it calls `batches`, which returns an iterator over `count` pairs of arrays,
    of shapes and types like `example`. TensorFlow does not tune it meanwhile: the thread that does so can take many
    seconds to end, after every epoch, in which nothing is learned.
    """
    images, labels = example
    signature = tf.TensorSpec((None, *images.shape[1:]), images.dtype), tf.TensorSpec((None,), labels.dtype)
    options = tf.data.Options()
    options.autotune.enabled = False
    whole = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return whole.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2).with_options(options)
