"""Layers that train faster than Keras's own, with the same weights and, but for rounding, the same results."""

import keras
import tensorflow as tf

TILE = 32  # values that a matrix unit (AMX) sums up at a time, in bfloat16
WIDEST_PACKED = TILE // 4  # positions in a row: wider maps leave too little of the unit idle


class RowNormalization(keras.layers.Normalization):
    """Keras's normalisation of pixels, by rows: vectors of three colours would leave a vector unit mostly idle."""

    def call(self, inputs):
        height, width, channels = inputs.shape[1:]
        mean, variance = (tf.tile(tf.reshape(each, [-1]), [width]) for each in (self.mean, self.variance))
        rows = tf.reshape(inputs, (-1, width * channels))
        rows = (rows - mean) / tf.maximum(tf.sqrt(variance), keras.config.epsilon())
        return tf.reshape(rows, (-1, height, width, channels))


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation in one operation that reads and writes the compute dtype.

    Keras computes the moments of bfloat16 activations in float32, step by step. Weights are the same, and can be copied
    from one to the other.
    """

    def call(self, inputs, training=None):
        shape = tf.shape(inputs)
        x = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x,
            tf.ones_like(self.beta),
            tf.convert_to_tensor(self.beta),
            None if training else tf.convert_to_tensor(self.moving_mean),
            None if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=bool(training),
        )
        if training:
            replica = tf.distribute.get_replica_context()
            if replica.num_replicas_in_sync > 1:  # with ghost batches of their own, and common statistics
                mean, variance = replica.all_reduce("MEAN", [mean, variance])
            self.moving_mean.assign(self.momentum * self.moving_mean + (1 - self.momentum) * mean)
            self.moving_variance.assign(self.momentum * self.moving_variance + (1 - self.momentum) * variance)
        return tf.reshape(y, shape)


class PackedConv2D(keras.layers.Conv2D):
    """Keras's CONV layer of 3x3 filters, with padding, that computes the filters' gradient faster for small maps.

    The gradient is a sum over all positions. A matrix unit takes `TILE` positions of a row at a time, and the rows of
    small maps would leave it mostly idle; so several maps are put side by side.
    """

    def convolution_op(self, inputs, kernel):
        if inputs.shape[2] > WIDEST_PACKED:
            return super().convolution_op(inputs, kernel)
        return _packed_convolution(inputs, tf.convert_to_tensor(kernel))


@tf.custom_gradient
def _packed_convolution(inputs, kernel):
    def gradients(upstream):
        of_inputs = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=[1, 1, 1, 1], padding="SAME"
        )
        return of_inputs, packed_filter_gradient(inputs, kernel.shape, upstream)

    return tf.nn.conv2d(inputs, kernel, strides=1, padding="SAME"), gradients


def packed_filter_gradient(inputs, filter_sizes, upstream):
    """The gradient of a 3x3 CONV layer's filters, with padding, from maps put side by side.

    (N, H, W, C) inputs, (3, 3, C, K) and (N, H, W, K) gradient of the outputs -> (3, 3, C, K) tensor.
    """
    return tf.raw_ops.Conv2DBackpropFilter(
        input=_side_by_side(inputs),
        filter_sizes=filter_sizes,
        out_backprop=_side_by_side(upstream),
        strides=[1, 1, 1, 1],
        padding="SAME",
    )


def _side_by_side(maps):
    """Put maps in rows of up to `TILE` positions, a zero after each: (N, H, W, C) -> (n, H, m·(W + 1), C) tensor."""
    height, width, channels = maps.shape[1:]
    in_a_row = TILE // (width + 1)
    count = -(-tf.shape(maps)[0] // in_a_row)
    missing = count * in_a_row - tf.shape(maps)[0]
    maps = tf.pad(maps, [[0, missing], [0, 0], [0, 1], [0, 0]])
    rows = tf.reshape(maps, (count, in_a_row, height, width + 1, channels))
    return tf.reshape(tf.transpose(rows, (0, 2, 1, 3, 4)), (count, height, in_a_row * (width + 1), channels))
