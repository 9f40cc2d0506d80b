"""The recipes of the architectures and of transfer learning, and how they are adapted to the images."""

import math
from dataclasses import replace

from cnnvis.training.recipe import Recipe, parse_change, refusal

FEWEST_STEPS = 40  # per epoch: for few images, batches shrink until there are as many ...
SMALLEST_BATCH = 32  # ... or they hold as few
MOST_PIXELS = 2**22  # of a batch
MOST_PARTS = 16  # of a batch: the graph of a step holds the whole network once for each
SHRINKS_WITH_BATCH = {"sgd": 1, "muon": 1 / 2, "adam": 0}  # power of the batch size that the learning rate follows
FEW_IMAGES = 1000  # for training: with fewer, it ends after a quarter of the epochs without progress ...
FEWEST_EPOCHS = 3  # ... but not after fewer
IMAGE_SIZES = range(32, 225, 8)  # sides of images in pixels

RECIPES = {
    "basic": Recipe(
        epochs=6,
        batch_size=250,
        learning_rate=0.07,
        optimizer="muon",
        orthogonal_momentum=0.8,
        logits_scale=0.2,
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
# Of transfer learning. Mirrored digits, letters and signs would be wrong; other images may be: flip=alternating.
TRANSFER = Recipe(
    epochs=24,
    batch_size=64,
    learning_rate=0.03,
    optimizer="muon",
    warmup=0.1,
    label_smoothing=0.1,
    flip="none",
)
# Entries that say how a network is built, or are for layers that only ours have.
FROM_SCRATCH = {"bias_scale", "logits_scale", "ghost_batch", "whitening", "identity_start", "anti_aliasing", "widths"}


def check(recipe):
    """Raise ValueError if entries with allowed values don't go together."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.ghost_batches > MOST_PARTS:
        least = recipe.batch_size // (MOST_PARTS + 1) + 1
        allowed = f"0 or {least:,} and more for batches of {recipe.batch_size:,}, which have {MOST_PARTS} parts at most"
        raise refusal("ghost_batch", recipe.ghost_batch, allowed)
    if decay * rate >= 1:
        allowed = f"less than {1 / rate:g} for a learning rate of {rate:g}"
        raise refusal("weight_decay", f"{decay:g}", allowed)


def architecture(arch=None, start_from=None, input_range=None):
    """The architecture that options ask for: "deep" by default, None (any) with `--start-from`.

    Raises ValueError if options contradict each other.
    """
    if start_from is None and input_range:
        raise ValueError("--input-range is for the network of --start-from: our own take pixels 0 to 255")
    if start_from is not None and arch:
        raise ValueError(f"--start-from {start_from} comes with an architecture: leave out --arch")
    return (arch or "deep") if start_from is None else None


def image_size(text):
    """Read the side of images. ValueError if it is none of `IMAGE_SIZES`."""
    if not text.isdecimal() or int(text) not in IMAGE_SIZES:
        first, last, step = IMAGE_SIZES[0], IMAGE_SIZES[-1], IMAGE_SIZES.step
        raise ValueError(f"{text!r} is not a multiple of {step} from {first} to {last}")
    return int(text)


def recipe_of(arch, changes=(), *, image_size=None, epochs=None, batch_size=None, learning_rate=None):
    """The recipe of an architecture with changes, before it is adapted to the number of images.

    Parameters
    ----------
    arch : str, Base or None
        Of transfer learning if it is not a name.
    changes : sequence of str
        As `parse_change` takes them.
    image_size : int, optional
        The shorter side of the images in pixels; by default, that of CIFAR-10.
    epochs, batch_size, learning_rate : number, optional
        Which `recipe_for` sets: here they are only checked.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If the architecture can't be trained like this on any images.
    """
    from models import convnet

    side = image_size or convnet.SIDE
    changes, is_named = dict(map(parse_change, changes)), isinstance(arch, str)
    for name in changes:
        if name in ({"tuned"} if is_named else FROM_SCRATCH):
            raise ValueError(f"{name} has no effect {'without' if is_named else 'with'} --start-from: leave it out")
    recipe = RECIPES[arch] if is_named else TRANSFER
    shift = max(recipe.crop_margin, recipe.crop_margin * side // convnet.SIDE)
    recipe = replace(recipe, **{"crop_margin": shift} | changes)
    # `adapt` may still change the last two; 0 goes with all other entries
    check(replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size or 0, learning_rate=learning_rate or 0))
    groups = len(convnet.group_widths(arch, side)) if is_named else 0
    if len(recipe.widths) not in (0, groups):
        raise ValueError(f"{arch} has {groups} groups of CONV layers, not {len(recipe.widths)}")
    if is_named:
        recipe = replace(recipe, widths=recipe.widths or convnet.group_widths(arch, side))
    return recipe


def recipe_for(arch, dataset, changes=(), **options):
    """The recipe of an architecture, adapted to its training images.

    From nothing on fewer than `FEW_IMAGES`, training ends when it no longer helps on held-out images, if there are any,
    and unless the number of epochs is given, an epoch shows every image several times.

    Parameters
    ----------
    arch : str or Base
    dataset : Dataset
        Training images.
    changes, **options
        As of `recipe_of`, but for `image_size`.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If the images are too few or too small for it, or entries don't go together.
    """
    count, size = len(dataset), dataset.images.shape[1:3]
    recipe = adapt(recipe_of(arch, changes, image_size=min(size), **options), count, size, **options)
    if count < FEW_IMAGES and isinstance(arch, str):
        few = {"patience": max(FEWEST_EPOCHS, recipe.epochs // 4)}
        if not options.get("epochs"):
            few["repeats"] = -(-FEWEST_STEPS * recipe.batch_size // count)
        recipe = replace(recipe, **few | dict(map(parse_change, changes)))
    check_side(recipe, min(size))
    return recipe


def check_side(recipe, side):
    """Raise ValueError if images are too small, whose shorter side has `side` pixels."""
    for name in ("crop_margin", "cutout"):
        if getattr(recipe, name) >= side:
            allowed = f"a whole number, 0 to {side - 1} for images of {side} pixels"
            raise refusal(name, getattr(recipe, name), allowed)


def adapt(recipe, count, size=(32, 32), *, epochs=None, batch_size=None, learning_rate=None):
    """Adapt a recipe to `count` images of a (height, width), except for what is given.

    The recipes are made for the 50,000 images of CIFAR-10. For fewer images, batches shrink so that an epoch still has
    `FEWEST_STEPS`; for larger ones, so that a batch has no more than `MOST_PIXELS`. The learning rate shrinks with the
    batch: SGD's in proportion (Goyal et al. 2017); that of orthogonal steps, whose length doesn't depend on the batch,
    with its square root.

    Raises ValueError if there are fewer images than a batch has, or entries don't go together.
    """
    if batch_size is None:
        batch_size = recipe.batch_size
        while count // batch_size < FEWEST_STEPS and batch_size > SMALLEST_BATCH:
            batch_size = max(batch_size // 2, SMALLEST_BATCH)
        while batch_size * math.prod(size) > MOST_PIXELS and batch_size > 1:
            batch_size //= 2
        batch_size = min(batch_size, count)
    if not 1 <= batch_size <= count:
        raise ValueError(f"{count} training images can't fill a batch of {batch_size}: choose a smaller --batch-size")
    if learning_rate is None:
        shrink = (batch_size / recipe.batch_size) ** SHRINKS_WITH_BATCH[recipe.optimizer]
        learning_rate = recipe.learning_rate * shrink
    recipe = replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size, learning_rate=learning_rate)
    check(recipe)
    return recipe
