"""Transfer learning: a network that begins with the layers of a trained one, and ends in a new layer of logits."""

from dataclasses import dataclass

import keras
import numpy as np
from scipy.optimize import minimize

from cnnvis import checkpoints, console, network
from cnnvis.images import images_at_once
from cnnvis.training import trunks

SOLVED_IMAGES = 5000  # from which the new layer is computed, at most
PENALTY = 0.01  # of the new layer's squared weights, for standardised features


@dataclass(frozen=True)
class Base:
    """A trained network that another one starts from.

    Attributes
    ----------
    name : str
        The option that names it.
    checkpoint : Checkpoint
    classifier : Classifier
        Of the checkpoint's model.
    """

    name: str
    checkpoint: checkpoints.Checkpoint
    classifier: network.Classifier

    @property
    def size(self):
        """(height, width) of its images."""
        return self.classifier.size

    def __str__(self):
        return str(self.checkpoint.metadata.get("architecture", self.checkpoint.model.name))

    def as_json(self):
        """What metadata say of it: dict of str to str."""
        return {"name": self.name, "sha256": self.checkpoint.digest}


def open_base(start_from, input_range=None, *, image_size=None, strategy="none", before=None):
    """Open a trained network to start from.

    Parameters
    ----------
    start_from : path, "deep" or "basic", or None
    input_range : (low, high), "caffe" or "torch", optional
        As of `network.take_apart`.
    image_size : int, optional
        Side of its images in pixels, if it takes any.
    strategy : {"none", "mirrored", "multiworker"}
        By which the new network will be trained.
    before : dict, optional
        Options of the run that is resumed; `base` is the digest that the file had when it began.

    Returns
    -------
    Base, or None without a network to start from

    Raises
    ------
    ValueError, OSError
        If it is not an image classifier, can't be trained, has no layer to start from, or isn't what it was `before`;
        its pixel range is unknown; or there are several workers.
    """
    if start_from is None:
        return None
    if strategy == "multiworker":
        raise ValueError("--strategy multiworker doesn't go with --start-from: leave out one of them")
    checkpoint = checkpoints.load(start_from)
    if (before or {}).get("base", checkpoint.digest) != checkpoint.digest:
        raise ValueError(f"{checkpoint.path} has changed since the run began: put it back, or start with --overwrite")
    size = image_size and (image_size, image_size)
    if size and checkpoint.size not in (None, size):
        raise ValueError(f"{start_from} takes images of another size than {image_size}: leave out --image-size")
    base = Base(str(start_from), checkpoint, network.take_apart(checkpoint, input_range=input_range, size=size))
    try:
        trunks.copy(checkpoint.model, base.classifier)  # what can't be is refused before images are read
    except ValueError as error:
        raise ValueError(f"--start-from {start_from}: {error}") from error
    return base


def build(base, dataset, recipe, *, softmax=True, weights=None):
    """Build the network: the base's layers up to its logits, in the current dtype policy, and a new layer of logits.

    Parameters
    ----------
    base : Base
    dataset : Dataset
        Training images, of the base's size.
    recipe : Recipe
    softmax : bool
        Whether the network ends in probabilities. Without softmax it is the one to be trained, in which batch
        normalisation, dropout and augmentation of the base do what they do at inference.
    weights : list of array, optional
        Of a network of the same base. By default, those of the base, and for the new layer the best ones on top of
        them.

    Returns
    -------
    keras.Model
        (N, H, W, 3) pixels 0-255 -> (N, K) float32 probabilities or logits.
    """
    trunk, name = trunks.copy(base.checkpoint.model, base.classifier)
    learning = [layer for layer in trunk.layers if layer.trainable_weights]
    for layer in learning[: round((1 - recipe.tuned) * len(learning))]:
        layer.trainable = False
    new = keras.layers.Dense(len(dataset.classes), dtype="float32", name=name)
    outputs = new(trunk.output)
    if softmax:
        name = trunks.free_name("probabilities", {new.name, *(operation.name for operation in trunk.operations)})
        outputs = keras.layers.Softmax(dtype="float32", name=name)(outputs)
    model = (keras.Model if softmax else Still)(trunk.input, outputs, name=base.checkpoint.model.name)
    if weights:
        model.set_weights(weights)
        return model
    chosen = dataset.spread(SOLVED_IMAGES)
    features, labels = _features(trunk, dataset.images, chosen), dataset.labels[chosen]
    new.set_weights(solved(features, labels, len(dataset.classes)))
    right = (new(features).numpy().argmax(axis=1) == labels).mean()
    console.say(
        f"Starting from {base.name}: while its layers keep still, a new last one gets {right:.1%} of {len(chosen):,} "
        "training images right."
    )
    return model


class Still(keras.Model):
    """A network whose layers do in training what they do at inference: only its weights change."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def solved(features, labels, classes, penalty=PENALTY):
    """The layer of logits with the least cross-entropy and `penalty` / 2 times the sum of its squared weights.

    Features are standardised first, so that it doesn't matter in which units a network computes them.

    Parameters
    ----------
    features : (N, F) array
    labels : (N,) int array
    classes : int
    penalty : float

    Returns
    -------
    kernel : (F, classes) float32 array
    bias : (classes,) float32 array
    """
    mean, deviation = features.mean(axis=0, dtype="float64"), features.std(axis=0, dtype="float64") + 1e-6
    x = np.column_stack([(features - mean) / deviation, np.ones(len(features))])
    targets = np.eye(classes)[labels]

    def cost(flat):
        weights = flat.reshape(-1, classes)
        logits = x @ weights
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        slope = x.T @ (np.exp(logs) - targets) / len(x) + penalty * weights
        return -(targets * logs).sum() / len(x) + penalty / 2 * (weights**2).sum(), slope.ravel()

    weights = minimize(cost, np.zeros(x.shape[1] * classes), jac=True, method="L-BFGS-B").x.reshape(-1, classes)
    kernel = weights[:-1] / deviation[:, None]
    return kernel.astype("float32"), (weights[-1] - mean @ kernel).astype("float32")


def _features(trunk, images, chosen):
    """(N, H, W, 3) images, (M,) indices -> (M, F) features."""
    run, at_once = network.compiled(trunk), images_at_once(*images.shape[1:3])
    starts = console.track("Features of the network to start from")(range(0, len(chosen), at_once))
    return np.concatenate([run(images[chosen[start : start + at_once]]) for start in starts])
