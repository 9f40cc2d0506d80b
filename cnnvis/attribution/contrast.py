"""Why one class rather than another? The difference of two scores, for any method."""

import numpy as np


class Contrast:
    """A classifier whose scores say how far each class is ahead of one other class.

    Parameters
    ----------
    classifier : Classifier
    against : int
        That other class.
    """

    def __init__(self, classifier, against):
        self.classifier, self.against = classifier, against
        self.cost, self.layers, self.layer = classifier.cost, classifier.layers, classifier.layer
        self.weights = classifier.weights

    def logits(self, images):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32: each class's logit minus the other's."""
        logits = self.classifier.logits(images)
        return logits - logits[:, [self.against]]

    def probabilities(self, images, **options):
        """(N, H, W, 3) pixels 0-255 -> (N, K) float32: of each class, if only it and the other were possible."""
        own = self.classifier.probabilities(images, **options)
        both = own + own[:, [self.against]]
        return np.divide(own, both, out=np.full_like(own, 0.5), where=both > 0)

    def gradients(self, score, images, targets):
        """Gradients of these scores with respect to pixels, as `Classifier.gradients`."""
        own, other = (self.classifier.gradients(score, images, which) for which in self._both(targets))
        return self._difference(score, images, targets, own, other)

    def feature_gradients(self, score, images, targets, name):
        """Feature maps and gradients of these scores with respect to them, as `Classifier.feature_gradients`."""
        pairs = (self.classifier.feature_gradients(score, images, which, name) for which in self._both(targets))
        start = 0
        for (maps, own), (_, other) in zip(*pairs):
            part = slice(start, start := start + len(maps))
            yield maps, self._difference(score, images[part], targets[part], own, other)

    def _both(self, targets):
        return targets, np.full(len(targets), self.against)

    def _difference(self, score, images, targets, own, other):
        if score == "logit":
            return own - other
        chosen = np.arange(len(images)), np.stack(self._both(targets))
        a, b = self.classifier.probabilities(images)[chosen][..., None, None, None]
        total = np.maximum(a + b, np.finfo("float32").tiny)
        return own * (b / total) / total - other * (a / total) / total  # of a / (a + b)
