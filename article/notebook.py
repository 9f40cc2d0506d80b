"""Write docs/notebook.ipynb: the questions of the scripts, asked from Python, with the figures inline.

Each cell is run as a reader would, in the folder of the notebook, without CIFAR-10.
"""

import sys
from pathlib import Path

from cnnvis import console

PATH = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
SECONDS = 900  # for a cell, at most
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
CELLS = [
    (
        "markdown",
        """
# Look inside a network from Python

The scripts ask a network four questions. Here the same questions are asked from Python, of the network that comes
with the project and of twenty test images of CIFAR-10 (nothing is downloaded). Each answer is an array; `plots` draws
it.
""",
    ),
    (
        "code",
        """
import sys

sys.path.insert(0, "..")  # this clone; after pip install -e . it isn't needed
from cnnvis import attribution, evaluation, features, images, network, plots

classifier = network.load("deep")
samples = images.load("samples", "test")
samples.images.shape, classifier.classes
""",
    ),
    (
        "markdown",
        """
## How well does it do?
""",
    ),
    (
        "code",
        """
probabilities = classifier.probabilities(samples.images)
found = evaluation.evaluate(probabilities, samples.labels)
print(evaluation.headline(found.scores))
plots.prediction_pages(samples, probabilities, examples=6, topk=3)["results"]
""",
    ),
    (
        "markdown",
        """
## Which images look alike to it?

The last hidden layer turns each image into a row of numbers, from which the class is read off. On the map, images with
similar rows lie close together. Below it are two images beside those most alike, with the cosine of the two rows.
""",
    ),
    (
        "code",
        """
hidden = network.hidden(classifier)
rows = network.predict(classifier, samples.images, hidden)[1]
points, method = evaluation.embed(rows)
about = samples.labels, probabilities.argmax(axis=1), samples.classes
plots.embedding_map(points, samples.images, *about, f"{hidden.names[0]} in two dimensions by {method}")
""",
    ),
    (
        "code",
        """
chosen, classes = [12, 5], [samples.classes[label] for label in samples.labels]
places, cosines = evaluation.nearest(rows[chosen], [rows], k=5)
beside = [
    [(samples.images[j], classes[j], cosine, j, "true" if classes[j] == classes[i] else "other") for j, cosine in near]
    for i, near in zip(chosen, map(zip, places[:, 1:], cosines[:, 1:]))  # but for the image itself
]
captions = [f"#{i}\\n{classes[i]}" for i in chosen]
plots.nearest_images(samples.images[chosen], captions, beside, "The four images most alike", columns=4)
""",
    ),
    (
        "markdown",
        """
## Which pixels made it say so?

Half of the image is hidden at once, in many ways. Where the map is bright, pixels speak for the class; where it is
dark, against it.
""",
    ),
    (
        "code",
        """
explained = attribution.explain(classifier, samples.images[chosen])
titles = attribution.titles(explained, samples.labels[chosen], samples.classes)
plots.heat_maps(explained, titles, unit="logit")
""",
    ),
    (
        "markdown",
        """
## Which of these maps should I believe?

Five methods make a map of the same image. Deletion and insertion say how faithful each is, and a random map is the
floor.
""",
    ),
    (
        "code",
        """
compared = attribution.compare(classifier, samples.images[chosen], explained.target)
print(*attribution.sentences(compared))
plots.importance_pages(compared, titles, unit="logit", most=2)["pixel_importance"]
""",
    ),
    (
        "markdown",
        """
And why a dog rather than a cat?
""",
    ),
    (
        "code",
        """
contrast = attribution.Contrast(classifier, samples.classes.index("cat"))
rather = attribution.explain(contrast, samples.images[[12]], samples.labels[[12]])
plots.heat_maps(rather, ["dog rather than cat"], unit="difference of logits")
""",
    ),
    (
        "markdown",
        """
## What does a filter respond to?

Gradient ascent makes an image that activates the filter as much as possible; beside it are the parts of the twenty
images that activate it most.
""",
    ),
    (
        "code",
        """
filters = features.visualize(classifier, "conv3", [0, 1, 2, 3], dataset=samples, steps=128)
plots.filter_pages("filters", {"conv3": filters}, samples.classes)["filters"]
""",
    ),
    (
        "markdown",
        """
## What does each layer pass on?
""",
    ),
    (
        "code",
        """
names = ["conv1", "relu2", "conv4", "relu6", "fc1"]
outputs = {name: output[0] for name, output in classifier.outputs(samples.images[[12]], names).items()}
kinds = {name: classifier.layers[name].kind for name in names}
plots.network_outputs(
    samples.images[12], outputs, kinds, probabilities=probabilities[12], classes=samples.classes, title="A dog"
)
""",
    ),
]


def notebook():
    """The notebook without outputs: nbformat.NotebookNode."""
    import nbformat

    new = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    made.cells = [new[kind](source.strip(), id=f"cell-{number}") for number, (kind, source) in enumerate(CELLS)]
    return made


def run(made, folder):
    """Run all cells, and keep their outputs in the notebook. CellExecutionError if one fails."""
    from nbclient import NotebookClient

    NotebookClient(made, timeout=SECONDS, resources={"metadata": {"path": str(folder)}}).execute()


def write(args):
    import nbformat

    made = notebook()
    run(made, PATH.parent)
    for cell in made.cells:
        cell.metadata = {}  # when it ran
        if cell.cell_type == "code":  # TensorFlow's remarks about this machine
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    console.save_text(args.out, nbformat.writes(made))


def main(argv=None):
    parser = console.parser(__doc__)
    parser.add_argument("--out", type=Path, default=PATH, metavar="FILE", help="where the notebook goes")
    return console.run(parser, write, argv)


if __name__ == "__main__":
    sys.exit(main())
