"""How long explaining takes: passes through the network, a forecast, and one progress bar over several methods."""

import time
from contextlib import nullcontext

import numpy as np

from cnnvis.attribution import faithfulness
from cnnvis.attribution.methods import METHODS, windows_for
from cnnvis.console import duration, notice
from cnnvis.images import images_at_once

LONG = 10  # seconds, from which it is said how long explaining takes
CHECK = 2 * (faithfulness.STEPS + 1)  # passes that checking a map takes
CHECKING, CHECKING_RANDOM, RANDOM = "Checking the maps", "Checking random maps", "Making random maps"


def passes(method, size, windows=None, stride=None):
    """How many passes through the network a map takes, without its checks, where a gradient counts as several: int.

    `size` is (height, width) of the images; `windows` and `stride` are those of `windows_for`.
    """
    return METHODS[method].passes(size, *windows_for(method, size, windows, stride))


def say_if_long(classifier, images, methods, *, windows=None, stride=None, random_weights=False):
    """Say how long making and checking all maps takes, if it is long.

    One method says so for a network only that takes long for an image. Several take several times as long, so the
    network is timed. With `random_weights`, there are maps of them, too.
    """
    of_maps = sum(passes(method, images.shape[1:3], windows, stride) for method in methods)
    count = (1 + random_weights) * of_maps + 2 * CHECK * len(methods)
    seconds = classifier.cost.seconds(count * len(images))
    if not seconds and (len(methods) > 1 or random_weights):
        seconds = count * len(images) * _seconds_a_pass(classifier, images)
    if seconds > LONG:
        what = f"Explaining by {len(methods)} methods" if len(methods) > 1 else "Explaining"
        each = "image" if len(methods) > 1 or random_weights else "map"
        notice(f"{what} takes about {duration(seconds)}: {count:,} passes through the network for each {each}.")


def _seconds_a_pass(classifier, images):
    batch = np.repeat(images[:1], images_at_once(*images.shape[1:3]), axis=0)
    classifier.probabilities(batch)  # traces the network
    began = time.perf_counter()
    classifier.probabilities(batch)
    return (time.perf_counter() - began) / len(batch)


class OneBar:
    """One progress bar over the maps of several methods, in passes through the network for an image.

    Parameters
    ----------
    bar : callable
        Such as `console.bar`: (total,) -> context of a function that takes how much is done, and words.
    of_maps : dict of str to int
        Passes of the maps by each method, in the order in which they are made: of trained, then of random weights.
    random_weights : bool
        Whether there are any of random weights.
    """

    def __init__(self, bar, of_maps, *, random_weights=False):
        stages = [((name, False), count + 2 * CHECK) for name, count in of_maps.items()]
        stages += [((name, True), count) for name, count in of_maps.items() if random_weights]
        self.of_maps, self.begins, total = of_maps, {}, 0
        for stage, count in stages:
            self.begins[stage], total = total, total + count
        self.bar = bar(total)

    def __enter__(self):
        self.update = self.bar.__enter__()
        return self

    def __exit__(self, *error):
        return self.bar.__exit__(*error)

    def track(self, method, random_weights=False):
        """As `track` of `explain`, for a method."""
        done, known = self.begins[method, random_weights], {CHECKING: CHECK, CHECKING_RANDOM: CHECK, RANDOM: 0}
        title = f"{method}, random weights" if random_weights else method

        def track(words):
            def wrap(sequence):
                nonlocal done
                step = known.get(words, self.of_maps[method]) / max(1, len(sequence))
                for each in sequence:
                    self.update(done, f"{title}: {words[0].lower()}{words[1:]}")
                    yield each
                    done += step

            return wrap

        return track


def no_bar(total):
    """A bar that isn't shown, in place of `console.bar`."""
    return nullcontext(lambda step, text: None)
