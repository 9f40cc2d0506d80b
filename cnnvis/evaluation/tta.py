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
    images : (N, H, W, 3) uint8 array, or what gives one when it is sliced
    labels : (N,) int array
    flips : bool
        Whether the network was trained on mirrored images, too.
    track : callable
        Wraps the sequence of batches, to show progress.
    """
    right = np.zeros(2, int)
    for start in track(range(0, len(images), classifier.at_once)):
        batch = slice(start, start + classifier.at_once)
        weights, logits = zip(*((weight, classifier.logits(view)) for weight, view in views(images[batch], flips)))
        for number, values in enumerate((logits[0], np.tensordot(weights, logits, 1))):
            right[number] += (values.argmax(axis=1) == labels[batch]).sum()
    return tuple((right / len(images)).tolist())
