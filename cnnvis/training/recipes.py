"""Recipes: the hyper-parameters of training, each with its unit and its bounds."""

from dataclasses import MISSING, dataclass, field, fields, replace

FEWEST_STEPS = 40  # per epoch: for few images, batches shrink until there are as many ...
SMALLEST_BATCH = 32  # ... or they hold as few
SHRINKS_WITH_BATCH = {"sgd": 1, "muon": 1 / 2, "adam": 0}  # power of the batch size that the learning rate follows
MOST_EPOCHS = 10_000
LARGEST_BATCH = 32_768
LARGEST_SIDE = 4096  # of an image, in pixels
MOST_PARTS = 16  # of a batch: the graph of a step holds the whole network once for each


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`; `without` is an end that is excluded, `off` an additional number."""

    least: float
    most: float
    without: float | None = None
    off: float | None = None

    def __contains__(self, number):
        return number == self.off or (self.least <= number <= self.most and number != self.without)

    def __str__(self):
        words = f"{self.least:,g} to {self.most:,g}"
        if self.without == self.least:
            words = f"more than {self.least:,g} and at most {self.most:,g}"
        elif self.without == self.most:
            words = f"{self.least:,g} to less than {self.most:,g}"
        return words if self.off is None else f"{self.off:,g} or {words}"


def _number(what, *ends, default=MISSING, **more):
    """A number, or a tuple of numbers, each in `Range(*ends, **more)`."""
    return field(default=default, metadata={"what": what, "allowed": Range(*ends, **more)})


def _choice(what, *values, default=MISSING):
    return field(default=default, metadata={"what": what, "allowed": values})


def _switch(what, default):
    return _choice(what, True, False, default=default)


@dataclass(frozen=True)
class Recipe:
    """The hyper-parameters of training, each with its meaning, its unit and the values it can have.

    `check` and `check_side` have the bounds that depend on other entries or on the images.
    """

    epochs: int = _number("how often every image is seen", 1, MOST_EPOCHS)
    batch_size: int = _number("images per step", 1, LARGEST_BATCH)
    # For "muon" the length of an orthogonal step; otherwise times the gradient of the mean loss of a batch.
    learning_rate: float = _number("peak learning rate of the kernels", 0, 1000, without=0)
    optimizer: str = _choice("sgd has Nesterov momentum", "sgd", "muon", "adam")
    # Muon takes orthogonal steps for the kernels of CONV layers and FC1, and Nesterov's for all other weights.
    momentum: float = _number("Nesterov momentum", 0, 1, without=1, default=0.85)
    orthogonal_momentum: float = _number("momentum of Muon's orthogonal steps", 0, 1, without=1, default=0.6)
    weight_decay: float = _number(
        "decoupled: a step shrinks kernels by this fraction, times the learning rate", 0, 10, default=0.0
    )
    bias_scale: float = _number(
        "learning rate of batch normalisation's biases, relative to the kernels'", 0, 10_000, default=1.0
    )
    logits_scale: float = _number("learning rate of FC2's kernel, relative to the others'", 0, 10_000, default=1.0)
    warmup: float = _number("fraction of the steps in which the learning rate rises", 0, 1, default=0.23)
    start_rate: float = _number("first learning rate, as a fraction of its peak", 0, 1, default=0.2)
    final_rate: float = _number("last learning rate, as a fraction of its peak", 0, 1, default=0.0)
    ghost_batch: int = _number(
        "images that batch normalisation sees at a time; 0: the whole batch", 2, LARGEST_BATCH, off=0, default=0
    )
    lookahead: bool = _switch("whether weights are reset to their running average every few steps", default=False)
    label_smoothing: float = _number("probability that is spread over all classes", 0, 1, without=1, default=0.0)
    crop_margin: int = _number("largest shift of an image, in pixels", 0, LARGEST_SIDE - 1, default=2)
    flip: str = _choice("how images are mirrored left to right", "alternating", "random", "none", default="alternating")
    small_side: int = _number(
        "side of the shrunk images of the first epochs, in pixels; 0: none", 0, LARGEST_SIDE, default=0
    )
    small_epochs: int = _number("number of first epochs with shrunk images", 0, MOST_EPOCHS, default=0)
    whitening: bool = _switch("whether deep begins with fixed filters that whiten 2x2 patches", default=True)
    identity_start: bool = _switch("whether CONV layers of deep start as the identity", default=True)
    anti_aliasing: bool = _switch("whether POOL layers of deep average neighbours before they subsample", default=True)
    widths: tuple = _number("filters of the CONV layers, one number per group", 1, 4096, default=())
    tuned: float = _number(
        "with --start-from: fraction of the old layers, the last ones, that learn with the new one", 0, 1, default=1.0
    )

    @property
    def ghost_batches(self):
        """Number of parts of a batch that batch normalisation sees separately: int, at least 1."""
        return max(1, self.batch_size // self.ghost_batch) if self.ghost_batch else 1


ENTRIES = {entry.name: entry for entry in fields(Recipe)}

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
# Of transfer learning. Mirrored digits, letters and signs would be wrong; other images may be: flip=alternating.
TRANSFER = Recipe(
    epochs=24, batch_size=64, learning_rate=0.03, optimizer="muon", warmup=0.1, label_smoothing=0.1, flip="none"
)
# Entries that say how a network is built, or are for layers that only ours have.
FROM_NOTHING = {"bias_scale", "logits_scale", "ghost_batch", "small_side", "small_epochs", "whitening"}
FROM_NOTHING |= {"identity_start", "anti_aliasing", "widths"}
# For each type of entry: how a message describes its values, and the function that reads one.
KINDS = {
    bool: ("on or off", {"on": True, "off": False}.__getitem__),
    int: ("a whole number, {}", int),
    float: ("{}", float),
    str: ("{}", str),
    tuple: ("whole numbers with commas between, each {}", lambda text: tuple(map(int, text.split(",")))),
}


def parse(name, text):
    """Read the value of the entry `name` from text. ValueError, with value and bounds, if it can't have that value."""
    words, convert = KINDS[ENTRIES[name].type]
    allowed = ENTRIES[name].metadata["allowed"]
    try:
        value = convert(text)
        possible = all(part in allowed for part in (value if isinstance(value, tuple) else (value,)))
    except (ValueError, KeyError):
        possible = False
    if not possible:
        choices = " or ".join(map(str, allowed)) if isinstance(allowed, tuple) else allowed
        raise refusal(name, text[:40] or "empty", words.format(choices))
    return value


def refusal(name, value, allowed):
    """The error for a value that an entry can't have: it says which ones are allowed, and what the entry means."""
    return ValueError(f"{name} can't be {value}: it is {allowed} ({ENTRIES[name].metadata['what']})")


def parse_change(text):
    """Read name and value of a change NAME=VALUE, such as "lookahead=on" or "widths=64,128,128".

    Raises ValueError if there is no such entry, or it can't have that value.
    """
    name, _, value = text.partition("=")
    if name not in ENTRIES:
        raise ValueError(f"a recipe has no {name!r}; it has {', '.join(ENTRIES)}")
    return name, parse(name, value)


def check(recipe):
    """Raise ValueError if entries with allowed values don't go together."""
    side, small, rate, decay = recipe.small_side, recipe.small_epochs, recipe.learning_rate, recipe.weight_decay
    if bool(side) != bool(small):
        raise ValueError(f"small_side={side} small_epochs={small} shrinks nothing: the two go together")
    if small and small >= recipe.epochs:
        raise ValueError(
            f"small_epochs={small} leaves none of {recipe.epochs} epochs for images of full size: choose fewer"
        )
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


def recipe_of(arch, changes=(), *, epochs=None, batch_size=None, learning_rate=None):
    """The recipe of an architecture with changes, before it is adapted to images.

    Parameters
    ----------
    arch : str, Base or None
        Of transfer learning if it is not a name.
    changes : sequence of str
        As `parse_change` takes them.
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

    changes, is_named = dict(map(parse_change, changes)), isinstance(arch, str)
    for name in changes:
        if name in ({"tuned"} if is_named else FROM_NOTHING):
            raise ValueError(f"{name} has no effect {'without' if is_named else 'with'} --start-from: leave it out")
    recipe = replace(RECIPES[arch] if is_named else TRANSFER, **changes)
    # `adapt` may still change the last two; 0 goes with all other entries
    check(replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size or 0, learning_rate=learning_rate or 0))
    if is_named:
        convnet.group_widths(arch, recipe.widths)
    if recipe.small_epochs and arch not in convnet.ANY_SIZE:
        raise ValueError(f"{arch} can't begin with small images: its FC1 takes them in one size only")
    return recipe


def recipe_for(arch, dataset, changes=(), **options):
    """The recipe of an architecture, adapted to its training images.

    Parameters
    ----------
    arch : str or Base
    dataset : Dataset
        Training images.
    changes, **options
        As of `recipe_of`.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If the images are too few or too small for it, or entries don't go together.
    """
    recipe = adapt(recipe_of(arch, changes, **options), len(dataset), **options)
    check_side(recipe, min(dataset.images.shape[1:3]))
    return recipe


def check_side(recipe, side):
    """Raise ValueError if images are too small, whose shorter side has `side` pixels."""
    if recipe.crop_margin >= side:
        allowed = f"a whole number, 0 to {side - 1} for images of {side} pixels"
        raise refusal("crop_margin", recipe.crop_margin, allowed)


def adapt(recipe, count, *, epochs=None, batch_size=None, learning_rate=None):
    """Adapt a recipe to `count` images, except for what is given.

    The recipes are made for the 50,000 images of CIFAR-10. For fewer images, batches shrink so that an epoch still has
    `FEWEST_STEPS`. The learning rate shrinks with the batch: SGD's in proportion (Goyal et al. 2017); that of
    orthogonal steps, whose length doesn't depend on the batch, with its square root.

    Raises ValueError if there are fewer images than a batch has, or entries don't go together.
    """
    if batch_size is None:
        batch_size = recipe.batch_size
        while count // batch_size < FEWEST_STEPS and batch_size > SMALLEST_BATCH:
            batch_size = max(batch_size // 2, SMALLEST_BATCH)
        batch_size = min(batch_size, count)
    if not 1 <= batch_size <= count:
        raise ValueError(f"{count} training images can't fill a batch of {batch_size}: choose a smaller --batch-size")
    if learning_rate is None:
        shrink = (batch_size / recipe.batch_size) ** SHRINKS_WITH_BATCH[recipe.optimizer]
        learning_rate = recipe.learning_rate * shrink
    recipe = replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size, learning_rate=learning_rate)
    check(recipe)
    return recipe
