"""Does a map depend on what the network has learned? (Adebayo et al., "Sanity checks for saliency maps", 2018)

A method that makes much the same map for a network that has learned nothing shows the image, not the decision.
"""

from contextlib import contextmanager

import numpy as np

ALIKE = 0.5  # mean magnitude of rank correlations from which a method isn't to be believed


@contextmanager
def random_weights(classifier, seed=0):
    """Shuffle the values of every weight of a network, kernels, biases and statistics; put them back at the end.

    That is a network with random weights of the size that each layer's had, whatever its architecture.
    """
    rng = np.random.default_rng(seed)
    weights = [weight for weight in classifier.weights if "seed" not in weight.path]
    learned = [weight.numpy() for weight in weights]
    try:
        for weight, values in zip(weights, learned):
            weight.assign(rng.permutation(values.ravel()).reshape(values.shape))
        yield
    finally:
        for weight, values in zip(weights, learned):
            weight.assign(values)


def likeness(maps, others):
    """How alike two maps of an image are: Spearman's rank correlation of their pixels.

    (N, H, W), (N, H, W) float arrays -> (N,) float array, -1 to 1; 0 if a map is the same everywhere.
    """
    from scipy.stats import rankdata

    ranks = (rankdata(each.reshape(len(each), -1), axis=1) for each in (maps, others))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    length = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), length, out=np.zeros(len(a)), where=length > 0)
