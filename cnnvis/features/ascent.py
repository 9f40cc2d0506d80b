"""Which image activates a filter most? Gradient ascent on images (Erhan et al. 2009; Olah et al., Distill 2017).

Three swappable parts, as in lucid: the parametrisation of the image, the objective, and the transforms in between.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from cnnvis.features import objectives, parametrization, transforms

STEPS = 64
LEARNING_RATE = 0.1  # of AdamW, on spectra scaled to those of real images
BETA_1, BETA_2 = 0.9, 0.999  # of AdamW: decay per step of the running means of gradients and of their squares
WEIGHT_DECAY = 0.3  # contrast is normalised: without decay, the first steps would weigh as much as the last
NO_GRADIENT = "the network rounds or looks up pixels: name --layers that have gradients (explore.py: or --filters 0)"
FILTERS_AT_ONCE = 64  # images optimised together, or fewer ...
MOST_KEPT = 2**29  # ... so that their gradients take no more values: 2 GB


@dataclass(frozen=True)
class Ascent:
    """How images are optimised.

    Attributes
    ----------
    steps : int
    size : int, optional
        Side of the images in pixels; the classifier's if not given. A layer after a Flatten needs that one.
    objective : callable
        `objectives.channel` or `objectives.neuron`.
    seed : int
        Of the initial noise and of the transforms.
    fourier : bool
        Whether the variable is a spectrum rather than pixels.
    colors : bool
        Whether colours are correlated as in real images.
    limit_high_frequencies : float, optional
        Largest share of high frequencies in an image's energy, relative to real images; None for no limit.
    shift, degrees, zoom : float
        Largest random shift (pixels), rotation (degrees) and scaling (fraction) in each step.
    """

    steps: int = STEPS
    size: int | None = None
    objective: Callable = objectives.channel
    seed: int = 0
    fourier: bool = True
    colors: bool = True
    limit_high_frequencies: float | None = 0.5
    shift: float = 2.0
    degrees: float = 5.0
    zoom: float = 0.1

    def image(self, count, size, statistics):
        """Parametrization of `count` images of (H, W), initialised with noise."""
        if self.fourier:
            image = parametrization.fourier(count, size, self.seed, amplitudes=statistics.amplitudes)
        else:
            image = parametrization.pixels(count, size, self.seed)
        image = parametrization.coloured(image, statistics, free=not self.colors)
        if self.limit_high_frequencies is None:
            return image
        fraction = self.limit_high_frequencies
        return parametrization.limit_high_frequencies(image, size, statistics.amplitudes, fraction=fraction)

    @property
    def transforms(self):
        """Applied to the images in each step before the network: list of callable."""
        return [transforms.jitter(self.shift, self.degrees, self.zoom)]


def ascend(classifier, layer, filters, statistics, ascent=None, stops=None, track=iter):
    """Optimise one image for each of some filters of a layer.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
        CONV or FC.
    filters : sequence of int
    statistics : Statistics
        Of real images.
    ascent : Ascent, optional
    stops : sequence of int, optional
        Steps after which to keep the images, ascending; 0 is the initial noise. Only the last step if not given.
    track : callable
        Wraps the sequence of all steps.

    Returns
    -------
    (len(stops), F, H, W, 3) uint8 array

    Raises
    ------
    ValueError
        If the layer can't be computed on images of that size.
    """
    ascent = ascent or Ascent()
    stops = [ascent.steps] if stops is None else stops
    size = (ascent.size, ascent.size) if ascent.size else classifier.size
    model = objectives.objective_model(classifier, layer, size, objective=ascent.objective)
    if classifier.channels == 1:
        statistics = replace(statistics, grey=True)
    each = classifier.kept * math.prod(size) // math.prod(classifier.size)
    if each > MOST_KEPT:
        raise ValueError(
            f"gradients of one image take {each / 2**28:.1f} GB: choose a smaller --size or other --layers"
        )
    at_once = min(FILTERS_AT_ONCE, MOST_KEPT // each)
    parts = np.split(np.asarray(filters), range(at_once, len(filters), at_once))
    ticks = iter(track(range(len(parts) * max(stops))))
    frames = [
        optimize(
            objectives.of_filters(model, part),
            ascent.image(len(part), size, statistics),
            ascent.transforms,
            stops=stops,
            seed=ascent.seed,
            tick=lambda: next(ticks),
        )
        for part in parts
    ]
    next(ticks, None)  # completes the progress bar
    return np.concatenate(frames, axis=1)


def optimize(objective, image, transforms, *, stops, seed=0, tick=lambda: None):
    """Maximise an objective over images by gradient ascent.

    Parameters
    ----------
    objective : callable
        (F, H, W, 3) pixels 0-255 -> (F,) tensor.
    image : Parametrization
        Of F images; its variable is changed.
    transforms : sequence of callable
        (images, seed) -> images; applied in order before the objective.
    stops : sequence of int
        Steps after which to keep the images.
    seed : int
        Of the transforms.
    tick : callable
        Called after every step.

    Returns
    -------
    (len(stops), F, H, W, 3) uint8 array
    """
    momentum, variance = (tf.Variable(tf.zeros(image.variable.shape)) for _ in range(2))

    @tf.function(jit_compile=False, autograph=False)
    def step(number):
        with tf.GradientTape() as tape:
            images = image.render()
            for transform in transforms:
                images = transform(images, tf.stack([seed, number]))
            loss = -tf.reduce_sum(objective(images))
        gradient = tape.gradient(loss, image.variable)
        if gradient is None:
            raise ValueError(NO_GRADIENT)
        averages = {"momentum": momentum, "variance": variance}
        _adamw(image.variable, gradient, **averages, number=tf.cast(number + 1, tf.float32))

    frames = []
    for number in range(max(stops) + 1):
        if number in stops:
            frames.append(np.rint(image.render().numpy()).astype("uint8"))
        if number < max(stops):
            step(tf.constant(number))
            tick()
    return np.stack(frames)


def _adamw(x, gradient, momentum, variance, number):
    """Update a variable by step `number` (from 1) of AdamW (Loshchilov & Hutter 2019).

    Keras's own AdamW leaks memory on every call: a graph, as `apply` makes a tf.custom_gradient to sum gradients over
    devices, and 36 KiB per variable, as each gets a new name, which TensorFlow caches.
    """
    rate = LEARNING_RATE * tf.sqrt(1 - tf.pow(BETA_2, number)) / (1 - tf.pow(BETA_1, number))
    momentum.assign_add((gradient - momentum) * (1 - BETA_1))
    variance.assign_add((tf.square(gradient) - variance) * (1 - BETA_2))
    x.assign_sub(x * WEIGHT_DECAY * LEARNING_RATE)
    x.assign_sub(momentum * rate / (tf.sqrt(variance) + 1e-7))
