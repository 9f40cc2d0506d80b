"""Handwritten digits, on which a small network trains in the browser."""

import base64
import gzip

import numpy as np

from cnnvis import images


def digits():
    """scikit-learn's digits, whatever the page's network was trained on: dict.

    `pixels` has 8x8 levels from 0 to 16 for each digit, gzipped, in base64; `labels` has a letter for each. The first
    `training` digits are the training set, the others are the test set.
    """
    parts = [images.scanned_digits(split) for split in ("train", "test")]
    levels = np.concatenate([levels for levels, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    return {
        "pixels": base64.b64encode(gzip.compress(levels.tobytes(), mtime=0)).decode("ascii"),
        "labels": "".join(map(str, labels)),
        "training": len(parts[0][0]),
    }
