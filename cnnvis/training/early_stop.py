"""Early stopping: of few images, a network soon learns what isn't true of others."""

import keras
import numpy as np
import tensorflow as tf


class EarlyStop(keras.callbacks.Callback):
    """End a training when held-out images no longer gain by it, and keep the weights of its best epoch.

    Unlike Keras's callback, it goes on where an interrupted run ended.

    Parameters
    ----------
    model : keras.Model
    patience : int
        Epochs without a smaller loss, after which training ends.

    Attributes
    ----------
    state : list of tf.Variable
        The smallest loss, the number of its epoch, and the weights after it: part of the state that a run is resumed
        from.
    """

    def __init__(self, model, patience):
        super().__init__()
        self.lowest, self.epoch = tf.Variable(np.inf, dtype="float32"), tf.Variable(0)
        self.best = [tf.Variable(tf.convert_to_tensor(weight)) for weight in model.weights]
        self.weights, self.patience = model.weights, patience

    @property
    def state(self):
        return [self.lowest, self.epoch, *self.best]

    def ended(self, epochs):
        """Whether a training ends after so many epochs: bool."""
        return int(self.epoch) > 0 and epochs - int(self.epoch) >= self.patience

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < float(self.lowest):
            self.lowest.assign(logs["val_loss"])
            self.epoch.assign(epoch + 1)
            for best, weight in zip(self.best, self.weights):
                best.assign(weight.value)
        self.model.stop_training = self.ended(epoch + 1)

    def restore(self):
        """Give the model the weights of its best epoch; returns the number of that epoch."""
        for best, weight in zip(self.best, self.weights):
            weight.assign(best)
        return int(self.epoch)
