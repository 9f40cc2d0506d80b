"""How gradients become steps: learning rate schedule, Nesterov momentum, and Muon."""

import math
import re

import keras
import tensorflow as tf

from cnnvis.keras_internals import variable_index

# Of the odd quintic polynomial a·s + b·s³ + c·s⁵ that drives singular values towards 1, fast rather than exactly
# (Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 3


def from_recipe(recipe, steps, dtype="bfloat16", *, tunes=False):
    """The optimizer of a recipe, with its schedule, for a training of so many steps.

    Muon multiplies in `dtype`. If it `tunes` a trained network, whose architecture may be any, see `Muon`.
    """
    peak = recipe.learning_rate
    schedule = OneCycle(
        start=recipe.start_rate * peak,
        peak=peak,
        end=recipe.final_rate * peak,
        rising_steps=round(recipe.warmup * steps),
        steps=steps,
    )
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(schedule)
    options = {
        "scales": {"/beta": recipe.bias_scale, "fc2/kernel": recipe.logits_scale},
        "learning_rate": schedule,
        "momentum": recipe.momentum,
        "nesterov": True,
        "weight_decay": recipe.weight_decay,
    }
    if recipe.optimizer == "muon":
        orthogonal = None if tunes else r"(conv\d+|fc1)/kernel"
        optimizer = Muon(orthogonal, recipe.orthogonal_momentum, dtype, **options)
    else:
        optimizer = ScaledSGD(**options)
    optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
    return optimizer


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from `start` to `peak`, then falls linearly to `end` (Smith 2018)."""

    def __init__(self, start, peak, end, rising_steps, steps):
        self.start, self.peak, self.end, self.rising_steps, self.steps = start, peak, end, rising_steps, steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rise = self.start + (self.peak - self.start) * step / max(1, self.rising_steps)
        fall = self.peak + (self.end - self.peak) * (step - self.rising_steps) / max(1, self.steps - self.rising_steps)
        return tf.where(step < self.rising_steps, rise, fall)

    def get_config(self):
        return dict(vars(self))


class ScaledSGD(keras.optimizers.SGD):
    """SGD with a learning rate of its own for some variables.

    Parameters
    ----------
    scales : dict of str to float
        Factor of the learning rate, by a regular expression for the end of the variable's path.
    """

    def __init__(self, scales, **options):
        super().__init__(**options)
        self.scales = scales

    def build(self, variables):
        super().build(variables)
        self.scale = [math.prod(s for ending, s in self.scales.items() if _ends(v, ending)) for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate * self.scale[variable_index(self, variable)])


class Muon(ScaledSGD):
    """Nesterov SGD, with orthogonal steps for the kernels of CONV layers and FC1 (Jordan 2024, `airbench94_muon`).

    A few directions dominate a gradient; an orthogonal step goes as far in the rare ones, so that every filter learns
    something of its own. Before each step, the kernel is rescaled to the norm √filters: it would only grow, and the
    longer it is, the less a step would turn it.

    Parameters
    ----------
    orthogonal : str, optional
        Regular expression for the end of the paths of kernels that take orthogonal steps. Without it, the kernels of a
        trained network of any architecture do, without being rescaled; a step is as long relative to the kernel as it
        is for a rescaled one. All other variables stay as they are: nothing tells a learning rate for them.
    orthogonal_momentum : float
        Of these kernels; `momentum` is that of all other variables.
    dtype : str
        Of the matrix products that make a step orthogonal: bfloat16 is exact enough, but slow where the processor has
        no instruction for it.
    """

    def __init__(self, orthogonal, orthogonal_momentum, dtype, **options):
        super().__init__(**options)
        self.orthogonal, self.orthogonal_momentum, self.dtype = orthogonal, orthogonal_momentum, dtype

    def build(self, variables):
        super().build(variables)
        if self.orthogonal is None:
            self.is_orthogonal = [len(variable.shape) > 1 for variable in variables]
            self.scale = [float(is_orthogonal) for is_orthogonal in self.is_orthogonal]
        else:
            self.is_orthogonal = [_ends(variable, self.orthogonal) for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        index = variable_index(self, variable)
        if not self.is_orthogonal[index]:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self.momentums[index]
        self.assign(momentum, self.orthogonal_momentum * momentum + gradient)
        ahead = gradient + self.orthogonal_momentum * momentum
        filters = variable.shape[-1]
        step = tf.reshape(orthogonalize(tf.reshape(ahead, (-1, filters)), self.dtype), variable.shape)
        if self.orthogonal is None:
            self.assign_sub(variable, learning_rate * tf.norm(variable) / math.sqrt(filters) * step)
            return
        unit = variable / tf.maximum(tf.norm(variable), 1e-7)
        self.assign(variable, math.sqrt(filters) * unit - learning_rate * self.scale[index] * step)


def orthogonalize(matrix, dtype="bfloat16", steps=NEWTON_SCHULZ_STEPS):
    """A matrix with the same singular vectors and singular values near 1, by Newton-Schulz iteration.

    (n, m) float32 tensor -> (n, m) float32 tensor, multiplied in `dtype`. Singular values end between about 0.3 and
    1.3, those below a hundredth of the largest lower: exactness would cost more than it gains.
    """
    a, b, c = NEWTON_SCHULZ
    x = tf.cast(matrix / (tf.norm(matrix) + 1e-7), dtype)
    tall = matrix.shape[0] > matrix.shape[1]
    for _ in range(steps):
        square = tf.matmul(x, x, transpose_a=tall, transpose_b=not tall)  # the smaller of xᵀx and xxᵀ
        odd = b * square + c * tf.matmul(square, square)
        x = a * x + (tf.matmul(x, odd) if tall else tf.matmul(odd, x))
    return tf.cast(x, tf.float32)


def _ends(variable, pattern):
    """Whether the path of a Keras variable ends in a match of the regular expression."""
    return re.search(f"(?:{pattern})$", variable.path) is not None
