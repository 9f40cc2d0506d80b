"""The data of the page that explores a network, small enough for one file."""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis import attribution, evaluation
from cnnvis.explore import browser_network

TEMPLATE = Path(__file__).with_name("page.html")
SHEET_COLUMNS = 24
LONGEST_TEXT = 2**29 - 24  # characters: Chromium's strings are no longer, and Firefox's only twice that


def network(classifier, up_to=None, tell=lambda text: None):
    """The network for the page.

    Parameters
    ----------
    classifier : Classifier
    up_to : str, optional
        The last layer that the page shows; it then can't compute probabilities. If the weights are too large for a
        page, it is chosen so that they fit.
    tell : callable, optional
        Told of that choice.

    Returns
    -------
    data : dict
        If browsers can't run it, `problem` says why.
    weights : str
        In base64.

    Raises
    ------
    ValueError
        If no layer is called `up_to`.
    """
    if up_to:
        classifier.layer(up_to)
    try:
        exported = browser_network.export(classifier, up_to)
    except ValueError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        return {"problem": f"it can't be converted for TensorFlow.js ({reason})", "layers": [], "weights": []}, ""
    weights = base64.b64encode(exported.values).decode("ascii")
    if len(weights) > LONGEST_TEXT:
        sizes = f"{len(weights) / 1e6:,.0f} MB, and a browser reads {LONGEST_TEXT / 1e6:,.0f} MB at most"
        fits = last_that_fits(classifier, LONGEST_TEXT / len(weights), up_to)
        if not fits:
            return {"problem": f"its weights take {sizes}", "layers": [], "weights": []}, ""
        tell(f"its weights take {sizes}: the page shows the layers up to {fits}; --up-to chooses another")
        return network(classifier, fits, tell)
    data = {key: getattr(exported, key) for key in ("graph", "input", "probabilities", "scores", "layers", "weights")}
    data["upTo"] = up_to or ""
    data["gradCam"] = None if up_to else grad_cam_place(classifier, exported.layers)
    data["colours"] = ["blue", "green", "red"] if classifier.input_range == "caffe" else ["red", "green", "blue"]
    return data, weights


def last_that_fits(classifier, share, up_to=None):
    """The last layer so that those up to it have this share of the weights of those up to `up_to`; None if none has."""
    names = [*classifier.layers]
    names = names[: names.index(up_to) + 1] if up_to else names
    layers = {name: classifier.layers[name].layer for name in names}
    first = {id(layer): name for name, layer in reversed(layers.items())}  # weights that layers share count once
    counts = [layer.count_params() if first[id(layer)] == name else 0 for name, layer in layers.items()]
    fitting = [name for name, count in zip(names, np.cumsum(counts)) if count <= share * sum(counts)]
    return fitting[-1] if fitting and fitting[-1] != names[-1] else None


def grad_cam_place(classifier, layers):
    """The index of the layer whose feature maps Grad-CAM weights; None if the network has none."""
    try:
        name = attribution.layer_for("gradcam", classifier)
    except ValueError:
        return None
    return next((place for place, layer in enumerate(layers) if layer["name"] == name), None)


def shown_images(classifier, names, images, labels):
    """The images to choose from: N names, (N, H, W, 3) uint8, (N,) int -> list of dict."""
    return [
        {"name": name, "label": int(label), "png": as_png(image), "probabilities": rounded(probabilities, 6)}
        for name, image, label, probabilities in zip(names, images, labels, classifier.probabilities(images))
    ]


def results(dataset, indices, probabilities, examples, topk=3):
    """Scores, and some images of each cell of the confusion matrix; None if no image has a known class.

    Parameters
    ----------
    dataset : Dataset
    indices : (N,) int array
        Of the images that were predicted.
    probabilities : (N, K) float32 array
    examples : int
        Images of a cell at most: the most confident ones.
    topk : int

    Returns
    -------
    dict
    """
    labels = dataset.labels[indices]
    if not (labels >= 0).any():
        return None
    found = evaluation.evaluate(probabilities, labels, min(topk, probabilities.shape[1]))
    scores, bins = found.scores, found.scores.calibration
    chosen = images_of_cells(probabilities, labels, examples)
    shown = [
        {
            "index": int(indices[place]),
            "name": dataset.caption(indices[place]),
            "label": int(labels[place]),
            "predicted": int(probabilities[place].argmax()),
            "probability": round(float(probabilities[place].max()), 4),
        }
        for place in chosen
    ]
    return {
        "data": dataset.short_name,
        "headline": evaluation.headline(scores),
        "confusion": scores.confusion.tolist(),
        "byClass": [rounded(row, 4) for row in scores.by_class],
        "calibration": {
            "count": bins.count.tolist(),
            "confidence": rounded(bins.confidence, 4),
            "accuracy": rounded(bins.accuracy, 4),
            "sentence": evaluation.calibration_sentence(scores),
        },
        "shown": shown,
        "sheet": sheet(dataset.images[indices[chosen]]),
    }


def images_of_cells(probabilities, labels, examples):
    """Indices of the `examples` most confident images of each cell: (N, K), (N,), int -> (M,) int array."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    order = np.lexsort((-confidence, predicted, labels))
    order = order[labels[order] >= 0]
    cell = labels[order] * probabilities.shape[1] + predicted[order]
    first = np.searchsorted(cell, cell)
    return order[np.arange(len(order)) - first < examples]


def explanations(classifier, images, seed=0, track=lambda words: iter):
    """Heat maps by Banzhaf values, each for the predicted class: (N, H, W, 3) uint8 -> dict."""
    sides, _ = attribution.windows_for("banzhaf", classifier.size)
    windows, stride = attribution.windows_for("occlusion", classifier.size)
    occlusion = {"windows": windows, "stride": stride}
    if not len(images):
        return {"patchSizes": sides, "images": [], "occlusion": occlusion}
    explained = attribution.explain(classifier, images, seed=seed, track=track)
    shown = [
        {
            "image": place,
            "target": int(explained.target[place]),
            "probability": float(explained.probability[place]),
            "hiddenProbability": float(explained.hidden_probability[place]),
            "patch": explained.patches[place].tolist(),
            "heatMap": significant(explained.importance[place].ravel(), 4),
            "deletion": rounded([explained.deletion[place], explained.random_deletion[place]], 4),
            "insertion": rounded([explained.insertion[place], explained.random_insertion[place]], 4),
        }
        for place in range(len(explained))
    ]
    return {"patchSizes": sides, "images": shown, "occlusion": occlusion}


def filters(data_name, layers):
    """The images made for filters, and their top patches: str, dict of layer name to FilterImages -> dict."""
    shown = []
    for name, layer in layers.items():
        patches = layer.patches
        shown.append(
            {
                "name": name,
                "filters": [
                    {
                        "filter": int(layer.filters[i]),
                        "activation": float(layer.activation[i]),
                        "datasetMax": float(layer.dataset_max[i]),
                        "dead": bool(layer.dead[i]),
                        "selectivity": float(layer.selectivity[i]),
                        "topClass": int(layer.favourite[i]),
                        "patchActivation": rounded(layer.patch_activation[i], 4),
                    }
                    for i in range(len(layer.filters))
                ],
                "images": sheet(layer.images),
                "patches": sheet(patches.reshape(-1, *patches.shape[2:])),
                "patchesEach": patches.shape[1],
            }
        )
    return {"data": data_name, "layers": shown}


def as_page(data, weights, template=TEMPLATE):
    """Put the data and the weights into the page: dict, base64 -> str.

    Every "<" in the data is escaped, so that no text in it ends its element or starts another.
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    before, rest = template.read_text(encoding="utf-8").split('"DATA"')
    between, after = rest.split("WEIGHTS")
    return "".join((before, text, between, weights, after))


def as_png(image):
    """(H, W, 3) uint8 -> a data: URL."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def sheet(images):
    """Tile images into one PNG, row by row: (N, H, W, 3) uint8 -> dict."""
    count, height, width = images.shape[:3]
    columns = max(1, min(SHEET_COLUMNS, count))
    rows = max(1, math.ceil(count / columns))
    tiles = np.zeros((rows * columns, height, width, 3), "uint8")
    tiles[:count] = images
    whole = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return {"png": as_png(whole), "columns": columns, "width": width, "height": height}


def rounded(numbers, digits):
    """Numbers for JSON; None for NaN and infinity."""
    return [round(float(x), digits) if math.isfinite(x) else None for x in numbers]


def significant(numbers, digits):
    """Numbers for JSON, with this many significant digits."""
    return [float(f"{x:.{digits}g}") for x in numbers]
