"""The loss that training minimises."""

import keras
import tensorflow as tf


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy with label smoothing: a fraction `smoothing` is spread over all classes (Szegedy et al. 2016).

    It takes logits, and is exact for any. Probabilities would not do: Keras clips them at 1e-7, and an image that is
    classified confidently and wrongly would have no gradient.
    """

    def __init__(self, smoothing):
        super().__init__()
        self.smoothing = smoothing

    def call(self, labels, logits):
        classes = logits.shape[-1]
        targets = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), classes)
        targets = (1 - self.smoothing) * targets + self.smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(targets, logits)
