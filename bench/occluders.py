"""Occlusion by others: the tutorial, Captum and tf-explain; and our network in PyTorch, Captum's own framework.

The packages in `bench/requirements.txt` are imported inside functions, so that the rest can be tested without them.
"""

import contextlib
import io
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from cnnvis import attribution

PACKAGES = {"captum": "Captum", "torch": "PyTorch", "tf_explain": "tf-explain"}
WINDOW = 5  # side of the tutorial's patch, in pixels
PATCH = 4  # side of the patch in tf-explain's README, in pixels


def check_installed():
    """Raise ValueError if a package to compare with is not installed."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise ValueError(
            f"not installed: {', '.join(missing)}. Run make bench-importance, or pip install -r bench/requirements.txt"
        )


def versions():
    """Names and versions of the packages to compare with: str."""
    return ", ".join(f"{name} {version(package)}" for package, name in PACKAGES.items())


def tutorial_map(probabilities, image, target, noise, size=WINDOW):
    """The tutorial's map: replace a patch around each pixel by noise; the fall of the probability is the pixel's value.

    A patch is cut off at the border. Overlapping patches are not averaged.

    Parameters
    ----------
    probabilities : callable
        (B, H, W, C) float32 -> (B, K).
    image : (H, W, C) array
    target : int
    noise : (H * W, H, W, C) array
        Images that the patches are cut from, one for each pixel, row by row.
    size : int
        Side of the patch in pixels, odd.

    Returns
    -------
    (H, W) float array, signed, in units of the probability.
    """
    shape = image.shape[:2]
    centres = np.indices(shape).reshape(2, -1).T
    first, end = np.maximum(centres - size // 2, 0), np.minimum(centres + size // 2 + 1, shape)
    hidden = attribution.occlude([image] * len(centres), noise, np.concatenate([first, end], axis=1))
    whole = probabilities(image[None])[0, target]
    return (whole - probabilities(hidden)[:, target]).reshape(shape)


def captum_map(score, image, target, baseline=0, at_once=1):
    """Captum's `Occlusion` with patches of `WINDOW` pixels over all colours and stride 1.

    Parameters
    ----------
    score : callable
        (B, 3, H, W) float32 tensor -> (B, K) tensor.
    image : (H, W, 3) array
    target : int
    baseline : number or (H, W, 3) array
        Replaces hidden pixels; 0 is Captum's default.
    at_once : int
        Patches per call of `score`; 1 is Captum's default. The map doesn't depend on it.

    Returns
    -------
    (H, W) float32 array, signed, in units of the score.
    """
    from captum.attr import Occlusion

    maps = Occlusion(score).attribute(
        _tensor(image),
        sliding_window_shapes=(3, WINDOW, WINDOW),
        baselines=_tensor(baseline) if np.ndim(baseline) else baseline,
        target=int(target),
        perturbations_per_eval=at_once,
    )
    return maps[0].mean(dim=0).numpy()  # all three are the same: a patch hides them together


def _tensor(image):
    """(H, W, C) array -> (1, C, H, W) float32 tensor"""
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)[None], "float32"))


def tf_explain_map(model, image, target):
    """The map of tf-explain's `OcclusionSensitivity`, with the patch size of its README.

    1 - p for each patch of a grid, filled with 127.5 (which is grey only for pixels 0-255), resized to the image.

    Parameters
    ----------
    model : keras.Model
        (B, H, W, C) pixels 0-255 -> (B, K) probabilities.
    image : (H, W, C) array
    target : int

    Returns
    -------
    (H, W) float64 array, 0-1.
    """
    from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

    with contextlib.redirect_stdout(io.StringIO()):  # Keras's progress bars
        return OcclusionSensitivity().get_sensitivity_map(model, np.asarray(image, "float32"), target, PATCH)


def as_torch(score):
    """Turn a function of arrays, (B, H, W, C) -> (B, K), into one of tensors, (B, C, H, W) -> (B, K)."""
    import torch

    return lambda images: torch.from_numpy(score(images.permute(0, 2, 3, 1).numpy()))


def torch_network(model):
    """A network like `deep` or `basic` in PyTorch, with its weights.

    Parameters
    ----------
    model : keras.Model
        A chain of layers; only the last may have an activation of its own.

    Returns
    -------
    torch.nn.Sequential
        (B, C, H, W) pixels -> (B, K) logits.

    Raises
    ------
    ValueError
        If a layer has no translation here.
    """
    import torch

    layers = [ported for layer in model.layers for ported in _torch_layers(layer)]
    return torch.nn.Sequential(*layers).eval()


def _channels_last():
    """A PyTorch layer that permutes (B, C, H, W) to (B, H, W, C), the order in which Keras flattens."""
    from torch import nn

    class ChannelsLast(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1)

    return ChannelsLast()


def _torch_layers(layer):
    """Translate a Keras layer to PyTorch: list of torch.nn.Module."""
    from keras import layers
    from torch import nn

    match layer:
        case layers.InputLayer() | layers.Softmax() | layers.Dropout():
            return []
        case layers.Normalization():
            return [_normalization(layer.mean, layer.variance, 0.0)]
        case layers.BatchNormalization():
            return [_normalization(layer.moving_mean, layer.moving_variance, layer.epsilon, layer.gamma, layer.beta)]
        case layers.Conv2D():
            height, width, channels, filters = layer.kernel.shape
            ported = nn.Conv2d(channels, filters, (height, width), padding=layer.padding, bias=layer.use_bias)
            return [_fill(ported, weight=layer.kernel.numpy().transpose(3, 2, 0, 1), bias=layer.bias)]
        case layers.Dense():
            ported = nn.Linear(*layer.kernel.shape, bias=layer.use_bias)
            return [_fill(ported, weight=layer.kernel.numpy().T, bias=layer.bias)]
        case layers.MaxPooling2D():
            return [nn.MaxPool2d(layer.pool_size, layer.strides)]
        case layers.AveragePooling2D():
            return [nn.AvgPool2d(layer.pool_size, layer.strides)]
        case layers.GlobalMaxPooling2D():
            return [nn.AdaptiveMaxPool2d(1), nn.Flatten()]
        case layers.Flatten():
            return [_channels_last(), nn.Flatten()]
        case layers.ReLU():
            return [nn.ReLU()]
    raise ValueError(f"{layer.name} is a {type(layer).__name__}, which has no translation to PyTorch here")


def _normalization(mean, variance, epsilon, gain=None, bias=None):
    from torch import nn

    mean, variance = np.ravel(mean.numpy()), np.ravel(variance.numpy())
    return _fill(
        nn.BatchNorm2d(len(mean), eps=epsilon), running_mean=mean, running_var=variance, weight=gain, bias=bias
    )


def _fill(module, **weights):
    """Copy arrays or Keras variables into a PyTorch module, except those that are None."""
    import torch
    from keras import ops

    for name, values in weights.items():
        if values is not None:
            getattr(module, name).data.copy_(torch.tensor(ops.convert_to_numpy(values)))
    return module
