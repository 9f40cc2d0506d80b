"""What a page to explore a network shows: the four views' own arrays, small enough for one file."""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis.attribution import explanation as importance
from cnnvis.evaluation import findings, report
from cnnvis.explore import browser_network

TEMPLATE = Path(__file__).with_name("page.html")
SHEET_COLUMNS = 24
ARTICLE = {  # sections of README.md that explain a part of the page
    "outputs": "Layers: what do they pass on?",
    "results": "Results: how well does it do?",
    "importance": "Pixel importance: why did it say so?",
    "filters": "Filters: what do they look for?",
    "network": "From filters to a network",
    "own": "Your own network, your own pictures",
}


def network(classifier):
    """The network for the page: a dict for its data, and the weights in base64.

    Of one that can't run in browsers the dict says why, under `trouble`.
    """
    try:
        exported = browser_network.export(classifier)
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        return {"trouble": f"it can't be brought into TensorFlow.js's form ({reason})", "layers": [], "weights": []}, ""
    told = {key: getattr(exported, key) for key in ("graph", "input", "probabilities", "layers", "weights")}
    return told, base64.b64encode(exported.values).decode("ascii")


def shown_pictures(classifier, names, images, labels):
    """The pictures that one chooses from: list of str, (N, H, W, 3), (N,) -> list of dict."""
    return [
        {"name": name, "label": int(label), "png": as_png(image), "probabilities": rounded(probabilities, 6)}
        for name, image, label, probabilities in zip(names, images, labels, classifier.probabilities(images))
    ]


def results(pictures, indices, probabilities, examples, topk=3):
    """Scores, and some pictures behind each cell of the confusion matrix; None if no picture's class is known.

    Parameters
    ----------
    pictures : Pictures
    indices : (N,) int array
        Of those that were predicted.
    probabilities : (N, K) float32 array
    examples : int
        Pictures behind a cell, at most: the ones that the network is surest of.

    Returns
    -------
    dict
    """
    labels = pictures.labels[indices]
    if not (labels >= 0).any():
        return None
    found = findings.examine(probabilities, labels, min(topk, probabilities.shape[1]))
    scores, bins = found.scores, found.scores.calibration
    chosen = behind_cells(probabilities, labels, examples)
    shown = [
        {
            "index": int(indices[place]),
            "name": pictures.caption(indices[place]),
            "label": int(labels[place]),
            "predicted": int(probabilities[place].argmax()),
            "probability": round(float(probabilities[place].max()), 4),
        }
        for place in chosen
    ]
    return {
        "data": pictures.short_name,
        "headline": report.headline(scores),
        "confusion": scores.confusion.tolist(),
        "byClass": [rounded(row, 4) for row in scores.by_class],
        "calibration": {
            "count": bins.count.tolist(),
            "confidence": rounded(bins.confidence, 4),
            "accuracy": rounded(bins.accuracy, 4),
            "words": report.calibration(scores),
        },
        "shown": shown,
        "sheet": sheet(pictures.images[indices[chosen]]),
    }


def behind_cells(probabilities, labels, examples):
    """Of each pair of true and predicted class the `examples` pictures with the highest probability: (M,) int array."""
    predicted, claimed = probabilities.argmax(axis=1), probabilities.max(axis=1)
    order = np.lexsort((-claimed, predicted, labels))
    order = order[labels[order] >= 0]
    cell = labels[order] * probabilities.shape[1] + predicted[order]
    first = np.searchsorted(cell, cell)
    return order[np.arange(len(order)) - first < examples]


def explanations(classifier, images, seed=0, track=lambda words: iter):
    """Maps of the importance of the pixels of pictures, each for its predicted class: (N, H, W, 3) uint8 -> dict."""
    windows, stride = importance.windows_for("halves", *classifier.size)
    if not len(images):
        return {"windows": windows, "pictures": []}
    targets = classifier.probabilities(images).argmax(axis=1)
    explained = importance.explain(classifier, images, targets, "halves", windows, stride, seed=seed, track=track)
    shown = [
        {
            "picture": place,
            "target": int(explained.target[place]),
            "probability": float(explained.probability[place]),
            "hiddenProbability": float(explained.hidden_probability[place]),
            "section": explained.sections[place].tolist(),
            "map": significant(explained.importance[place].ravel(), 4),
            "deletion": rounded([explained.deletion[place], explained.random_deletion[place]], 4),
            "insertion": rounded([explained.insertion[place], explained.random_insertion[place]], 4),
        }
        for place in range(len(explained))
    ]
    return {"windows": windows, "pictures": shown}


def filters(data_name, layers):
    """The pictures made for filters, and the real ones: {layer's name: dict of `filter_pictures.examine`} -> dict."""
    told = []
    for name, layer in layers.items():
        patches = layer["patches"]
        told.append(
            {
                "name": name,
                "filters": [
                    {
                        "filter": int(layer["filters"][i]),
                        "activation": float(layer["activation"][i]),
                        "datasetMax": float(layer["dataset_max"][i]),
                        "dead": bool(layer["dead"][i]),
                        "selectivity": float(layer["selectivity"][i]),
                        "favourite": int(layer["favourite"][i]),
                        "patchActivation": rounded(layer["patch_activation"][i], 4),
                    }
                    for i in range(len(layer["filters"]))
                ],
                "images": sheet(layer["images"]),
                "patches": sheet(patches.reshape(-1, *patches.shape[2:])),
                "patchesEach": patches.shape[1],
            }
        )
    return {"data": data_name, "layers": told}


def article(readme):
    """Where README.md explains the parts of the page: path or URL of it -> dict of str to str."""
    return {part: f"{readme}#{anchor(heading)}" for part, heading in ARTICLE.items()}


def anchor(heading):
    """The name that GitHub gives a heading."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def as_page(data, weights, template=TEMPLATE):
    """Put the data and the weights into the page: dict, base64 -> str.

    No text in the data can end the element that it stands in, or begin another: there is no "<" in it.
    """
    told = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    before, rest = template.read_text(encoding="utf-8").split('"DATA"')
    between, after = rest.split("WEIGHTS")
    return "".join((before, told, between, weights, after))


def as_png(image):
    """(H, W, 3) uint8 -> a data: URL."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def sheet(images):
    """(N, H, W, 3) uint8 pictures side by side in one PNG, row by row: dict."""
    count, height, width = images.shape[:3]
    columns = max(1, min(SHEET_COLUMNS, count))
    rows = max(1, math.ceil(count / columns))
    cells = np.zeros((rows * columns, height, width, 3), "uint8")
    cells[:count] = images
    whole = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return {"png": as_png(whole), "columns": columns, "width": width, "height": height}


def rounded(numbers, digits):
    """Numbers for JSON; None where they are none."""
    return [round(float(x), digits) if math.isfinite(x) else None for x in numbers]


def significant(numbers, digits):
    """Numbers for JSON with so many digits that count."""
    return [float(f"{x:.{digits}g}") for x in numbers]
