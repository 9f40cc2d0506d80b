"""The training loop: from images and a recipe to a trained network."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from cnnvis import console, processor
from cnnvis.images import Dataset, images_at_once
from cnnvis.network import Classifier
from cnnvis.training import building, distribution, forecast, journal
from cnnvis.training.batches import Batches, dataset_of, held_out_batches
from cnnvis.training.early_stop import EarlyStop
from cnnvis.training.film import Film
from cnnvis.training.final_statistics import recompute_statistics
from cnnvis.training.recipe import Recipe
from cnnvis.training.run import Run
from cnnvis.training.summary import recipe_line, reporter
from cnnvis.training.transfer import Base


@dataclass(frozen=True)
class Trained:
    """A trained network, and the course of its training.

    Attributes
    ----------
    network : keras.Model
        In float32 and Keras's own layers: (N, H, W, 3) pixels 0-255 -> (N, K) probabilities.
    recipe : Recipe
    precision : {"float32", "bfloat16"}
        Of the arithmetic.
    rows : list of dict
        One per epoch: `epoch`, `loss`, `accuracy`, `learning_rate`, `seconds`, `images_per_second`, and with held-out
        images `val_loss` and `val_accuracy`.
    arch : str or Base
        As of `train`.
    film : Film or None
        Likewise.
    """

    network: keras.Model
    recipe: Recipe
    precision: str
    rows: list
    arch: str | Base
    film: Film | None = None

    @property
    def seconds(self):
        """Duration of all epochs, without validation."""
        return sum(row["seconds"] for row in self.rows)


def train(
    dataset: Dataset,
    recipe: Recipe,
    *,
    arch: str | Base = "deep",
    held_out: Dataset | None = None,
    seed: int = 0,
    precision: str = "auto",
    deterministic: bool = False,
    strategy: str = "none",
    run: Run | None = None,
    tested: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    film: Film | None = None,
    draw: Callable[[list], object] | None = None,
) -> Trained:
    """Train a network.

    Parameters
    ----------
    dataset : Dataset
        Training images, in memory or in a file (`StoredImages`).
    recipe : Recipe
        As `recipe_for` adapts it to these images.
    arch : str or Base
        One of `convnet.ARCHITECTURES`, or the trained network to start from, which gets a new last layer.
    held_out : Dataset, optional
        The network is evaluated on it after every epoch.
    seed : int
        Of the initial weights, the batches and their augmentation, and dropout.
    precision : {"auto", "float32", "bfloat16"}
        Of the arithmetic; "auto": bfloat16 where the processor or GPU multiplies in it natively.
    deterministic : bool
        Whether two trainings with the same seed are equal bit by bit; slower.
    strategy : {"none", "mirrored", "multiworker"}
        How batches are shared, by `tf.distribute`.
    run : Run, optional
        Keeps table and state after every epoch. An interrupted run is resumed.
    tested : int
        Images that the network will be tested on: the forecast of the duration includes them.
    callbacks : sequence of keras.callbacks.Callback
    film : Film, optional
        Gets its frames.
    draw : callable, optional
        Makes a Figure of the rows so far. After every epoch, its line is printed and, with a run, the figure saved.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If the training diverges, or workers were not started alike.
    ConnectionError
        If a worker is lost.
    """
    precision = precision_of(precision)
    model, batches = prepare(
        dataset,
        recipe,
        arch=arch,
        held_out=held_out,
        seed=seed,
        precision=precision,
        deterministic=deterministic,
        strategy=strategy,
    )
    stops = [EarlyStop(model, recipe.patience)] if recipe.patience and held_out else []
    state = [variable for stop in stops for variable in stop.state]
    if run:
        batches.epoch = run.load(model, len(batches), state)
    distribution.check_alike(model, recipe, batches)
    if run:
        run.start(recipe.epochs)
    rows = run.read_rows(batches.epoch) if run else []
    replicas = model.distribute_strategy.num_replicas_in_sync
    console.say(recipe_line(arch, recipe, dataset, precision=precision, seed=seed, replicas=replicas))
    with console.deferred() as check, console.bar(recipe.epochs * len(batches), len(batches) * batches.epoch) as bar:

        def show(step, words):
            bar(step, words)
            check()

        network = plain(arch, dataset, recipe, model=model, seed=seed)
        if run and not run.writes:  # the chief writes and forecasts
            forecasts, log = [], journal.Journal(None, rows, batch_size=recipe.batch_size, show=show)
        else:
            evaluated = tested + (recipe.epochs - batches.epoch) * len(held_out or ())
            forecasts = [duration_forecast(arch, recipe, batches, network, dataset=dataset, evaluated=evaluated)]
            report = reporter(run, recipe.epochs, draw)
            log = journal.Journal(run, rows, report=report, batch_size=recipe.batch_size, show=show, others=state)
        films = [film] if film else []
        for each in films:
            each.begin(network, steps=len(batches), epochs=recipe.epochs, done=batches.epoch)
        callbacks = [*forecasts, *stops, *films, log, *callbacks]  # frames are kept before the state
        if not any(stop.ended(batches.epoch) for stop in stops):
            fit(model, recipe, batches, held_out=held_out, callbacks=callbacks)
    epoch = len(rows)
    for stop in stops:
        epoch = stop.restore()
        if epoch < recipe.epochs:
            console.say(f"Held-out images had their smallest loss after epoch {epoch}: the network has its weights.")
    network.set_weights(model.get_weights())
    if not isinstance(arch, Base):
        recompute_statistics(network, batches.parts(recipe.epochs))
    if film:
        film.end(epoch)
    return Trained(network=network, recipe=recipe, precision=precision, rows=rows, arch=arch, film=film)


def precision_of(asked):
    """The precision that `asked` stands for; "auto" is bfloat16 if the processor or GPU has it, else float32."""
    return ("bfloat16" if processor.multiplies_bfloat16() else "float32") if asked == "auto" else asked


def prepare(dataset, recipe, *, arch, held_out=None, seed=0, precision="float32", deterministic=False, strategy="none"):
    """Everything that a training needs.

    Parameters
    ----------
    dataset, recipe, arch, held_out, seed, deterministic, strategy
        As of `train`.
    precision : {"float32", "bfloat16"}

    Returns
    -------
    model : keras.Model
        Compiled, and ending in logits.
    batches : Batches

    Raises
    ------
    ValueError
        If replicas would have too few images.
    ConnectionError
        If the workers don't find each other.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    batches = Batches(dataset.images, dataset.labels, recipe, seed=seed)
    steps = recipe.epochs * len(batches)
    if strategy == "multiworker":
        console.say("Waiting for the other workers.")
    strategy = distribution.start(strategy, min(recipe.batch_size, len(held_out or ()) or recipe.batch_size))
    with distribution.scope(strategy):
        variant = building.training_variant(recipe, precision, strategy)
        model = building.build(arch, dataset, recipe, seed=seed, variant=variant)
        building.compile_model(model, recipe, steps)
        return model, batches


def fit(model, recipe, batches, held_out=None, callbacks=()):
    """Train a compiled model, from the epoch `batches.epoch` to the last one of the recipe.

    Parameters
    ----------
    model : keras.Model
    recipe : Recipe
    batches : Batches
    held_out : Dataset, optional
        The network is evaluated on it after every epoch.
    callbacks : sequence of keras.callbacks.Callback
    """
    if distribution.is_distributed(model):
        distribution.run_epochs(model, recipe, batches, held_out=held_out, callbacks=callbacks)
    elif batches.epoch < recipe.epochs:  # else only the test of a resumed run is left
        model.fit(
            dataset_of(batches.next_epoch, len(batches), next(batches.of_epoch(batches.epoch))),
            epochs=recipe.epochs,
            initial_epoch=batches.epoch,
            validation_data=held_out_batches(held_out) if held_out else None,
            callbacks=list(callbacks),
            verbose=0,
            shuffle=False,
        )


def plain(arch, dataset, recipe, model, seed=0):
    """The same network in float32 and Keras's own layers, ending in probabilities: keras.Model."""
    keras.config.set_dtype_policy("float32")
    return building.build(arch, dataset, recipe, seed=seed, weights=model.get_weights())


def duration_forecast(arch, recipe, batches, network, *, dataset, evaluated):
    """The callback that forecasts the duration of training, and of evaluating so many images."""
    size = dataset.images.shape[1:3]
    some = dataset.images[: images_at_once(*size)]
    return forecast.Forecast(
        arch=arch,
        epochs=recipe.epochs,
        steps=len(batches),
        batch_size=recipe.batch_size,
        evaluated=evaluated,
        seconds_per_image=lambda: forecast.seconds_per_image(Classifier(network, size=size), some),
        say=console.say,
    )


def tensorboard(folder):
    """The callbacks that write TensorBoard logs to a folder, if any. ValueError if TensorBoard is not installed."""
    if not folder:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError("--tensorboard needs TensorBoard: pip install tensorboard")
    return [keras.callbacks.TensorBoard(folder)]
