"""A recipe: the hyper-parameters of training, each with its unit and its bounds."""

from dataclasses import MISSING, dataclass, field, fields

MOST_EPOCHS = 10_000
LARGEST_BATCH = 32_768
LARGEST_SIDE = 4096  # of an image, in pixels


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
    label_smoothing: float = _number("probability that is spread over all classes", 0, 1, without=1, default=0.0)
    repeats: int = _number("how often an epoch shows every image", 1, MOST_EPOCHS, default=1)
    patience: int = _number(
        "epochs without a smaller loss of held-out images, after which training ends with the best weights; 0: none",
        1,
        MOST_EPOCHS,
        off=0,
        default=0,
    )
    crop_margin: int = _number("largest shift of an image, in pixels", 0, LARGEST_SIDE - 1, default=2)
    flip: str = _choice("how images are mirrored left to right", "alternating", "random", "none", default="alternating")
    brightness: float = _number("largest change of an image's brightness, as a fraction of it", 0, 1, default=0.0)
    contrast: float = _number("largest change of an image's contrast, as a fraction of it", 0, 1, default=0.0)
    jpeg: float = _number("fraction of the images that are saved as JPEG and decoded again", 0, 1, default=0.0)
    cutout: int = _number("side of a square that is hidden in each image, in pixels", 0, LARGEST_SIDE - 1, default=0)
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
    """Read name and value of a change NAME=VALUE, such as "whitening=off" or "widths=64,128,128".

    Raises ValueError if there is no such entry, or it can't have that value.
    """
    name, _, value = text.partition("=")
    if name not in ENTRIES:
        raise ValueError(f"a recipe has no {name!r}; it has {', '.join(ENTRIES)}")
    return name, parse(name, value)
