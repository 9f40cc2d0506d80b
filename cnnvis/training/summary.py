"""A training in words and numbers: its lines on the console, and the metadata beside its checkpoint."""

import importlib.metadata
import platform
from dataclasses import asdict
from datetime import datetime, timezone

from cnnvis import console
from cnnvis.images import image_statistics
from cnnvis.training.settings import as_command, as_options


def recipe_line(arch, recipe, dataset, *, precision, seed, replicas=1):
    """The line before training: what is trained, on which images, and how."""
    line = f"{arch} on {len(dataset):,} images of {dataset.name}: {recipe.epochs} epochs, batches of "
    line += f"{recipe.batch_size}, learning rate {recipe.learning_rate:g}, {precision}, seed {seed}"
    return line + (f", {replicas} replicas" if replicas > 1 else "")


def epoch_line(row, epochs):
    """The line after an epoch, from its row of the table."""
    line = f"epoch {row['epoch']:2} of {epochs}   loss {row['loss']:.3f}   accuracy {row['accuracy']:6.2%}"
    if "val_loss" in row:
        line += f"   validation: loss {row['val_loss']:.3f}   accuracy {row['val_accuracy']:6.2%}"
    return f"{line}   {row['seconds']:.1f} s   {row['images_per_second']:,.0f} images/s"


def reporter(run, epochs, draw):
    """What is done with the rows after every epoch: nothing without `draw`, which makes a figure of them."""

    def report(rows):
        console.say(epoch_line(rows[-1], epochs))
        if run:
            console.save_figure(run.curves, draw(rows))

    return report if draw else lambda rows: None


def metadata(run, trained, dataset, tested):
    """The metadata of a trained network: how it was trained, and how good it is.

    Parameters
    ----------
    run : Run
    trained : Trained
    dataset : Dataset
        Training images.
    tested : dict of str to JSON value
        Results on the test images.

    Returns
    -------
    dict of str to JSON value
    """
    import keras

    rows, recipe, options = trained.rows, trained.recipe, run.options
    images = sum(row["seconds"] * row["images_per_second"] for row in rows)
    resolved = {name: getattr(recipe, name) for name in ("epochs", "batch_size", "learning_rate")}
    settings = options | resolved | {"data": dataset.name}
    return {
        "command": as_command(["python", "train.py", *as_options(settings), "--name", run.name]),
        "architecture": str(trained.arch),
        **({} if isinstance(trained.arch, str) else {"start_from": trained.arch.as_json()}),
        "data": dataset.name,
        "classes": list(dataset.classes),
        "input_range": [0, 255],
        "seed": options["seed"],
        "epochs": len(rows),
        "training_images": len(dataset),
        "statistics": image_statistics(dataset.images).as_json(),
        "precision": trained.precision,
        "seconds": round(trained.seconds, 1),
        "images_per_second": round(images / trained.seconds, 1),
        **tested,
        "recipe": asdict(recipe),
        "deterministic": options["deterministic"],
        "strategy": run.strategy,
        "versions": {
            "python": platform.python_version(),
            "tensorflow": importlib.metadata.version("tensorflow"),
            "keras": keras.__version__,
        },
        "trained_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
