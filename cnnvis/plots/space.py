"""All figures of the space of the last hidden layer."""

from dataclasses import replace

from cnnvis.plots.canvas import numbered, percent
from cnnvis.plots.embedding import embedding_map
from cnnvis.plots.names import cut, legible
from cnnvis.plots.nearest import nearest_images

TOPIC = "results"
ROWS = 12  # images on a page, with their nearest ones
LEAST_FOR_A_MAP = 3  # images


def space_pages(dataset, probabilities, space, *, examples):
    """Figures by name: the map, the training images nearest to the worst mistakes, and near-duplicates.

    Parameters
    ----------
    dataset : Dataset
        The N test images.
    probabilities : (N, K) float array
    space : Space
        Or None, for no figures.
    examples : int
        Mistakes, and near-duplicates, to show.
    """
    if space is None:
        return {}
    dataset, figures = replace(dataset, classes=legible(dataset.classes)), {}
    if len(dataset) >= LEAST_FOR_A_MAP:
        predicted = probabilities.argmax(axis=1)
        title = (
            f"{len(dataset):,} images in {cut(space.layer, 40)}, in two dimensions by {space.method}: those near each "
        )
        title += "other look alike to the network. Distances between groups mean little"
        what = {"labels": dataset.labels, "predicted": predicted, "classes": dataset.classes, "title": title}
        figures[f"{TOPIC}_embedding"] = embedding_map(space.embedding, dataset.images, **what)
    if space.training is not None:
        figures |= numbered(f"{TOPIC}_nearest", _mistakes(dataset, probabilities, space, examples))
        figures |= numbered(f"{TOPIC}_duplicates", _duplicates(dataset, probabilities, space, examples))
    return figures


def _mistakes(dataset, probabilities, space, examples):
    """Pages of the most confident mistakes with their nearest training images."""
    twins = dict(space.pairs[::-1].tolist())
    columns, title = (
        space.nearest.shape[1],
        "The most confident mistakes, each with the training images nearest to it in ",
    )
    title += f"{cut(space.layer, 40)}: class, number, cosine. ✓: of the true class, ✗: of the class predicted"
    if len(space.pairs):
        title += (
            f"\n{len(space.pairs):,} of {len(dataset):,} test images have near-duplicates among the training images"
        )
    for start in range(0, min(examples, len(space.mistakes)), ROWS):
        places = range(start, min(start + ROWS, examples, len(space.mistakes)))
        chosen = space.mistakes[list(places)]
        captions = [
            _caption(dataset, probabilities, i, twins, space, space.doubtful[n]) for n, i in zip(places, chosen)
        ]
        others = [
            [
                _other(dataset, probabilities, space, i, j, cosine)
                for j, cosine in zip(space.nearest[n], space.similarity[n])
            ]
            for n, i in zip(places, chosen)
        ]
        yield nearest_images(dataset.images[chosen], captions, others, title, columns=columns)


def _duplicates(dataset, probabilities, space, examples):
    """Pages of near-duplicates, those with two labels first."""
    labels = space.training.labels
    order = sorted(
        range(len(space.pairs)), key=lambda n: dataset.labels[space.pairs[n, 0]] == labels[space.pairs[n, 1]]
    )
    title = "Test images with a near-duplicate among the training images: the same edges, and alike to the network"
    for start in range(0, min(examples, len(order)), ROWS):
        places = order[start : min(start + ROWS, examples)]
        chosen = space.pairs[places, 0]
        captions = [_caption(dataset, probabilities, i, {}, space, False) for i in chosen]
        pairs = zip(chosen, space.pairs[places, 1], space.pair_similarity[places])
        others = [[_other(dataset, probabilities, space, i, j, cosine)] for i, j, cosine in pairs]
        yield nearest_images(dataset.images[chosen], captions, others, title, columns=1, across=2)


def _caption(dataset, probabilities, index, twins, space, doubtful):
    """What is known about a test image, in one line or two."""
    predicted, names = probabilities[index].argmax(), dataset.classes
    about = [f"#{dataset.number(index)} {cut(names[dataset.labels[index]], 16)}"]
    if predicted != dataset.labels[index]:
        about[0] += f" → {cut(names[predicted], 12)} {percent(probabilities[index, predicted])}"
    if index in twins:
        about.append(f"near-duplicate of training #{space.training.number(twins[index])}")
    if doubtful:
        about.append("label may be wrong")
    return "\n".join([about[0], *[", ".join(about[1:])] * (len(about) > 1)])


def _other(dataset, probabilities, space, index, other, cosine):
    """A training image for `nearest_images`."""
    label = space.training.labels[other]
    predicted = probabilities[index].argmax()
    kind = "true" if label == dataset.labels[index] else "predicted" if label == predicted else "other"
    return space.training.images[other], dataset.classes[label], cosine, space.training.number(other), kind
