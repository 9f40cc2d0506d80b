"""Metrics of a classifier's predictions: accuracy, confusion, calibration, mistakes. NumPy in, NumPy out."""

from dataclasses import dataclass

import numpy as np
from sklearn import metrics

BINS = 15  # of confidence, as in Guo et al. 2017
VALUES_AT_ONCE = 1_000_000  # probabilities copied at a time: all of them may fill half the memory


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier on the images whose class is known.

    Attributes
    ----------
    right, count : int
        Images predicted right, and all images.
    interval : (low, high)
        95 % confidence interval of the accuracy, 0-1.
    topk : int
    topk_accuracy : float
        Fraction of images whose class is among the `topk` most probable ones, 0-1.
    confusion : (K, K) int64 array
        Images by true class (row) and predicted class (column).
    by_class : (K, 4) float array
        Precision, recall, F1 (0-1), and number of images.
    calibration : Calibration
    brier : float
        Brier score, 0-2.
    """

    right: int
    count: int
    interval: tuple
    topk: int
    topk_accuracy: float
    confusion: np.ndarray
    by_class: np.ndarray
    calibration: "Calibration"
    brier: float

    @property
    def accuracy(self):
        return self.right / self.count


@dataclass(frozen=True)
class Calibration:
    """Confidence (the highest probability) against accuracy, in bins of equal width of the confidence.

    Attributes
    ----------
    count : (B,) int64 array
        Images whose confidence is in the bin, its upper end included.
    confidence, accuracy : (B,) float array
        Mean confidence, and fraction of right predictions, 0-1; NaN in an empty bin.
    """

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self):
        """Expected calibration error (Naeini et al. 2015): mean gap between confidence and accuracy, 0-1."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gaps * self.count) / self.count.sum())

    @property
    def overconfidence(self):
        """Mean confidence minus accuracy, -1 to 1: positive for an overconfident classifier."""
        return float(np.nansum((self.confidence - self.accuracy) * self.count) / self.count.sum())


def score(probabilities, labels, topk=1):
    """Scores of (N, K) probabilities against (N,) labels; -1 is unknown and left out, at least one must be known."""
    known = labels >= 0
    if not known.all():
        probabilities, labels = probabilities[known], labels[known]
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, probabilities.shape[1])
    right, count = int(confusion.trace()), len(labels)
    return Scores(
        right=right,
        count=count,
        interval=accuracy_interval(right, count),
        topk=topk,
        topk_accuracy=top_k_accuracy(probabilities, labels, topk),
        confusion=confusion,
        by_class=class_report(labels, predicted, probabilities.shape[1]),
        calibration=calibration(probabilities, labels),
        brier=brier_score(probabilities, labels),
    )


def accuracy(probabilities, labels):
    """Fraction of images whose most probable class is the right one: (N, K), (N,) -> float."""
    return top_k_accuracy(probabilities, labels, 1)


def top_k_accuracy(probabilities, labels, k):
    """Fraction of images whose class is among the k most probable, ties in class order: (N, K), (N,), int -> float."""
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)[:, None]
    classes, among = np.arange(probabilities.shape[1]), np.empty(len(labels), dtype=bool)
    for part in blocks(*probabilities.shape):
        own = np.take_along_axis(probabilities[part], labels[part], axis=1)
        tied = (probabilities[part] == own) & (classes < labels[part])
        among[part] = ((probabilities[part] > own) | tied).sum(axis=1) < k
    return float(among.mean())


def blocks(count, classes):
    """Cut `count` images into blocks whose probabilities take little memory: int, int -> list of slice."""
    step = max(1, VALUES_AT_ONCE // classes)
    return [slice(start, start + step) for start in range(0, count, step)]


def accuracy_interval(right, count):
    """95 % confidence interval of an accuracy (Wilson 1927): right and all images -> (low, high)."""
    z = 1.959964
    share = right / count
    centre = share + z**2 / (2 * count)
    spread = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return tuple(float(np.clip((centre + side * spread) / (1 + z**2 / count), 0, 1)) for side in (-1, 1))


def confusion_matrix(labels, predicted, classes):
    """Number of images by true class (row) and predicted class (column): (N,), (N,), int -> (K, K) int64."""
    if not len(labels):  # which scikit-learn refuses
        return np.zeros((classes, classes), dtype="int64")
    return metrics.confusion_matrix(labels, predicted, labels=range(classes)).astype("int64")


def class_report(labels, predicted, classes):
    """Precision, recall, F1 and number of images of each class: (K, 4) float; 0 where it is not defined."""
    columns = metrics.precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    return np.stack(columns, axis=1).astype(float)


def calibration(probabilities, labels, bins=BINS):
    """Confidence against accuracy, in bins of equal width: (N, K), (N,), int -> Calibration."""
    highest = probabilities.max(axis=1).astype(float)
    is_right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(highest * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence, accuracy = (np.bincount(bin_of, what, bins) / count for what in (highest, is_right))
    return Calibration(count, confidence, accuracy)


def brier_score(probabilities, labels):
    """Mean squared distance of the probabilities from the one-hot labels (Brier 1950): (N, K), (N,) -> float.

    0 is perfect, 2 is confident and always wrong; equal probabilities for all K classes score 1 - 1/K. Probabilities
    that don't add up to 1, as after sigmoids, may score more than 2.
    """
    own = probabilities[np.arange(len(labels)), labels].astype(float)
    return float(np.mean(np.einsum("nk,nk->n", probabilities, probabilities) - 2 * own + 1))


def most_confused(confusion, most=10):
    """The pairs of classes that are confused most often.

    (K, K) int -> list of (true class, predicted class, count), most frequent first, counts of 0 left out.
    """
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    pairs = [(*map(int, np.unravel_index(i, mistakes.shape)), int(mistakes.flat[i])) for i in order]
    return [pair for pair in pairs if pair[2]]


def confident_mistakes(probabilities, labels):
    """Indices of the wrong predictions, the most confident first: (N, K), (N,) -> (M,) int."""
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero((probabilities.argmax(axis=1) != labels) & (labels >= 0))
    return wrong[np.argsort(-confidence[wrong], kind="stable")]


def uncertain_hits(probabilities, labels):
    """Indices of the right predictions, the least confident first: (N, K), (N,) -> (M,) int."""
    confidence = probabilities.max(axis=1)
    right = np.flatnonzero(probabilities.argmax(axis=1) == labels)
    return right[np.argsort(confidence[right], kind="stable")]


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same images of known class.

    Attributes
    ----------
    only : pair of (M,) int arrays
        Images that only the first, and only the second, predicts right, the most confident first.
    both, neither : int
        Number of images that both, and that neither predicts right.
    p_value : float
        Of McNemar's exact test (1947): the probability that two equally good classifiers differ at least as much.
    """

    only: tuple
    both: int
    neither: int
    p_value: float


def compare(first, second, labels):
    """Compare two classifiers' probabilities: (N, K), (N, K), (N,) -> Comparison."""
    from scipy.stats import binomtest

    rights = [probabilities.argmax(axis=1) == labels for probabilities in (first, second)]
    only = []
    for probabilities, mine, other in ((first, *rights), (second, *rights[::-1])):
        places = np.flatnonzero(mine & ~other)
        only.append(places[np.argsort(-probabilities[places, labels[places]], kind="stable")])
    differ = len(only[0]) + len(only[1])
    p_value = float(binomtest(len(only[0]), differ).pvalue) if differ else 1.0
    both = int((rights[0] & rights[1]).sum())
    neither = int((labels >= 0).sum()) - both - differ
    return Comparison(only=tuple(only), both=both, neither=neither, p_value=p_value)
