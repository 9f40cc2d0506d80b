"""The findings about a classifier's predictions: scores, and which images are worth a look."""

from dataclasses import dataclass

import numpy as np

from cnnvis.evaluation import label_errors, metrics


@dataclass(frozen=True)
class Findings:
    """Findings about the images whose class is known.

    Attributes
    ----------
    scores : metrics.Scores
    pairs : list of (true class, predicted class, count)
        The classes that are confused most often.
    wrong, uncertain : (M,) int arrays
        Wrong predictions, the most confident first; right predictions, the least confident first.
    suspects, seeming : (M,) int arrays
        Images whose label may be wrong, the likeliest error first, and the class that each seems to have.
    """

    scores: metrics.Scores
    pairs: list
    wrong: np.ndarray
    uncertain: np.ndarray
    suspects: np.ndarray
    seeming: np.ndarray


@dataclass(frozen=True)
class OtherNetwork:
    """A second network on the same images.

    Attributes
    ----------
    names : pair of str
        Of the first network and of this one.
    path : Path
    probabilities : (N, K) float32 array
        In the order of the first network's classes.
    scores : metrics.Scores
    comparison : metrics.Comparison
    """

    names: tuple
    path: object
    probabilities: np.ndarray
    scores: metrics.Scores
    comparison: metrics.Comparison


def evaluate(probabilities: np.ndarray, labels: np.ndarray, topk: int = 3) -> Findings:
    """Evaluate a classifier's predictions of images whose class is known.

    Parameters
    ----------
    probabilities : (N, K) float array
    labels : (N,) int array
        -1 where the class is not known.
    topk : int
        1 to K: a prediction is right if the class is among this many most probable ones.

    Returns
    -------
    Findings
    """
    scores = metrics.score(probabilities, labels, topk)
    suspects, seeming = label_errors.suspects(probabilities, labels)
    return Findings(
        scores=scores,
        pairs=metrics.most_confused(scores.confusion),
        wrong=metrics.confident_mistakes(probabilities, labels),
        uncertain=metrics.uncertain_hits(probabilities, labels),
        suspects=suspects,
        seeming=seeming,
    )


def compare_with(theirs, ours, labels, *, topk, paths):
    """Compare a second network with the first.

    Parameters
    ----------
    theirs, ours : (N, K) float arrays
        Probabilities of the second and of the first network, in the same order of classes.
    labels : (N,) int array
    topk : int
    paths : pair of Path
        Of the first and the second network.

    Returns
    -------
    OtherNetwork
    """
    names = tuple(path.stem for path in paths)
    if names[0] == names[1]:
        names = tuple(map(str, paths))
    return OtherNetwork(
        names=names,
        path=paths[1],
        probabilities=theirs,
        scores=metrics.score(theirs, labels, topk),
        comparison=metrics.compare(ours, theirs, labels),
    )


def check_topk(topk, classes):
    """`topk` or, if it is None, 3 or the number of classes if that is smaller. ValueError if it exceeds the classes."""
    if (topk or 1) > classes:
        raise ValueError(f"--topk {topk} is more than the {classes} classes of the model")
    return topk or min(3, classes)


def class_order(classes, others, path):
    """The index of each class in another network's `others`: (K,) int array. ValueError if their classes differ."""
    if sorted(others) != sorted(classes):
        raise ValueError(f"{path} has other classes: {', '.join(others[:10])}")
    return np.array([others.index(name) for name in classes])


def to_save(found, other=None, space=None):
    """Arrays and numbers for results.h5: two dicts, by name."""
    scores = found.scores
    arrays = {
        "confusion": scores.confusion,
        "by_class": scores.by_class,
        **{f"calibration/{name}": array for name, array in vars(scores.calibration).items()},
        "label_suspects": found.suspects,
        "label_suspects_seem": found.seeming,
    }
    numbers = {
        "accuracy": scores.accuracy,
        "interval": scores.interval,
        "topk": scores.topk,
        "topk_accuracy": scores.topk_accuracy,
        "calibration_error": scores.calibration.error,
        "brier": scores.brier,
    }
    if space:
        arrays |= space.arrays()
        numbers |= {"embedding_method": space.method, "hidden_layer": space.layer}
    if other:
        arrays |= {"other_probabilities": other.probabilities, "other_confusion": other.scores.confusion}
        arrays |= dict(zip(("only_first", "only_second"), other.comparison.only))
        numbers |= {"other": str(other.path), "other_accuracy": other.scores.accuracy}
        numbers |= {"p_value": other.comparison.p_value}
    return arrays, numbers


def nothing_to_save(classes):
    """As `to_save`, for images whose class is not known: an empty confusion matrix, and NaN as accuracy."""
    return {"confusion": np.zeros((classes, classes), "int64")}, {"accuracy": float("nan")}
