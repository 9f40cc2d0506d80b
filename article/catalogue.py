"""Which figures there are, and of what they are made: the samples of this repository and the networks it comes with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from article import curves, film, filters, improving, learning, looking, network, pixels

ROOT = Path(__file__).parent.parent
AIRPLANE, FROG, TRUCK, DOG, HORSE, PUPPY = 3, 7, 11, 12, 13, 16  # samples
EYE = 7, 11, 6  # of the puppy: top, left and side of a section
EYE_IN_COLOUR = 8, 11, 5
LEG = 23, 8  # of the horse: top and left of the nine pixels that are worked out
SIGN = 15, 7  # on the truck
BIAS, RED_BIAS = -100, -300  # of the filters for vertical lines, and for what is red
RECEPTIVE = {  # layers, and filters of theirs: those that visualize_hidden_layer_activation.py shows
    "conv1": (34, 53, 102, 125),
    "conv3": (183, 229, 257, 297),
    "conv5": (21, 208, 233, 357),
    "fc1": (1, 9, 273, 376),
}
STEPS = 128  # of the ascent
CHANNEL = 19  # of conv1, which is shown before and after RELU
POOLED_CHANNEL = 5  # of relu2
POOLED = 20, 18  # top and left of the 4×4 values that are pooled
EXAMPLES = (FROG, PUPPY, 3, 1)  # of the small network
EXAMPLE_WEIGHT = 0.5
RESIDUALS = 0.1, 0.5, -0.9
START, RATE, DESCENT_STEPS = 0.0, 0.1, 30  # of its descent
PATCH, HIDDEN = 8, ((1, 9), (22, 12), (10, 10))  # side, tops and lefts, in pixels, of what is hidden of the airplane
SHOWN = {
    5: "lines across",
    22: "lines upright",
    31: "slanting lines",
    6: "red surfaces",
    7: "red beside blue",
}  # of relu2
CROP_MARGIN = 4  # pixels: twice what training takes, to be seen


class Sources:
    """What the figures are made of, each read when it is first asked for."""

    @cached_property
    def samples(self):
        from cnnvis import images

        return images.load("samples", "test")

    @cached_property
    def basic(self):
        return loaded("basic")

    @cached_property
    def deep(self):
        return loaded("deep")

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
        return learning.warmth(self.images), np.where(np.isin(self.names, learning.ANIMALS), 1.0, -1.0)

    @property
    def path(self):
        return learning.descend(START, RATE, DESCENT_STEPS, *self.animals)

    def outputs(self, index, names=None):
        from cnnvis.network import layer_outputs

        return layer_outputs(self.basic.classifier, self.images[index], names)

    def probabilities(self, indices):
        return self.basic.classifier.probabilities(self.images[indices])


@dataclass(frozen=True)
class Shipped:
    """A network that the project comes with, and the statistics of its training images."""

    classifier: object
    statistics: dict


def loaded(arch):
    from cnnvis import checkpoints
    from cnnvis.network import Classifier

    checkpoint = checkpoints.load(ROOT / "models" / "stashed" / f"cifar10_{arch}.keras")
    return Shipped(Classifier(checkpoint.model), checkpoint.statistics)


def features(of):
    from cnnvis import features
    from cnnvis.network import receptive_fields

    image, rows = of.images[TRUCK], []
    height, width = image.shape[:2]
    for name, chosen in RECEPTIVE.items():
        layer = of.deep.classifier.layer(name)
        fields = receptive_fields(of.deep.classifier, layer)
        box = (0, 0, height, width)
        if fields:
            (top, bottom), (left, right) = (
                field.of_unit(cells // 2, side)
                for field, cells, side in zip(fields, layer.output.shape[1:3], (height, width))
            )
            box = top, left, bottom, right
        ascent = features.Ascent(steps=STEPS)
        (made,) = features.ascend(of.deep.classifier, layer, np.array(chosen), of.deep.statistics, ascent)
        rows.append((name, box, made))
    return network.features(image, rows)


def whole_network(of):
    return network.whole_network(of.images[TRUCK], of.outputs(TRUCK), of.probabilities([TRUCK])[0], of.samples.classes)


def pooled_values(of):
    top, left = POOLED
    values = of.outputs(TRUCK, ["relu2"])["relu2"][top : top + 4, left : left + 4, POOLED_CHANNEL]
    return values + 0.0  # on some processors, RELU gives -0


def before_and_after_relu(of):
    outputs = of.outputs(TRUCK, ["conv1", "relu1"])
    return network.before_and_after_relu(of.images[TRUCK], *(output[..., CHANNEL] for output in outputs.values()))


def occluded(of):
    copies = np.stack([looking.hide(of.images[AIRPLANE], top, left, PATCH) for top, left in HIDDEN])
    words = [f"{of.names[AIRPLANE]} {chance:.0%}" for chance in airplane_chances(of)]
    return looking.occluded(of.images[AIRPLANE], copies, words)


def airplane_chances(of):
    """The probability of the airplane, as it is and with each of the patches hidden."""
    copies = [looking.hide(of.images[AIRPLANE], top, left, PATCH) for top, left in HIDDEN]
    probabilities = of.deep.classifier.probabilities(np.stack([of.images[AIRPLANE], *copies]))
    return probabilities[:, of.samples.labels[AIRPLANE]]


def channels(of):
    outputs = of.outputs(TRUCK, ["relu2"])["relu2"]
    return looking.channels(of.images[TRUCK], np.moveaxis(outputs[..., list(SHOWN)], -1, 0), list(SHOWN.values()))


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
    "block": lambda of: pixels.image_block(of.images[PUPPY]),
    "filter": lambda of: filters.applied(of.grey(HORSE), filters.VERTICAL, BIAS, *LEG),
    "filter_step": lambda of: filters.worked(leg(of), filters.VERTICAL, BIAS),
    "filter_colour": lambda of: filters.worked_in_colour(sign(of), filters.REDDISH, RED_BIAS),
    "filter_red": lambda of: filters.reddish(
        of.images[TRUCK], filters.respond(of.images[TRUCK], filters.REDDISH, RED_BIAS), *SIGN
    ),
    "lines": lambda of: filters.lines(of.grey(HORSE)),
    "strides": lambda of: filters.strides_and_padding(),
    "features": features,
    "network": whole_network,
    "activations": lambda of: network.activations(),
    "relu": before_and_after_relu,
    "pooling": lambda of: network.pooling(pooled_values(of)),
    "worked_fc": lambda of: network.worked_fc(),
    "examples": lambda of: learning.examples(
        of.images[list(EXAMPLES)], *(values[list(EXAMPLES)] for values in of.animals), EXAMPLE_WEIGHT
    ),
    "residuals": lambda of: learning.residuals(np.array(RESIDUALS)),
    "cost": lambda of: learning.cost_curve(*of.animals, (0, learning.best(*of.animals), 2)),
    "minimum": lambda of: learning.minimum(*of.animals, (0, learning.best(*of.animals), 2)),
    "local_minimum": lambda of: learning.local_minimum(),
    "learning_rates": lambda of: learning.learning_rates(*of.animals, (0.05, 0.5, 2), START, 6),
    "few_and_many": lambda of: curves.few_and_many(),
    **{name: lambda of, draw=draw: draw() for name, draw in curves.SYMPTOMS.items()},
    "occluded": occluded,
    "channels": channels,
    "augmentation": lambda of: improving.augmentation(
        of.images[DOG], improving.varied(of.images[DOG], CROP_MARGIN, 8, seed=0)
    ),
    "improvements": lambda of: improving.improvements(improving.gains(ROOT / "bench" / "tricks.csv")),
}
ANIMATIONS = {
    "sliding": lambda of: filters.sliding_frames(of.grey(HORSE), filters.VERTICAL, BIAS, filters.slide_stops(30, 30)),
    "descent": lambda of: learning.descent_frames(of.images, *of.animals, of.path),
    "film": lambda of: film.frames(of.images[TRUCK], of.samples.labels[TRUCK], of.samples.classes),
}
