"""Test-time augmentation (TTA): logits averaged over crops and flips of an image."""

import numpy as np

VIEWS = 6  # crops and flips of an image; half as many without flips


def views(images, flips=True):
    """Generate crops and flips of images, each with its weight (Jordan 2024).

    Images are shifted by a pixel towards two opposite corners, or not at all; each is mirrored, or not, if there are
    `flips`: a mirrored digit is none that a network has learned.
    (N, H, W, C) -> pairs of weight and (N, H, W, C), `images` itself first; the weights add up to 1.
    """
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    for weight, corner in ((1 / 2, 1), (1 / 4, 0), (1 / 4, 2)):
        view = images if corner == 1 else padded[:, corner : corner + height, corner : corner + width]
        yield weight / (1 + flips), view
        if flips:
            yield weight / 2, view[:, :, ::-1]


def accuracies(classifier, images, labels, *, flips=True, track=iter):
    """Accuracy on images as they are, and with test-time augmentation: two floats, 0-1.

    Parameters
    ----------
    classifier : Classifier
    images : (N, H, W, 3) uint8 array
    labels : (N,) int array
    flips : bool
        Whether the network was trained on mirrored images, too.
    track : callable
        Wraps the list of views, to show progress.
    """
    weights, logits = [], []
    for weight, view in track(list(views(images, flips))):
        weights.append(weight)
        logits.append(classifier.logits(view))
    mean = np.tensordot(weights, logits, 1)
    return tuple(float((values.argmax(axis=1) == labels).mean()) for values in (logits[0], mean))
