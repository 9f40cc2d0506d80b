"""The space of the last hidden layer: a map of the test images, and the training images nearest to each mistake."""

from dataclasses import dataclass, replace

import numpy as np

from cnnvis.console import notice, one_line, say
from cnnvis.evaluation import nearest_images
from cnnvis.evaluation.embedding import embed
from cnnvis.evaluation.findings import Findings
from cnnvis.images import Dataset, training_images


@dataclass(frozen=True)
class Space:
    """N test images as the last hidden layer has them.

    Attributes
    ----------
    layer : str
        Its name; "the pixels" if there is none.
    embedding : (N, 2) float32 array
    method : {"t-SNE", "PCA"}
        How it was made.
    mistakes : (M,) int64 array
        Wrong predictions, the most confident first.
    training : Dataset
        The training images; None if there are none at hand, and then all that follows is empty.
    nearest : (M, k) int64 array
        Of the training images, those most alike to each mistake.
    similarity : (M, k) float32 array
        Cosine in the last hidden layer.
    pairs : (P, 2) int64 array
        Near-duplicates: a test image and a training image, the most similar first.
    pair_similarity : (P,) float32 array
    doubtful : (M,) bool array
        Mistakes whose label may well be wrong.
    """

    layer: str
    embedding: np.ndarray
    method: str
    mistakes: np.ndarray
    training: Dataset | None
    nearest: np.ndarray
    similarity: np.ndarray
    pairs: np.ndarray
    pair_similarity: np.ndarray
    doubtful: np.ndarray

    def arrays(self):
        """What results.h5 has of it: dict of str to array. Images have their indices in the whole training set."""
        arrays = {"embedding": self.embedding}
        if self.training is not None:
            numbers = self.training.numbers
            pairs = np.stack([self.pairs[:, 0], numbers[self.pairs[:, 1]]], axis=1)
            arrays |= {"mistakes": self.mistakes, "nearest": numbers[self.nearest]}
            arrays |= {"nearest_similarity": self.similarity, "label_doubtful": self.doubtful}
            arrays |= {"near_duplicates": pairs, "near_duplicates_similarity": self.pair_similarity}
        return arrays


def explore_space(
    hidden, features, dataset, found: Findings, probabilities, *, k=5, seed=0, track=lambda words: iter, **how
):
    """Map the test images, and find the training images that are nearest to them.

    What can't be done is said in one line, and left out.

    Parameters
    ----------
    hidden : network.Hidden
        None, or an empty result, if the network has no such layer.
    features : (N, D) float32 array
        What it outputs for the images.
    dataset : Dataset
        The test images.
    found : Findings
        About them.
    probabilities : (N, K) float array
    k : int
        Training images for each mistake; 0 if none are to be looked for.
    seed : int
    track : callable
        Takes a title and returns a function that wraps a sequence, such as a progress bar.
    **how
        `skip_bad`, as of `images.training_images`; the rest as of `nearest_images.find`.

    Returns
    -------
    Space
        None if there is none.
    """
    if hidden is None:
        return None
    layer = " and ".join(hidden.names) or "the pixels"
    if not hidden.names:
        notice("The network has no hidden layer before the logits: images are compared by their pixels.")
    try:
        embedding, method = embed(features, seed, track(f"Mapping {len(dataset):,} images"))
    except ValueError as error:
        notice(f"No map and no nearest training images: {error}.")
        return None
    if not embedding.any() and len(dataset) > 1:
        notice(f"The output of {layer} is the same for all images: nothing is nearer than anything else.")
        return None
    mistakes = found.wrong.astype("int64")
    space = _without_training(layer, embedding, method, mistakes)
    if not k:
        return space
    try:
        training = training_images(dataset, how.pop("skip_bad", False))
        how["track"] = track("Comparing with the training images")
        near = nearest_images.find(hidden, features, dataset, training, k=k, **how)
    except (ValueError, OSError) as error:
        say(f"No nearest training images: {one_line(error)}.")
        return space
    if len(training) < k:
        notice(f"The training set is smaller than {k}: all {len(training)} images are shown beside each mistake.")
    return replace(
        space,
        training=training,
        nearest=near.indices[mistakes],
        similarity=near.similarity[mistakes],
        pairs=near.pairs,
        pair_similarity=near.pair_similarity,
        doubtful=_doubtful(near, training.labels, dataset.labels, probabilities, found),
    )


def _without_training(layer, embedding, method, mistakes):
    none = np.zeros((len(mistakes), 0))
    pairs, doubtful = np.zeros((0, 2), "int64"), np.zeros(len(mistakes), bool)
    nothing = none.astype("int64"), none.astype("float32"), pairs, np.zeros(0, "float32"), doubtful
    return Space(layer, embedding, method, mistakes, None, *nothing)


def _doubtful(near, training_labels, labels, probabilities, found):
    """Which mistakes may well be wrong labels: (M,) bool.

    Either a near-duplicate is labelled as what was predicted. Or confident learning suspects the label, all nearest
    training images are of the class that was predicted, and the nearest is nearer than for half of the images that are
    predicted right. Of a mistake of the network, all may be of one class, too, but they are farther away.
    """
    predicted, nearest = probabilities[found.wrong].argmax(axis=1), training_labels[near.indices]
    right = np.setdiff1d(np.flatnonzero(labels >= 0), found.wrong)
    least = np.median(near.similarity[right, 0]) if len(right) and near.similarity.shape[1] else np.inf
    unanimous = (nearest[found.wrong] == predicted[:, None]).all(axis=1) & (nearest.shape[1] > 1)
    by_neighbours = unanimous & (near.similarity[found.wrong, :1] >= least).all(axis=1)
    by_neighbours &= np.isin(found.wrong, found.suspects)
    twins = dict(near.pairs[::-1].tolist())  # the most similar one of each
    by_twin = [i in twins and training_labels[twins[i]] == c for i, c in zip(found.wrong.tolist(), predicted)]
    return by_neighbours | np.array(by_twin, bool)
