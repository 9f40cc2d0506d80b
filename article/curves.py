"""Curves of trainings that went well or wrong: those of `article/trainings.py`, from their stored rows."""

import csv
import math

from article.canvas import LETTERS, canvas
from article.trainings import RUNS
from cnnvis.plots import INK, OTHER, RIGHT, WRONG, despine, new_figure

SMALL = 2.7, 2.1  # inches, of a curve within a table


def rows(name):
    """Of a training: list of dict of str to float, one for each epoch or step."""
    with open(RUNS / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def column(name, key):
    return [row[key] for row in rows(name)]


def few_and_many():
    """Training and validation accuracy with 500, 5,000 and 45,000 training images."""
    figure = canvas(3.4)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, count in zip(panels, (500, 5000, 45000)):
        accuracies(axes, f"images_{count}")
        axes.set_title(f"{count:,} images")
        axes.set_xlabel("epoch")
    last = rows("images_500")[-1]
    end = last["epoch"], 100 * last["accuracy"], 100 * last["val_accuracy"]
    panels[0].text(end[0], end[1] - 14, "training", ha="right", va="top", color=RIGHT)
    panels[0].text(end[0], end[2] - 6, "validation", ha="right", va="top", color=WRONG)
    return figure


def accuracies(axes, name):
    """Both accuracies in percent: training's with dots, validation's with squares."""
    epochs = column(name, "epoch")
    few = {"markevery": math.ceil(len(epochs) / 6), "markersize": 5}
    axes.plot(epochs, [100 * value for value in column(name, "accuracy")], "o-", color=RIGHT, **few)
    axes.plot(epochs, [100 * value for value in column(name, "val_accuracy")], "s-", color=WRONG, **few)
    axes.set(ylim=(0, 105), yticks=(0, 50, 100), xlim=(0, epochs[-1] * 1.05))
    axes.yaxis.set_major_formatter("{x:.0f}%")
    despine(axes)


def small():
    figure = new_figure(*SMALL)
    return figure, figure.subplots()


def losses(usual, wrong, top=None, by="epoch"):
    """Two losses, from 1 on: a usual one in grey, and one that went wrong; on a logarithmic scale without `top`."""
    figure, axes = small()
    for values, color, style in ((usual, OTHER, "-"), (wrong, WRONG, "s-")):
        steps = range(1, len(values) + 1)
        axes.plot(steps, values, style, color=color, linewidth=3, markersize=5, markevery=math.ceil(len(values) / 6))
    axes.set_title(f"loss by {by}", loc="left", fontsize=LETTERS)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if top:
        axes.set(ylim=(0, top), yticks=range(math.ceil(top)))
    else:
        highest = max(wrong)
        axes.set_yscale("log")
        axes.minorticks_off()
        axes.set(ylim=(1, 2 * highest), yticks=(2.3, 100, 10_000) if highest > 1000 else (2.3, 10, 100))
        axes.yaxis.set_major_formatter("{x:,g}")
    despine(axes)
    return figure


def first_loss():
    """The loss step by step: with normalised pixels, and with pixels of 0 to 255."""
    return losses(column("raw_pixels", "normalised"), column("raw_pixels", "raw"), by="step")


def rate_too_high():
    usual = column("images_5000", "loss")
    wrong = column("rate_too_high", "loss")
    return losses(usual[: len(wrong)], wrong)


def rate_too_low():
    usual = column("images_5000", "loss")
    wrong = column("rate_too_low", "loss")
    return losses(usual[: len(wrong)], wrong, top=2.6)


def label_smoothing():
    """The loss, and the least that it can be."""
    wrong = column("label_smoothing", "loss")
    figure = losses(column("images_500", "loss"), wrong, top=2.6)
    axes = figure.axes[0]
    axes.axhline(smallest_loss(0.4, 10), color=INK, linestyle=":", linewidth=2)
    axes.text(len(wrong), smallest_loss(0.4, 10) - 0.1, "the least", ha="right", va="top", color=INK)
    return figure


def smallest_loss(smoothing, classes):
    """The cross-entropy of a network that gives each class just what label smoothing asks for."""
    others = smoothing / classes
    true = 1 - smoothing + others
    return -true * math.log(true) - (classes - 1) * others * math.log(others)


def accuracy(name):
    figure, axes = small()
    accuracies(axes, name)
    axes.set_title("accuracy by epoch", loc="left", x=-0.3, fontsize=LETTERS)
    return figure


SYMPTOMS = {
    "first_loss": first_loss,
    "rate_too_high": rate_too_high,
    "rate_too_low": rate_too_low,
    "underfitting": lambda: accuracy("underfitting"),
    "overfitting": lambda: accuracy("images_500"),
    "label_smoothing": label_smoothing,
}
