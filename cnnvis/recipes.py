"""How a network is fitted, in numbers, each with its unit."""

from dataclasses import dataclass, replace
from pathlib import Path

FEWEST_STEPS = 40  # an epoch: with fewer pictures, batches shrink until there are as many ...
SMALLEST_BATCH = 32  # ... or they hold as few


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is fitted, with its unit."""

    epochs: int  # times that every picture is seen
    batch_size: int  # pictures
    learning_rate: float  # at its peak, for the mean loss of a batch
    optimizer: str  # "sgd" (Nesterov) or "adam"
    momentum: float = 0.85  # of SGD
    weight_decay: float = 0.0  # decoupled, of kernels: fraction of the weight a step, times the learning rate
    bias_scale: float = 1.0  # learning rate of batch normalisation's biases, times
    logits_scale: float = 1.0  # learning rate of the kernel of FC2, times
    warmup: float = 0.23  # fraction of the steps in which the learning rate rises
    start_rate: float = 0.2  # first learning rate, times the peak
    final_rate: float = 0.0  # last learning rate, times the peak
    label_smoothing: float = 0.0  # probability given to all classes alike
    crop_margin: int = 2  # pixels that a picture moves at most, up, down, left and right


RECIPES = {
    "basic": Recipe(epochs=15, batch_size=250, learning_rate=0.002, optimizer="adam", label_smoothing=0.05, warmup=0.1),
    "deep": Recipe(
        epochs=10,
        batch_size=500,
        learning_rate=1.0,
        optimizer="sgd",
        weight_decay=0.008,
        bias_scale=64.0,
        logits_scale=1 / 81,
        final_rate=0.02,
        label_smoothing=0.2,
    ),
}


def adapt(recipe, count, epochs=None, batch_size=None, learning_rate=None):
    """A recipe with the user's wishes, and for `count` pictures.

    The recipes are made for the 50,000 pictures of CIFAR-10. Fewer of them take smaller batches, so that an epoch still
    has `FEWEST_STEPS`; SGD's learning rate shrinks with its batches (Goyal et al. 2017).

    Raises ValueError if there are fewer pictures than a batch has.
    """
    if batch_size is None:
        batch_size = recipe.batch_size
        while count // batch_size < FEWEST_STEPS and batch_size > SMALLEST_BATCH:
            batch_size = max(batch_size // 2, SMALLEST_BATCH)
        batch_size = min(batch_size, count)
    if not 1 <= batch_size <= count:
        raise ValueError(f"{count} training pictures can't fill a batch of {batch_size}: choose a smaller --batch-size")
    if learning_rate is None:
        shrink = batch_size / recipe.batch_size if recipe.optimizer == "sgd" else 1
        learning_rate = recipe.learning_rate * shrink
    return replace(recipe, epochs=epochs or recipe.epochs, batch_size=batch_size, learning_rate=learning_rate)


def multiplies_bfloat16():
    """Whether the first GPU, or else the processor, has instructions that multiply in bfloat16."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0,)) >= (8, 0)
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags
