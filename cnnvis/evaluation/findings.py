"""What there is to tell about a classifier's predictions: scores, and which pictures are worth a look."""

from dataclasses import dataclass

import numpy as np

from cnnvis.evaluation import label_errors
from cnnvis.evaluation import metrics as results


@dataclass(frozen=True)
class Findings:
    """About the pictures whose class is known.

    Attributes
    ----------
    scores : results.Scores
    pairs : list of (true class, predicted class, times)
        The classes that are mistaken most often.
    wrong, uncertain : (M,) int arrays
        Wrongly predicted pictures, the surest first; rightly predicted ones, the least sure first.
    suspects, seeming : (M,) int arrays
        Pictures whose label may be wrong, the likeliest first, and the classes that they seem to be of.
    """

    scores: results.Scores
    pairs: list
    wrong: np.ndarray
    uncertain: np.ndarray
    suspects: np.ndarray
    seeming: np.ndarray


@dataclass(frozen=True)
class Rival:
    """Another classifier on the same pictures.

    Attributes
    ----------
    names : pair of str
        Of the first classifier and of this one.
    path : Path
    probabilities : (N, K) float32 array
        In the order of the first one's classes.
    scores : results.Scores
    comparison : results.Comparison
    """

    names: tuple
    path: object
    probabilities: np.ndarray
    scores: results.Scores
    comparison: results.Comparison


def examine(probabilities, labels, topk):
    """Find all of it: (N, K), (N,) with -1 where not known, int -> Findings."""
    scores = results.score(probabilities, labels, topk)
    return Findings(
        scores,
        results.most_confused(scores.confusion),
        results.confident_mistakes(probabilities, labels),
        results.uncertain_hits(probabilities, labels),
        *label_errors.suspects(probabilities, labels),
    )


def face(first, second, labels, topk, paths):
    """Set a second classifier beside the first: (N, K), (N, K), (N,), int, pair of Path -> Rival."""
    names = tuple(path.stem for path in paths)
    if names[0] == names[1]:
        names = tuple(map(str, paths))
    return Rival(names, paths[1], second, results.score(second, labels, topk), results.compare(first, second, labels))


def to_save(found, rival=None):
    """Arrays and numbers for others to go on from: two dicts, by name."""
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
    if rival:
        arrays |= {"other_probabilities": rival.probabilities, "other_confusion": rival.scores.confusion}
        arrays |= dict(zip(("only_first", "only_second"), rival.comparison.only))
        numbers |= {"other": str(rival.path), "other_accuracy": rival.scores.accuracy}
        numbers |= {"p_value": rival.comparison.p_value}
    return arrays, numbers


def nothing_to_save(classes):
    """The same of pictures whose class is not known: no confusion, no accuracy."""
    return {"confusion": np.zeros((classes, classes), "int64")}, {"accuracy": float("nan")}
