"""The methods of attribution: what each needs, costs, and is compared with."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from cnnvis.attribution import banzhaf, grad_cam, integrated_gradients, occlusion, smooth_grad

ALL = "all"  # of the methods
STRIDE = 2  # between neighbouring patches, in 1/32 of the side of the image
BACK_AND_FORTH = 3  # passes forward that a gradient takes as long as


def _banzhaf(classifier, images, targets, *, score, track, baselines, windows, stride, seed, **_):
    scores, track = _scores(classifier, score), track("Hiding half of the patches")
    how = {"baselines": baselines, "windows": windows, "stride": stride, "seed": seed}
    return banzhaf.banzhaf_maps(scores, images, targets, track=track, **how)


def _occlusion(classifier, images, targets, *, score, track, baselines, windows, stride, **_):
    scores, track = _scores(classifier, score), track("Hiding patches")
    how = {"baselines": baselines, "windows": windows, "stride": stride}
    return occlusion.occlusion_maps(scores, images, targets, track=track, **how)


def _grad_cam(classifier, images, targets, *, score, track, layer, **_):
    of_layer = partial(classifier.feature_gradients, score, name=layer)
    return grad_cam.grad_cam(of_layer, images, targets, track=track("Weighting feature maps"))


def _gradients(classifier, images, targets, *, score, track, baselines, **_):
    of_pixels, track = partial(classifier.gradients, score), track("Integrating gradients")
    return integrated_gradients.integrated_gradients(of_pixels, images, targets, baselines=baselines, track=track)


def _smooth_grad(classifier, images, targets, *, score, track, baselines, seed, **_):
    of_pixels, track = partial(classifier.gradients, score), track("Averaging gradients")
    return smooth_grad.smooth_grad(of_pixels, images, targets, baselines, seed=seed, track=track)


def _banzhaf_passes(shape, windows, stride):
    return len(banzhaf.Masks(shape, windows, stride, rng=np.random.default_rng()))


def _occlusion_passes(shape, windows, stride):
    return 1 + sum(len(occlusion.window_corners(*shape, window, stride)) for window in windows)


def _random_banzhaf(shape, rng, *, windows, stride, track, **_):
    nothing, classes = np.zeros((*shape, 1), "float32"), np.zeros(shape[0], int)
    how = {"baselines": nothing, "windows": windows, "stride": stride, "track": track}
    return banzhaf.banzhaf_maps(lambda x: rng.normal(size=(len(x), 1)), nothing, classes, **how)


def _random_occlusion(shape, rng, *, windows, stride, **_):
    count = sum(len(occlusion.window_corners(*shape[1:], window, stride)) for window in windows)
    return occlusion.average_maps(rng.normal(size=(shape[0], count)), shape[1:], windows, stride=stride)


def _random_grad_cam(shape, rng, *, grid, **_):
    values = rng.normal(size=(shape[0], *grid)).astype("float32")
    return np.stack([grad_cam.enlarged(each, shape[1:]) for each in values])


def _random_pixels(shape, rng, **_):
    return rng.normal(size=shape).astype("float32")


def _scores(classifier, score):
    return classifier.logits if score == "logit" else classifier.probabilities


class Method(NamedTuple):
    """A method of attribution.

    Hiding scattered pixels destroys an image faster than hiding as many in one place, so that the random map to compare
    with must be as smooth as the method's own.
    """

    # (classifier, images, targets, *, baselines, windows, stride, layer, score, seed, track) -> (N, H, W)
    maps: Callable
    # the same of random scores: ((N, H, W), rng, *, windows, stride, grid, track) -> (N, H, W)
    random_maps: Callable
    windows: tuple = (8,)  # sides of patches by default, in 1/32 of the image's
    passes: Callable = lambda shape, windows, stride: 0  # through the network for an image of (H, W)
    by_gradients: bool = False
    of_layer: bool = False  # whether it explains by the feature maps of a layer


METHODS = {
    "banzhaf": Method(_banzhaf, _random_banzhaf, passes=_banzhaf_passes),
    "occlusion": Method(_occlusion, _random_occlusion, windows=(5, 10, 15), passes=_occlusion_passes),
    "gradcam": Method(_grad_cam, _random_grad_cam, passes=lambda *_: BACK_AND_FORTH, by_gradients=True, of_layer=True),
    "gradients": Method(
        _gradients, _random_pixels, passes=lambda *_: BACK_AND_FORTH * integrated_gradients.STEPS, by_gradients=True
    ),
    "smoothgrad": Method(
        _smooth_grad, _random_pixels, passes=lambda *_: BACK_AND_FORTH * smooth_grad.COPIES, by_gradients=True
    ),
}


def check_method(name):
    """The name itself. ValueError if no method is called so."""
    if name not in (*METHODS, ALL):
        raise ValueError(f"no method is called {name!r}: choose {', '.join(METHODS)}, or {ALL}")
    return name


def methods_for(asked, *, layer=None, patches=False):
    """The methods that options ask for: tuple of str.

    Parameters
    ----------
    asked : str, optional
        One of `METHODS`, or `ALL`.
    layer : str, optional
    patches : bool
        Whether something about patches is given.

    Raises
    ------
    ValueError
        If a layer is given, and no method needs one.
    """
    usual = "gradcam" if layer else "occlusion" if patches else "banzhaf"
    methods = tuple(METHODS) if asked == ALL else (asked or usual,)
    if layer and not any(METHODS[method].of_layer for method in methods):
        raise ValueError(f"--layer is for --method gradcam, not {asked}: leave one of them out")
    return methods


def windows_for(method, size, windows=None, stride=None):
    """Sides of the patches and the stride in pixels, for images of (height, width).

    The defaults, those of the method and `STRIDE`, scale with the image. Raises ValueError if a patch is larger than
    the image, or the stride than a patch.
    """
    scale = min(size) / 32
    windows = sorted(windows or {max(1, round(window * scale)) for window in METHODS[method].windows})
    stride = stride or max(1, min(round(STRIDE * scale), *windows))
    for window in windows:
        occlusion.window_corners(*size, window, stride)
    return windows, stride


def layer_for(method, classifier, name=None):
    """The layer whose feature maps a method explains by; None if it doesn't need any.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    classifier : Classifier
    name : str, optional
        Of a layer with feature maps; the last CONV layer if not given. Of a CONV layer, the output after its activation
        counts.

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if not METHODS[method].of_layer:
        return None
    from cnnvis.network import activated  # it imports TensorFlow

    conv = [layer.name for layer in classifier.layers.values() if layer.kind == "CONV" and _has_maps(layer)]
    if name is None and not conv:
        raise ValueError(
            f"--method {method} explains by feature maps, and the network has no CONV layer: choose another"
        )
    layer = classifier.layer(name or conv[-1])
    if not _has_maps(layer):
        with_maps = conv or [each.name for each in classifier.layers.values() if _has_maps(each)]
        instead = f"choose --layer {with_maps[-1]}" if with_maps else "choose another --method"
        raise ValueError(f"--layer {layer.name} has no feature maps: {instead}")
    return (activated(classifier, layer) if layer.kind == "CONV" else layer).name


def _has_maps(layer):
    return len(getattr(layer.output, "shape", ())) == 4


def random_maps(method, shape, rng, *, windows, stride, grid=None, track=iter):
    """A method's maps of random scores, to compare its maps with.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    shape : (N, H, W)
    rng : numpy.random.Generator
    windows, stride : as in `windows_for`
    grid : (h, w)
        Of the feature maps that the method explains by, if it does.
    track : callable
        Wraps the sequence of batches, such as a progress bar, where there are any.

    Returns
    -------
    (N, H, W) float32 array
    """
    return METHODS[method].random_maps(shape, rng, windows=windows, stride=stride, grid=grid, track=track)
