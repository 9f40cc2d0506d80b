"""Which picture excites a filter most? Gradient ascent on pictures (Erhan et al. 2009; Olah et al., Distill 2017)."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from cnnvis.images.sources import pictures_at_once
from cnnvis.images.statistics import FINE, fine_share, frequencies, wave_counts
from cnnvis.network.classifier import compiled

STEPS = 64
LEARNING_RATE = 0.1  # of AdamW, on spectra that are scaled to the data's
BETA_1, BETA_2 = 0.9, 0.999  # of AdamW: what is kept of the means of gradients and of their squares, each step
FORGETTING = 0.3  # weight decay: contrast is fixed, so without it the first steps would count as much as the last
SMOOTHNESS = 0.5  # fine waves' share of a picture's energy at most, of what it is in real pictures
FILTERS_AT_ONCE = 64  # pictures that are ascended together
SHIFT = 2.0  # pixels that a picture is moved at most, each step
DEGREES = 5.0  # that it is turned at most
ZOOM = 0.1  # fraction by which it is scaled at most
CONTRAST = 1.7  # root mean square of the picture about its mean colour, in logits of pixel values
START = 0.3  # standard deviation of the first spectrum


def growth(
    classifier,
    layer,
    filters,
    statistics,
    steps,
    size=None,
    seed=0,
    objective="channel",
    without=(),
    track=iter,
):
    """Pictures that excite filters of one layer more and more, all of them ascended together.

    The objective is the filter's output before its RELU (a filter that RELU silences would have no gradient). The
    picture is not made of pixels but of waves, scaled so that they come out as strong as in real pictures, and of
    the colours of real pictures; fine waves may have half the share of its energy that they have in those; each step
    looks at it moved, turned and scaled a little, so that what remains does not hang on single pixels.

    Parameters
    ----------
    classifier : Classifier
    layer : Layer
        CONV or FC.
    filters : sequence of int
    statistics : Statistics
    steps : sequence of int
        After which to take the pictures down, in rising order; 0 is the noise that it begins with.
    size : int, optional
        Side of the pictures in pixels; the classifier's size if not said. A layer behind a Flatten takes no other.
    seed : int
    objective : as in `activations`
    without : sequence of str
        Parts to leave out: "fourier" (pictures are made of pixels instead of waves), "smooth" (fine waves are not
        held back), "colors" (which vary freely), "shift", "turn" and "zoom" (pictures are looked at as they are).
    track : callable
        Wraps the sequence of all steps.

    Returns
    -------
    (len(steps), F, H, W, 3) uint8 array

    Raises
    ------
    ValueError
        If the layer can't be computed on pictures of that size.
    """
    size = (size, size) if size else classifier.size
    excitation = excitation_model(classifier, layer, size, objective)
    if classifier.channels == 1:
        statistics = replace(statistics, grey=True)
    parts = np.split(np.asarray(filters), range(FILTERS_AT_ONCE, len(filters), FILTERS_AT_ONCE))
    ticks = iter(track(range(len(parts) * max(steps))))
    grown = [_grow(excitation, part, statistics, steps, size, seed, without, ticks) for part in parts]
    next(ticks, None)  # which ends the bar
    return np.concatenate(grown, axis=1)


def ascend(classifier, layer, filters, statistics, steps=STEPS, **how):
    """The pictures that `growth` ends with after so many steps: (F, H, W, 3) uint8 array."""
    return growth(classifier, layer, filters, statistics, [steps], **how)[0]


def grey_images(count, size):
    """Pictures for filters that nothing excites: (count, H, W, 3) uint8, all 128. `size` is a side or (H, W)."""
    height, width = (size, size) if isinstance(size, int) else size
    return np.full((count, height, width, 3), 128, dtype="uint8")


def activations(classifier, layer, images, objective="channel"):
    """Output of every filter of a layer before its RELU.

    Of a CONV layer its average over space ("channel") or the cell in the middle ("neuron"); of an FC layer the unit's.

    (N, H, W, 3) pixels 0-255 -> (N, filters) float32
    """
    images = np.asarray(images)
    run = compiled(excitation_model(classifier, layer, images.shape[1:3], objective))
    batch = pictures_at_once(*images.shape[1:3])
    return np.concatenate([run(images[i : i + batch]) for i in range(0, len(images), batch)])


def _mean(layer):
    """A layer's output before its activation function, averaged over space."""
    if len(layer.linear.shape) == 2:
        return layer.linear
    return keras.layers.GlobalAveragePooling2D(name=f"cnnvis_mean_{layer.name}", dtype="float32")(layer.linear)


def _middle(layer):
    """The cell in the middle of a layer's output, before its activation function."""
    x = layer.linear
    return x if len(x.shape) == 2 else x[:, x.shape[1] // 2, x.shape[2] // 2]


def excitation_model(classifier, layer, size, objective="channel"):
    """Model from (N, H, W, 3) pixels 0-255 to what excites the filters of a layer: (N, filters)."""
    model = classifier.model_to(_mean(layer) if objective == "channel" else _middle(layer))
    if tuple(size) == tuple(classifier.size):
        return model
    try:
        return keras.models.clone_model(model, keras.Input((*size, 3)), clone_function=lambda operation: operation)
    except ValueError as error:
        wanted = "x".join(map(str, classifier.size))
        raise ValueError(f"{layer.name} needs pictures of {wanted}: leave --size out for it") from error


def _grow(excitation, filters, statistics, steps, size, seed, without, ticks):
    fourier = _wave_scale(size, statistics.amplitudes)
    fine = 1 if "smooth" in without else SMOOTHNESS * fine_share(statistics.amplitudes, size)
    limits = [0 if part in without else limit for part, limit in (("shift", SHIFT), ("turn", DEGREES), ("zoom", ZOOM))]
    waves = "fourier" not in without
    shape = (2, len(filters), 3, *fourier.shape) if waves else (len(filters), *size, 3)
    start = tf.Variable(np.random.default_rng(seed).normal(0, START, shape), dtype=tf.float32)
    momentum, variance = (tf.Variable(tf.zeros(shape)) for _ in range(2))
    offset, colors = _colors(statistics, free="colors" in without)

    def picture():
        x = start
        if waves:
            x = tf.signal.irfft2d(tf.complex(start[0], start[1]) * fourier, fft_length=size)  # (F, 3, H, W)
            x = tf.transpose(x, (0, 2, 3, 1))  # (F, H, W, 3), uncorrelated
        x = tf.tensordot(x, colors, 1)  # of likely colours
        x = CONTRAST * x * tf.math.rsqrt(tf.reduce_mean(x**2, axis=(1, 2, 3), keepdims=True) + 1e-6)
        return _smooth(255 * tf.sigmoid(x + offset), fine)

    @tf.function(jit_compile=False, autograph=False)
    def step(number):
        with tf.GradientTape() as tape:
            moved = random_move(picture(), tf.stack([seed, number]), *limits)
            outputs = excitation(moved, training=False)  # (F, filters)
            chosen = tf.gather(outputs, filters, axis=1)
            loss = -tf.reduce_sum(tf.linalg.diag_part(chosen))
        gradient = tape.gradient(loss, start)
        _adamw(start, gradient, momentum, variance, tf.cast(number + 1, tf.float32))

    grown = []
    for number in range(max(steps) + 1):
        if number in steps:
            grown.append(np.rint(picture().numpy()).astype("uint8"))
        if number < max(steps):
            step(tf.constant(number))
            next(ticks)
    return np.stack(grown)


def _adamw(x, gradient, momentum, variance, number):
    """Change a variable by its step of that number, from 1 on, of AdamW (Loshchilov & Hutter 2019).

    Keras's would leave something behind for ever: a graph, since `apply` makes a tf.custom_gradient to sum gradients
    over devices, and 36 KiB for each variable, since it names them anew each time, which TensorFlow caches.
    """
    rate = LEARNING_RATE * tf.sqrt(1 - tf.pow(BETA_2, number)) / (1 - tf.pow(BETA_1, number))
    momentum.assign_add((gradient - momentum) * (1 - BETA_1))
    variance.assign_add((tf.square(gradient) - variance) * (1 - BETA_2))
    x.assign_sub(x * FORGETTING * LEARNING_RATE)
    x.assign_sub(momentum * rate / (tf.sqrt(variance) + 1e-7))


def _colors(statistics, free):
    """Logits of the mean colour, (3,), and what gives noise its colours, (3, 3); `free` of what real pictures have."""
    mean, colors = np.clip(statistics.mean, 0.05, 0.95), statistics.colors / np.abs(statistics.colors).max()
    if free:
        mean, colors = np.full(3, 0.5), np.eye(3)
    if statistics.grey:
        mean, colors = np.full(3, mean.mean()), np.full((3, 3), 1 / 3)
    return tf.constant(np.log(mean / (1 - mean)), tf.float32), tf.constant(colors, tf.float32)


def _wave_scale(size, amplitudes):
    """What a wave's parameters are multiplied by, for each wave of a (H, W) picture.

    Each step changes all parameters about equally, so the larger the scale, the faster a wave grows.
    """
    scale = np.interp(frequencies(size), np.linspace(0, 0.5, len(amplitudes)), amplitudes)
    return tf.constant(scale / scale.mean() * np.sqrt(np.prod(size)), tf.complex64)


def _smooth(pictures, share):
    """Hold back fine waves, so that they have at most that share of a picture's energy, but for its mean.

    (F, H, W, 3) pixels 0-255, twice. Even where all waves begin as strong as in real pictures, the fine ones, of which
    there are so many more, would win otherwise.
    """
    size = pictures.shape[1:3]
    if share >= 1 or not (frequencies(size) > FINE).any():
        return pictures
    fine = tf.constant(frequencies(size) > FINE, tf.float32)
    spectrum = tf.signal.rfft2d(tf.transpose(pictures, (0, 3, 1, 2)))  # (F, 3, H, W // 2 + 1)
    energy = tf.math.real(spectrum * tf.math.conj(spectrum)) * tf.constant(wave_counts(size), tf.float32)
    of_fine, of_coarse = (tf.reduce_sum(energy * waves, axis=(1, 2, 3), keepdims=True) for waves in (fine, 1 - fine))
    scale = tf.minimum(1.0, tf.sqrt(share / (1 - share) * of_coarse / (of_fine + 1e-6) + 1e-12))
    spectrum *= tf.cast(1 - fine + fine * scale, tf.complex64)
    pictures = tf.transpose(tf.signal.irfft2d(spectrum, fft_length=size), (0, 2, 3, 1))
    return tf.clip_by_value(pictures, 0, 255)


def random_move(images, seed, shift=SHIFT, degrees=DEGREES, zoom=ZOOM):
    """Shift, turn and scale each picture a little, at random, differentiably; the border is mirrored outwards.

    Pixels are blended bilinearly, by hand: the gradient of TensorFlow's own image transform is only close to right.

    Parameters
    ----------
    images : (N, H, W, C) float tensor
    seed : (2,) int tensor
    shift, degrees, zoom : float
        At most, in pixels, degrees, and as a fraction.

    Returns
    -------
    (N, H, W, C) float tensor
    """
    count, height, width, channels = images.shape
    dx, dy, turn, scale = tf.unstack(tf.random.stateless_uniform((4, count, 1), seed, -1, 1))
    angle, factor = turn * (degrees * np.pi / 180), 1 + zoom * scale
    cos, sin = tf.cos(angle) / factor, tf.sin(angle) / factor
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y, x = (tf.constant(axis.reshape(1, -1), tf.float32) for axis in np.mgrid[:height, :width])
    y, x = y - middle_y, x - middle_x
    from_y = _mirror(sin * x + cos * y + middle_y + shift * dy, height)  # (N, H * W)
    from_x = _mirror(cos * x - sin * y + middle_x + shift * dx, width)
    top, left = tf.floor(from_y), tf.floor(from_x)
    pixels = tf.reshape(images, (count, height * width, channels))
    moved = 0
    for row, row_weight in ((top, top + 1 - from_y), (tf.minimum(top + 1, height - 1), from_y - top)):
        for column, weight in ((left, left + 1 - from_x), (tf.minimum(left + 1, width - 1), from_x - left)):
            place = tf.cast(row * width + column, tf.int32)
            moved += (row_weight * weight)[..., None] * tf.gather(pixels, place, batch_dims=1)
    return tf.reshape(moved, images.shape)


def _mirror(place, length):
    """Places beyond 0 ... length - 1, mirrored back at the borders."""
    last = length - 1
    return last - tf.abs(last - tf.math.floormod(place, 2 * last)) if last else tf.zeros_like(place)
