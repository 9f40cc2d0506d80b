"""What predictions say about a classifier: accuracy, confusion, rankings, calibration. NumPy in, NumPy out."""

import numpy as np
from sklearn import metrics


def accuracy(probabilities, labels):
    """Fraction of pictures whose most probable class is the right one: (N, K), (N,) -> float."""
    return top_k_accuracy(probabilities, labels, 1)


def top_k_accuracy(probabilities, labels, k):
    """Fraction of pictures whose class is among the k most probable: (N, K), (N,), int -> float."""
    ranked = ranking(probabilities)[:, :k]
    return float((ranked == np.asarray(labels)[:, None]).any(axis=1).mean())


def accuracy_interval(correct, count):
    """95 % confidence interval of an accuracy (Wilson 1927): correct and all pictures -> (low, high)."""
    z = 1.959964
    share = correct / count
    centre = share + z**2 / (2 * count)
    spread = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return tuple(float(np.clip((centre + side * spread) / (1 + z**2 / count), 0, 1)) for side in (-1, 1))


def ranking(probabilities):
    """Classes of each picture from the most to the least probable: (N, K) float -> (N, K) int; ties in class order."""
    return np.argsort(-np.asarray(probabilities), axis=1, kind="stable")


def confusion_matrix(labels, predicted, classes):
    """How often each true class (row) was taken for each class (column): (N,), (N,), int -> (K, K) int64."""
    if not len(labels):  # which scikit-learn refuses
        return np.zeros((classes, classes), dtype="int64")
    return metrics.confusion_matrix(labels, predicted, labels=range(classes)).astype("int64")


def class_report(labels, predicted, classes):
    """Precision, recall, F1 and number of pictures of each class: (K, 4) float; 0 where it is not defined."""
    columns = metrics.precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    return np.stack(columns, axis=1).astype(float)


def most_confused(confusion, most=10):
    """The pairs of classes that are mistaken most often.

    (K, K) int -> list of (true class, predicted class, times), most frequent first, none that never happened.
    """
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    pairs = [(*map(int, np.unravel_index(i, mistakes.shape)), int(mistakes.flat[i])) for i in order]
    return [pair for pair in pairs if pair[2]]


def confident_mistakes(probabilities, labels):
    """Indices of the wrongly predicted pictures, the most confident mistake first: (N, K), (N,) -> (M,) int."""
    predicted = ranking(probabilities)[:, 0]
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")]
