"""Training curves."""

from matplotlib import rc_context

from cnnvis.plots.canvas import HEADING, RIGHT, STYLE, TEXT, WIDTH, WRONG, new_figure


@rc_context(STYLE)
def training_curves(rows):
    """Loss and accuracy over the epochs.

    Parameters
    ----------
    rows : list of dict
        One per epoch: epoch, loss, accuracy, and val_loss and val_accuracy if there is a validation set.
    """
    figure = new_figure(WIDTH, 6)
    epochs = [row["epoch"] for row in rows]
    for axes, key, unit in zip(figure.subplots(2, 1), ("loss", "accuracy"), ("cross-entropy", "accuracy")):
        axes.plot(epochs, [row[key] for row in rows], "o-", color=RIGHT, markersize=3, label="training (augmented)")
        if f"val_{key}" in rows[0]:
            axes.plot(epochs, [row[f"val_{key}"] for row in rows], "s-", color=WRONG, markersize=3, label="validation")
        axes.set_title(key.capitalize(), fontsize=HEADING)
        axes.set_xlabel("epoch", fontsize=TEXT)
        axes.set_ylabel(unit, fontsize=TEXT)
        axes.tick_params(labelsize=TEXT)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=TEXT)
    return figure
