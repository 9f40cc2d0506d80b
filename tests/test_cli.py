"""Options, errors in one line, files that are whole, and what is found out about a model."""

import json
import os

import h5py
import keras
import numpy as np
import pytest
from PIL import Image

from cnnvis import cli, data, inputs
from cnnvis.files import complete
from models import checkpoint
from tests.conftest import small_sequential


def run(command, argv=()):
    return cli.run(cli.parser("A test."), command, list(argv))


def raises(error):
    def command(_args):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("wrong\n  in two lines"), 2, "wrong in two lines"),
        (OSError(28, "No space left on device", "out/x.png"), 2, "out/x.png: No space left on device"),
        (PermissionError("out can't be written to"), 2, "out can't be written to"),
        (MemoryError(), 2, "choose a smaller picture or network, or end other programs (MemoryError)"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_mistakes_are_one_line(error, status, line, capsys):
    assert run(raises(error)) == status
    err = capsys.readouterr().err.strip()
    assert err.endswith(line)
    assert "\n" not in err


def test_debug_shows_where_and_a_bug_shows_always():
    with pytest.raises(ValueError, match="wrong"):
        run(raises(ValueError("wrong")), ["--debug"])
    with pytest.raises(KeyError):
        run(raises(KeyError("bug")))


def test_a_wrong_option_is_one_line(capsys):
    assert run(None, ["--seed", "x"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("argv", [["--seed", "-1"], ["--seed", "x"], ["--unknown"]])
def test_wrong_options(argv):
    assert run(lambda args: None, argv) == 2


def test_help_shows_defaults_and_no_none(capsys):
    assert cli.run(cli.visualize_parser("A test."), None, ["--help"]) == 0
    out = capsys.readouterr().out
    assert "(default: outputs)" in out
    assert "None" not in out
    assert "False" not in out


@pytest.mark.parametrize(("text", "value"), [("mean", "mean"), ("noise", "noise"), ("0", 0.0), ("127.5", 127.5)])
def test_baselines(text, value):
    assert cli.baseline(text) == value


@pytest.mark.parametrize("text", ["grey", "-1", "256", "nan"])
def test_no_baselines(text):
    with pytest.raises(cli.argparse.ArgumentTypeError):
        cli.baseline(text)


def test_class_index():
    assert cli.class_index("dog", ("cat", "dog")) == 1
    assert cli.class_index("0", ("cat", "dog")) == 0
    assert cli.class_index("0", ("1", "0")) == 1  # a name goes before an index
    assert cli.class_index(None, ("cat",)) is None
    for wrong in ("2", "bird", "-1"):
        with pytest.raises(ValueError, match="there are cat, dog"):
            cli.class_index(wrong, ("cat", "dog"))


def test_files_are_complete_or_absent(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    try:
        with complete(path) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError
    except RuntimeError:
        pass
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    with complete(path) as unfinished:
        unfinished.write_text("after")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_are_no_utf8_are_written_as_far_as_they_can_be(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    cli.save_text(tmp_path / "x.md", f"{name}\n")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == "caf?\n"
    cli.save_arrays(tmp_path / "x.h5", {}, {"data": name, "classes": [name, "é"], "layers": []})
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["data"] == "caf\\xe9"
        assert list(file.attrs["classes"]) == ["caf\\xe9", "é"]


def test_arrays_and_attributes(tmp_path, capsys):
    cli.save_arrays(tmp_path / "x.h5", {"group/a": np.arange(3)}, {"classes": ["é", "b"], "accuracy": 0.5})
    assert str(tmp_path / "x.h5") in capsys.readouterr().out
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["group/a"][()].tolist() == [0, 1, 2]
        assert list(file.attrs["classes"]) == ["é", "b"]


def opened(tmp_path, argv, metadata=None, **options):
    path = tmp_path / "model.keras"
    small_sequential(**options).save(path)
    if metadata is not None:
        path.with_suffix(".json").write_text(json.dumps(metadata))
    args = cli.visualize_parser("A test.").parse_args(argv)
    return inputs.open_classifier(args, checkpoint.load(path))


def test_samples_stand_in_for_cifar10_with_a_notice(tmp_path, offline, capsys):
    _, pictures = opened(tmp_path, ["--input-range", "0", "1"])
    assert pictures.name == "samples"
    assert "20 bundled samples" in capsys.readouterr().err
    with pytest.raises(data.Unavailable):
        opened(tmp_path, ["--input-range", "0", "1", "--data", "cifar10"])


def test_metadata_decide_what_is_not_said(tmp_path):
    metadata = {"data": "digits", "input_range": [-1, 1], "classes": list("0123456789")}
    classifier, pictures = opened(tmp_path, [], metadata)
    assert pictures.name == "digits"
    raw = small_sequential()(pictures.images[:2] / 127.5 - 1)
    np.testing.assert_allclose(classifier.probabilities(pictures.images[:2]), raw, rtol=1e-3)


def test_labels_count_in_the_models_classes(tmp_path):
    classes = sorted(data.CIFAR10_CLASSES, reverse=True)
    _, pictures = opened(tmp_path, ["--data", "samples", "--input-range", "0", "1"], {"classes": classes})
    assert pictures.classes == tuple(classes)
    assert [classes[label] for label in pictures.labels[:3]] == ["cat", "ship", "ship"]


def test_classes_from_a_file(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("\n".join(f"class {i}" for i in range(10)) + "\n")
    argv = ["--data", "samples", "--input-range", "0", "1", "--classes", str(file)]
    _, pictures = opened(tmp_path, argv)
    assert pictures.classes[3] == "class 3"
    with pytest.raises(ValueError, match="10 class names for a model of 4 classes"):
        opened(tmp_path, argv, classes=4)
    file.write_text("\n")
    with pytest.raises(ValueError, match="does not name classes"):
        opened(tmp_path, argv)


def test_data_of_other_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="choose other --data"):
        opened(tmp_path, ["--data", "samples", "--input-range", "0", "1"], classes=4)


def test_a_range_that_can_not_be_told_is_asked_for(tmp_path):
    with pytest.raises(ValueError, match="Say --input-range"):
        opened(tmp_path, ["--data", "samples"])
    with pytest.raises(ValueError, match="a smaller and a larger"):
        opened(tmp_path, ["--data", "samples", "--input-range", "1", "0"])


def test_a_range_is_told_by_what_the_model_is_good_on(tmp_path, capsys):
    """A model that knows digits by their pixels / 255, and can't tell anything at 0-255."""
    digits = data.load("digits", "train")
    model = small_sequential()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.01
    model.fit(digits.images / 255, digits.labels, epochs=12, verbose=0)
    model.save(tmp_path / "model.keras")
    args = cli.visualize_parser("A test.").parse_args(["--data", "digits"])
    classifier, pictures = inputs.open_classifier(args, checkpoint.load(tmp_path / "model.keras"))
    assert "seems to take pixels 0 to 1" in capsys.readouterr().err
    np.testing.assert_allclose(
        classifier.probabilities(pictures.images[:3]), model(pictures.images[:3] / 255), rtol=1e-3, atol=1e-6
    )


def test_the_range_is_found_on_pictures_of_all_classes(tmp_path, capsys):
    """The folder lists 600 pictures of one class first, which this model recognises whatever the range."""
    for name, color in (("a", (200, 0, 0)), ("b", (0, 0, 200))):
        folder = tmp_path / "data" / "test" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8), color).save(folder / "0.png")
        for i in range(1, 600):
            os.link(folder / "0.png", folder / f"{i}.png")
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D(), dense])
    dense.set_weights([np.array([[0, 0], [0, 0], [0, 0.1]]), np.array([10, 0])])  # b is what has much blue, of 255
    model.save(tmp_path / "model.keras")
    args = cli.visualize_parser("A test.").parse_args(["--data", str(tmp_path / "data")])
    classifier, pictures = inputs.open_classifier(args, checkpoint.load(tmp_path / "model.keras"))
    assert "pixels 0 to 255: 100% of 500 right, 50% with" in capsys.readouterr().err
    assert classifier.probabilities(pictures.images[[0, -1]]).argmax(axis=1).tolist() == [0, 1]
