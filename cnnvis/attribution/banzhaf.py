"""Banzhaf values: hide half of the patches of an image at once, in many ways, and see which patches raise the score.

If only one patch is hidden, a network often finds the same evidence elsewhere: a cat with one ear covered is still a
cat. The Banzhaf value (1965) of a patch is its effect on the score, averaged over all coalitions of other patches that
are shown. RISE (Petsiuk et al. 2018) estimates it from random masks. Here, the masks are a Plackett-Burman design
(1946), so that the effect of one patch isn't confounded with that of another.
"""

import numpy as np

from cnnvis.attribution.occlusion import window_positions
from cnnvis.images import images_at_once


def grids(length, size, stride):
    """All grids of patches along one axis, each shifted by `stride` pixels against the one before.

    Each grid covers the axis; its patches at the border may be cut off.

    Parameters
    ----------
    length, size, stride : int
        Pixels.

    Returns
    -------
    (grids, length) int array
        The patch that each pixel is in, counted from 0.

    Raises
    ------
    ValueError
        If a patch is larger than the axis, or the stride than a patch.
    """
    window_positions(length, size, stride)
    return (np.arange(length) + -np.arange(0, size, stride)[:, None] % size) // size


def parities(bits):
    """Whether each number below 2**bits has an odd number of ones in binary: (2**bits,) bool array."""
    odd = np.zeros(1, bool)
    for _ in range(bits):
        odd = np.concatenate([odd, ~odd])
    return odd


class Masks:
    """The masks: which pixels are hidden in each masked copy of an image.

    The patches of a grid get codes, distinct numbers from 1 to n - 1. Mask j of n hides the patches whose codes have an
    odd number of ones in common with j (rows of a Hadamard matrix), so any two patches are hidden together as often as
    apart. For patches drawn at random, hidden and shown are swapped, so that interactions of several patches aren't, on
    average, attributed to another one. Then all masks are repeated inverted, which cancels the interactions of pairs.

    Parameters
    ----------
    shape : (height, width)
    windows : sequence of int
        Sides of the patches, in pixels.
    stride : int
        Pixels between neighbouring grids.
    rng : numpy.random.Generator
        Of the codes and swaps.
    """

    def __init__(self, shape, windows, stride, rng):
        self.rows, self.columns = [], []  # for each grid: (H,) and (W,), the sum of both is the patch of a pixel
        self.codes, self.swapped = [], []  # for each grid: (patches,)
        counts, weights = [], []
        for size in windows:
            down, across = (grids(length, size, stride) for length in shape)
            for rows, columns in ((rows, columns) for rows in down for columns in across):
                patches = (rows[-1] + 1) * (columns[-1] + 1)
                bits = int(patches).bit_length()
                self.rows.append(rows * (columns[-1] + 1))
                self.columns.append(columns)
                self.codes.append(1 + rng.permutation(2**bits - 1)[:patches])
                self.swapped.append(rng.random(patches) < 0.5)
                counts.append(2**bits)
                weights.append(1 / (2**bits * len(down) * len(across) * len(windows)))
        self.counts, self.weights = np.array(counts), np.array(weights)
        self.starts = np.cumsum([0, *2 * self.counts])
        self.odd = parities(int(self.counts.max()).bit_length())

    def __len__(self):
        return int(self.starts[-1])

    def hidden(self, numbers):
        """Masks by number: (B,) int array -> (B, H, W) bool array, True where a pixel is hidden."""
        chosen = np.searchsorted(self.starts, numbers, side="right") - 1
        masks = []
        for grid, number in zip(chosen, numbers - self.starts[chosen]):
            inverted, mask = divmod(int(number), int(self.counts[grid]))
            hides = self.odd[self.codes[grid] & mask] ^ self.swapped[grid] ^ bool(inverted)
            masks.append(hides[self.rows[grid][:, None] + self.columns[grid]])
        return np.array(masks)

    def weight(self, numbers):
        """Weights of scores, added to shown and subtracted from hidden pixels: (B,) int array -> (B,) float array."""
        return self.weights[np.searchsorted(self.starts, numbers, side="right") - 1]


def banzhaf_maps(score, images, targets, baselines, windows, stride=1, seed=0, track=iter):
    """How much each pixel raises a target's score, by Banzhaf values.

    The value of a patch is the mean score of the masked images that show it minus the mean of those that hide it. The
    value of a pixel is the mean of its patches over all grids of one size, then over the sizes. A linear score is
    explained exactly.

    The masked copies of all images are evaluated in full batches. Beside its arguments and its result, it needs memory
    for one batch, and for the maps in float64.

    Parameters
    ----------
    score, images, targets, baselines, track : as in `occlusion.occlusion_maps`
    windows : sequence of int
        Sides of the patches, in pixels.
    stride : int
        Pixels between neighbouring grids of patches.
    seed : int
        Of the masks.

    Returns
    -------
    (N, H, W) float32 array, signed, in units of the score.

    Raises
    ------
    ValueError
        If a patch is larger than the image, or the stride than a patch.
    """
    targets, shape = np.asarray(targets), images.shape[1:3]
    masks = Masks(shape, windows, stride, rng=np.random.default_rng(seed))
    maps = np.zeros((len(images), *shape))
    batch = images_at_once(*shape)
    for start in track(range(0, len(images) * len(masks), batch)):
        stop = min(start + batch, len(images) * len(masks))
        which, numbers = np.divmod(np.arange(start, stop), len(masks))
        hidden = masks.hidden(numbers)
        shown = np.where(hidden[..., None], baselines[which], images[which]).astype("float32")
        scores = score(shown)[np.arange(len(which)), targets[which]] * masks.weight(numbers)
        for image in np.unique(which):
            its = which == image
            maps[image] += np.tensordot(scores[its], np.where(hidden[its], -1.0, 1.0), 1)
    return maps.astype("float32")
