"""Which figures there are, and of what they are made: the samples of this repository and the network it comes with."""

from functools import cached_property
from pathlib import Path

import numpy as np

from article import filters, improving, learning, network, pixels

ROOT = Path(__file__).parent.parent
FROG, TRUCK, DOG, HORSE, PUPPY = 7, 11, 12, 13, 16  # samples
EYE = 6, 10, 8  # of the puppy: top, left and side of a section
EYE_IN_COLOUR = 8, 11, 5
LEG = 23, 8  # of the horse: top and left of the nine pixels that are worked out
SIGN = 15, 7  # on the truck
CONSTANT, RED_CONSTANT = -100, -300  # of the filters for lines, and for what is red
RECEPTIVE = {  # layers, and filters of theirs: those that visualize_hidden_layer_activation.py shows
    "conv1": (34, 53, 102, 125),
    "conv3": (183, 229, 257, 297),
    "conv5": (21, 208, 233, 357),
    "fc1": (1, 9, 273, 376),
}
STEPS = 128  # of the ascent
CHANNEL = 2  # of the first CONV layer, whose way through RELU is shown
POOLED_CHANNEL = 75  # of relu1
POOLED = 8, 0  # top and left of the 4×4 cells that are pooled
ANSWERS = (TRUCK, DOG, 1, 15)
EXAMPLES = (FROG, PUPPY, 3, TRUCK)  # of the small network
START, RATE, DESCENT_STEPS = 0.0, 0.8, 30  # of its descent
CROP_MARGIN = 4  # pixels: twice what training takes, to be seen


class Sources:
    """What the figures are made of, each read when it is first asked for."""

    @cached_property
    def samples(self):
        from cnnvis import images

        return images.load("samples", "test")

    @cached_property
    def network(self):
        from cnnvis import checkpoints

        return checkpoints.load(ROOT / "models" / "stashed" / "cifar10_deep.keras")

    @cached_property
    def classifier(self):
        from cnnvis.network import Classifier

        return Classifier(self.network.model)

    @property
    def images(self):
        return self.samples.images

    @property
    def names(self):
        return [self.samples.classes[label] for label in self.samples.labels]

    def grey(self, index):
        return pixels.grey_levels(self.images[index])

    @cached_property
    def animals(self):
        """x and y of the small network for all samples."""
        return learning.warmth(self.images), np.isin(self.names, learning.ANIMALS).astype(float)

    @property
    def path(self):
        return learning.descend(START, RATE, DESCENT_STEPS, *self.animals)

    def outputs(self, index, names=None):
        from cnnvis.network import layer_outputs

        return layer_outputs(self.classifier, self.images[index], names)


def features(of):
    from cnnvis import features
    from cnnvis.network import receptive_fields

    image, rows = of.images[TRUCK], []
    height, width = image.shape[:2]
    statistics = of.network.statistics
    for name, chosen in RECEPTIVE.items():
        layer = of.classifier.layer(name)
        fields = receptive_fields(of.classifier, layer)
        box = (0, 0, height, width)
        if fields:
            (top, bottom), (left, right) = (
                field.of_unit(cells // 2, side)
                for field, cells, side in zip(fields, layer.output.shape[1:3], (height, width))
            )
            box = top, left, bottom, right
        (made,) = features.ascend(of.classifier, layer, np.array(chosen), statistics, features.Ascent(steps=STEPS))
        rows.append((name, box, made))
    return network.features(image, rows)


def whole_network(of):
    """All layers; of a POOL in two halves, the maxima and their mean, only what comes out of both."""
    shown = of.outputs(TRUCK)
    halves = {name for name in shown if name.replace("pool", "smooth") in shown and name.startswith("pool")}
    outputs = {name.replace("smooth", "pool"): output for name, output in shown.items() if name not in halves}
    probabilities = of.classifier.probabilities(of.images[TRUCK][None])[0]
    return network.whole_network(of.images[TRUCK], outputs, probabilities, of.samples.classes)


def pooled_cells(of):
    top, left = POOLED
    return of.outputs(TRUCK, ["relu1"])["relu1"][top : top + 4, left : left + 4, POOLED_CHANNEL]


def before_and_after_relu(of):
    outputs = of.outputs(TRUCK, ["whitening", "relu0"])
    return network.before_and_after_relu(of.images[TRUCK], *(output[..., CHANNEL] for output in outputs.values()))


def answers(of):
    chosen = list(ANSWERS)
    probabilities = of.classifier.probabilities(of.images[chosen])
    return network.answers(of.images[chosen], probabilities, of.samples.labels[chosen], of.samples.classes)


def leg(of):
    top, left = LEG
    return of.grey(HORSE)[top : top + 3, left : left + 3]


def sign(of):
    top, left = SIGN
    return of.images[TRUCK][top : top + 3, left : left + 3].astype(int)


FIGURES = {
    "samples": lambda of: pixels.samples(of.images, of.names),
    "pixels": lambda of: pixels.pixel_numbers(of.grey(PUPPY), *EYE),
    "colours": lambda of: pixels.colour_planes(of.images[PUPPY], *EYE_IN_COLOUR),
    "block": lambda of: pixels.picture_block(of.images[PUPPY]),
    "filter": lambda of: filters.applied(of.grey(HORSE), filters.VERTICAL, *LEG),
    "filter_step": lambda of: filters.worked(leg(of), filters.VERTICAL, CONSTANT),
    "filter_colour": lambda of: filters.worked_in_colour(sign(of), filters.REDDISH, RED_CONSTANT),
    "filter_red": lambda of: filters.reddish(
        of.images[TRUCK], filters.respond(of.images[TRUCK], filters.REDDISH, RED_CONSTANT), *SIGN
    ),
    "lines": lambda of: filters.lines(of.grey(HORSE)),
    "strides": lambda of: filters.strides_and_padding(),
    "features": features,
    "network": whole_network,
    "activations": lambda of: network.activations(),
    "relu": before_and_after_relu,
    "pooling": lambda of: network.pooling(pooled_cells(of)),
    "answers": answers,
    "examples": lambda of: learning.examples(
        of.images[list(EXAMPLES)], *(values[list(EXAMPLES)] for values in of.animals), 1
    ),
    "residuals": lambda of: learning.residuals_that_cancel(np.array([0, 1, -1])),
    "cost": lambda of: learning.cost_curve(*of.animals, (0, 1, 3)),
    "minimum": lambda of: learning.minimum(*of.animals, (0, learning.best(*of.animals), 3)),
    "learning_rates": lambda of: learning.learning_rates(*of.animals, (0.05, 1, 10), START, 6),
    "augmentation": lambda of: improving.augmentation(
        of.images[DOG], improving.varied(of.images[DOG], CROP_MARGIN, 8, seed=0)
    ),
    "improvements": lambda of: improving.improvements(improving.gains(ROOT / "bench" / "tricks.csv")),
}
ANIMATIONS = {
    "sliding": lambda of: filters.sliding_frames(of.grey(HORSE), filters.VERTICAL, filters.slide_stops(30, 30)),
    "descent": lambda of: learning.descent_frames(of.images, *of.animals, of.path),
}
