"""Halves: hide half of all squares of a picture at once, in many ways, and see which of them hold its score up.

With one square hidden, a network often sees the same thing elsewhere: a cat that has lost one ear is a cat. What a
square is worth while others are hidden too, on average over all halves, is its Banzhaf value (1965); RISE (Petsiuk et
al. 2018) estimates it from random halves. Here they are chosen, as Plackett and Burman (1946) choose the experiments
that try several factors at once, so that the worth of one square is not taken for that of another.
"""

import numpy as np

from cnnvis.attribution.occlusion import window_positions
from cnnvis.images.sources import pictures_at_once


def grids(length, size, stride):
    """All grids of squares along one axis, shifted by `stride` pixels from one to the next.

    A grid covers the axis; its squares at the borders may be cut off.

    Parameters
    ----------
    length, size, stride : int
        Pixels.

    Returns
    -------
    (grids, length) int array
        In which of its grid's squares each pixel is, counted from 0.

    Raises
    ------
    ValueError
        If a square doesn't fit, or the stride is larger.
    """
    window_positions(length, size, stride)
    return (np.arange(length) + -np.arange(0, size, stride)[:, None] % size) // size


def parities(bits):
    """Whether numbers have an odd number of ones in binary: (2**bits,) bool array."""
    odd = np.zeros(1, bool)
    for _ in range(bits):
        odd = np.concatenate([odd, ~odd])
    return odd


class Halves:
    """Which pixels are hidden, in every picture of an experiment.

    The squares of a grid get codes, numbers from 1 to n - 1. In picture j of n, the squares are hidden for which code
    and j have an odd number of ones in common: for any two squares, each of the four cases comes equally often (the
    rows of a Hadamard matrix). For some squares, drawn at random, hidden and shown are exchanged, so that what several
    squares are worth together is, on average, not taken for the worth of another. Then the same again with the others
    hidden: what pairs are worth cancels out at once.

    Parameters
    ----------
    shape : (height, width)
    windows : sequence of int
        Sides of the squares, in pixels.
    stride : int
        Pixels from one grid to the next.
    rng : numpy.random.Generator
        Of the codes.
    """

    def __init__(self, shape, windows, stride, rng):
        self.rows, self.columns = [], []  # of each grid: the squares of pixels
        self.codes, self.exchanged = [], []  # of each grid, of its squares
        counts, weights = [], []
        for size in windows:
            down, across = (grids(length, size, stride) for length in shape)
            for rows, columns in ((rows, columns) for rows in down for columns in across):
                squares = (rows[-1] + 1) * (columns[-1] + 1)
                bits = int(squares).bit_length()
                self.rows.append(rows * (columns[-1] + 1))
                self.columns.append(columns)
                self.codes.append(1 + rng.permutation(2**bits - 1)[:squares])
                self.exchanged.append(rng.random(squares) < 0.5)
                counts.append(2**bits)
                weights.append(1 / (2**bits * len(down) * len(across) * len(windows)))
        self.counts, self.weights = np.array(counts), np.array(weights)
        self.starts = np.cumsum([0, *2 * self.counts])
        self.odd = parities(int(self.counts.max()).bit_length())

    def __len__(self):
        return int(self.starts[-1])

    def hidden(self, numbers):
        """Some of the experiment's pictures: (B,) int array -> (B, H, W) bool array, True where a pixel is hidden."""
        chosen = np.searchsorted(self.starts, numbers, side="right") - 1
        masks = []
        for grid, number in zip(chosen, numbers - self.starts[chosen]):
            others, picture = divmod(int(number), int(self.counts[grid]))
            hides = self.odd[self.codes[grid] & picture] ^ self.exchanged[grid] ^ bool(others)
            masks.append(hides[self.rows[grid][:, None] + self.columns[grid]])
        return np.array(masks)

    def weight(self, numbers):
        """What a score counts for the pixels that are shown, and against those that are hidden: (B,) -> (B,) float."""
        return self.weights[np.searchsorted(self.starts, numbers, side="right") - 1]


def half_maps(score, images, targets, baselines, windows, stride=1, seed=0, track=iter):
    """How much each pixel holds a target's score up, while half of the picture is hidden.

    The worth of a square is the mean score of the pictures that show it, less the mean of those that hide it. A pixel
    has the mean worth of its squares in all grids of one size, then the mean over the sizes. A linear score is
    explained exactly, whatever the squares are combined with.

    The hidden halves of all pictures go through the network in full batches: beside its arguments and what it returns,
    it needs memory for one batch, and for the maps once more in float64.

    Parameters
    ----------
    score, images, targets, baselines, track : as in `occlusion.occlusion_maps`
    windows : sequence of int
        Sides of the squares, in pixels.
    stride : int
        Pixels from one grid of squares to the next.
    seed : int
        Of which squares are hidden together.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.

    Raises
    ------
    ValueError
        If a square is larger than the picture, or the stride than a square.
    """
    targets, shape = np.asarray(targets), images.shape[1:3]
    halves = Halves(shape, windows, stride, np.random.default_rng(seed))
    maps = np.zeros((len(images), *shape))
    batch = pictures_at_once(*shape)
    for start in track(range(0, len(images) * len(halves), batch)):
        stop = min(start + batch, len(images) * len(halves))
        pictures, numbers = np.divmod(np.arange(start, stop), len(halves))
        hidden = halves.hidden(numbers)
        shown = np.where(hidden[..., None], baselines[pictures], images[pictures]).astype("float32")
        scores = score(shown)[np.arange(len(pictures)), targets[pictures]] * halves.weight(numbers)
        for picture in np.unique(pictures):
            its = pictures == picture
            maps[picture] += np.tensordot(scores[its], np.where(hidden[its], -1.0, 1.0), 1)
    return maps.astype("float32")
