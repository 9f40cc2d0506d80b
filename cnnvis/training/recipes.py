"""How a network is fitted, in numbers, each with its unit and its bounds."""

from dataclasses import MISSING, dataclass, field, fields, replace

FEWEST_STEPS = 40  # an epoch: with fewer images, batches shrink until there are as many ...
SMALLEST_BATCH = 32  # ... or they hold as few
SHRINKS_WITH_BATCH = {"sgd": 1, "muon": 1 / 2, "adam": 0}  # power of the batch size that the learning rate follows
MOST_EPOCHS = 10_000
LARGEST_BATCH = 32_768
LARGEST_SIDE = 4096  # of an image, in pixels
MOST_PARTS = 16  # of a batch: a step has a copy of the whole network for each


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, but not the end `without`; and the number `off`, if there is one."""

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
    """Everything that decides how a network is fitted: what each entry is, with its unit, and which values it can have.

    Bounds that depend on other entries or on the images are in `check` and `check_side`.
    """

    epochs: int = _number("how often every image is seen", 1, MOST_EPOCHS)
    batch_size: int = _number("images a step", 1, LARGEST_BATCH)
    # For "muon" the size of a step, else for the mean loss of a batch.
    learning_rate: float = _number("learning rate of kernels, at its peak", 0, 1000, without=0)
    optimizer: str = _choice("sgd is Nesterov's", "sgd", "muon", "adam")
    # Muon leaves all to Nesterov's steps but the kernels of CONV layers and FC1, which make orthogonal ones.
    momentum: float = _number("momentum of Nesterov's steps", 0, 1, without=1, default=0.85)
    orthogonal_momentum: float = _number("momentum of Muon's orthogonal steps", 0, 1, without=1, default=0.6)
    weight_decay: float = _number(
        "decoupled: fraction of a kernel's weights that a step removes, times the learning rate", 0, 10, default=0.0
    )
    bias_scale: float = _number("times the learning rate, of batch normalisation's biases", 0, 10_000, default=1.0)
    logits_scale: float = _number("times the learning rate, of the kernel of FC2", 0, 10_000, default=1.0)
    warmup: float = _number("fraction of the steps in which the learning rate rises", 0, 1, default=0.23)
    start_rate: float = _number("first learning rate, as a fraction of its peak", 0, 1, default=0.2)
    final_rate: float = _number("last learning rate, as a fraction of its peak", 0, 1, default=0.0)
    ghost_batch: int = _number(
        "images that batch normalisation sees at a time; 0: the whole batch", 2, LARGEST_BATCH, off=0, default=0
    )
    lookahead: bool = _switch("whether weights go back to a running average now and then", default=False)
    label_smoothing: float = _number("probability that is spread over all classes", 0, 1, without=1, default=0.0)
    crop_margin: int = _number(
        "pixels that an image moves at most, up, down, left and right", 0, LARGEST_SIDE - 1, default=2
    )
    flip: str = _choice("of images, left and right", "alternating", "random", "none", default="alternating")
    small_side: int = _number(
        "side that images are shrunk to in the first epochs, in pixels; 0: never", 0, LARGEST_SIDE, default=0
    )
    small_epochs: int = _number("epochs, from the first, that see shrunk images", 0, MOST_EPOCHS, default=0)
    whitening: bool = _switch("whether deep begins with fixed filters that whiten 2x2 patches", default=True)
    identity_start: bool = _switch("whether CONV layers of deep begin by passing their input on", default=True)
    anti_aliasing: bool = _switch("whether POOL layers of deep smooth before they drop values", default=True)
    widths: tuple = _number("filters of the CONV layers, a number a group", 1, 4096, default=())

    @property
    def ghost_batches(self):
        """How many parts of a batch are seen one at a time: int, at least 1."""
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
# What a message says of the values of each type, and what makes one of a text.
KINDS = {
    bool: ("on or off", {"on": True, "off": False}.__getitem__),
    int: ("a whole number, {}", int),
    float: ("{}", float),
    str: ("{}", str),
    tuple: ("whole numbers with commas between, each {}", lambda text: tuple(map(int, text.split(",")))),
}


def parse(name, text):
    """The value of the entry `name` that a text stands for.

    Raises ValueError, with value and range, if the entry can't have it.
    """
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
    """The error that says that an entry can't have a value, which ones it can have, and what it is."""
    return ValueError(f"{name} can't be {value}: it is {allowed} ({ENTRIES[name].metadata['what']})")


def parse_change(text):
    """Name and value of a change that is written NAME=VALUE: "lookahead=on", "widths=64,128,128".

    Raises ValueError if a recipe has no such entry, or it can't have that value.
    """
    name, _, value = text.partition("=")
    if name not in ENTRIES:
        raise ValueError(f"a recipe has no {name!r}; it has {', '.join(ENTRIES)}")
    return name, parse(name, value)


def change(recipe, changes):
    """A recipe with some of its entries changed; `changes` are a list of what `parse_change` takes."""
    return replace(recipe, **dict(map(parse_change, changes)))


def check(recipe):
    """Raise ValueError if entries, each possible by itself, don't go together."""
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


def check_known(recipe, epochs=None, batch_size=None, learning_rate=None):
    """As `check`, before it is known how many images there are, of what the user asks for whatever they are."""
    anything = 0  # goes with all other entries
    known = {"batch_size": batch_size or anything, "learning_rate": learning_rate or anything}
    check(replace(recipe, epochs=epochs or recipe.epochs, **known))


def check_side(recipe, side):
    """Raise ValueError if images, which are `side` pixels wide or high where they are smallest, are too small."""
    if recipe.crop_margin >= side:
        allowed = f"a whole number, 0 to {side - 1} for images of {side} pixels"
        raise refusal("crop_margin", recipe.crop_margin, allowed)


def adapt(recipe, count, epochs=None, batch_size=None, learning_rate=None):
    """A recipe with the user's wishes, and for `count` images.

    The recipes are made for the 50,000 images of CIFAR-10. Fewer of them take smaller batches, so that an epoch still
    has `FEWEST_STEPS`, and the learning rate shrinks with them: SGD's in proportion (Goyal et al. 2017), that of
    orthogonal steps, which are as long whatever the batch, with the root.

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
