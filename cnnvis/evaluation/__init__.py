"""How well does a classifier do, and where does it fail?

Accuracy, confusion, calibration, wrong predictions, suspected label errors, a comparison of two networks, and a report.
Arrays in, arrays and small dataclasses out.

>>> import numpy as np
>>> from cnnvis import evaluation
>>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
>>> found = evaluation.evaluate(probabilities, labels=np.array([0, 1, 1]), topk=1)
>>> found.scores.right, found.wrong.tolist()
(2, [1])
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "findings": [
            "check_topk",
            "class_order",
            "compare_with",
            "evaluate",
            "nothing_to_save",
            "to_save",
        ],
        "embedding": ["embed"],
        "metrics": ["accuracy", "score"],
        "neighbours": ["nearest"],
        "report": [
            "calibration_sentence",
            "headline",
            "links",
            "markdown",
            "print_findings",
        ],
        "space": ["Space", "explore_space"],
        "tta": ["VIEWS", "accuracies"],
    },
)
