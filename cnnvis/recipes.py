"""How a network is fitted, in numbers, each with its unit."""

import math
from dataclasses import dataclass, fields, replace

FEWEST_STEPS = 40  # an epoch: with fewer pictures, batches shrink until there are as many ...
SMALLEST_BATCH = 32  # ... or they hold as few
SHRINKS_WITH_BATCH = {"sgd": 1, "muon": 1 / 2, "adam": 0}  # power of the batch size that the learning rate follows


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is fitted, with its unit."""

    epochs: int  # times that every picture is seen
    batch_size: int  # pictures
    learning_rate: float  # of kernels, at its peak; for "muon" the size of a step, else for the mean loss of a batch
    optimizer: str  # "sgd" (Nesterov), "muon" or "adam"
    momentum: float = 0.85  # of Nesterov's steps, which all that Muon leaves make
    orthogonal_momentum: float = 0.6  # of Muon's orthogonal steps, which kernels of CONV layers and FC1 make
    weight_decay: float = 0.0  # decoupled, of kernels: fraction of the weight a step, times the learning rate
    bias_scale: float = 1.0  # learning rate of batch normalisation's biases, times
    logits_scale: float = 1.0  # learning rate of the kernel of FC2, times
    warmup: float = 0.23  # fraction of the steps in which the learning rate rises
    start_rate: float = 0.2  # first learning rate, times the peak
    final_rate: float = 0.0  # last learning rate, times the peak
    ghost_batch: int = 0  # pictures that batch normalisation sees at a time; 0: the whole batch
    lookahead: bool = False  # go back to a running average of the weights now and then
    label_smoothing: float = 0.0  # probability given to all classes alike
    crop_margin: int = 2  # pixels that a picture moves at most, up, down, left and right
    cutout: int = 0  # pixels: side of the square that is hidden of each picture
    flip: str = "alternating"  # of pictures: "alternating", "random" or "none"; "paired": of filters instead
    small_side: int = 0  # pixels: side that pictures are shrunk to in the first epochs; 0: never
    small_epochs: int = 0  # epochs, from the first, that see pictures so
    whitening: bool = True  # `deep` begins with fixed filters that whiten 2x2 patches; else they are learned
    identity_start: bool = True  # CONV layers of `deep` begin by passing their input on; else at random
    anti_aliasing: bool = True  # POOL layers of `deep` smooth before they drop cells
    widths: tuple = ()  # filters of the CONV layers, a number a group

    @property
    def ghost_batches(self):
        """How many parts of a batch are seen one at a time: int, at least 1."""
        return max(1, self.batch_size // self.ghost_batch) if self.ghost_batch else 1


RECIPES = {
    "basic": Recipe(
        epochs=6,
        batch_size=500,
        learning_rate=0.1,
        optimizer="muon",
        logits_scale=0.1,
        warmup=0.1,
        label_smoothing=0.05,
    ),
    "deep": Recipe(
        epochs=12,
        batch_size=1000,
        ghost_batch=500,
        learning_rate=0.15,
        optimizer="muon",
        weight_decay=0.06,
        bias_scale=480.0,
        logits_scale=0.09,
        warmup=0.0,
        label_smoothing=0.2,
    ),
}
CHOICES = {"optimizer": ("sgd", "muon", "adam"), "flip": ("alternating", "random", "none", "paired")}
KINDS = {
    bool: ("on or off", {"on": True, "off": False}.__getitem__),
    int: ("a whole number", int),
    float: ("a number from 0", float),
    tuple: ("whole numbers with commas between", lambda text: tuple(int(number) for number in text.split(","))),
}


def change(recipe, changes):
    """A recipe with some of its entries changed, each told as NAME=VALUE: "lookahead=on", "widths=64,128,128".

    Raises ValueError if there is no entry of that name, or it can't have that value.
    """
    kinds = {field.name: field.type for field in fields(Recipe)}
    for text in changes:
        name, _, value = text.partition("=")
        if name not in kinds:
            raise ValueError(f"a recipe has no {name!r}; it has {', '.join(kinds)}")
        wanted, parse = KINDS.get(kinds[name], (" or ".join(CHOICES.get(name, ())), str))
        try:
            parsed = parse(value)
        except (ValueError, KeyError):
            parsed = None
        if not _possible(name, parsed):
            raise ValueError(f"{name} can't be {value!r}: it is {wanted}")
        recipe = replace(recipe, **{name: parsed})
    return recipe


def _possible(name, value):
    if value is None or name in CHOICES:
        return value in CHOICES.get(name, ())
    if isinstance(value, tuple):
        return min(value) >= 1
    return (name in ("epochs", "batch_size")) <= value < math.inf


def adapt(recipe, count, epochs=None, batch_size=None, learning_rate=None):
    """A recipe with the user's wishes, and for `count` pictures.

    The recipes are made for the 50,000 pictures of CIFAR-10. Fewer of them take smaller batches, so that an epoch still
    has `FEWEST_STEPS`, and the learning rate shrinks with them: SGD's in proportion (Goyal et al. 2017), that of
    orthogonal steps, which are as long whatever the batch, with the root.

    Raises ValueError if there are fewer pictures than a batch has, or no epoch is left for pictures of full size.
    """
    if batch_size is None:
        batch_size = recipe.batch_size
        while count // batch_size < FEWEST_STEPS and batch_size > SMALLEST_BATCH:
            batch_size = max(batch_size // 2, SMALLEST_BATCH)
        batch_size = min(batch_size, count)
    if not 1 <= batch_size <= count:
        raise ValueError(f"{count} training pictures can't fill a batch of {batch_size}: choose a smaller --batch-size")
    if learning_rate is None:
        shrink = (batch_size / recipe.batch_size) ** SHRINKS_WITH_BATCH[recipe.optimizer]
        learning_rate = recipe.learning_rate * shrink
    recipe = replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size, learning_rate=learning_rate)
    _check_small(recipe)
    return recipe


def _check_small(recipe):
    side, small = recipe.small_side, recipe.small_epochs
    if bool(side) != bool(small):
        raise ValueError(f"small_side={side} small_epochs={small} shrinks nothing: the two go together")
    if small and small >= recipe.epochs:
        raise ValueError(
            f"small_epochs={small} leaves none of {recipe.epochs} epochs for pictures of full size: choose fewer"
        )
