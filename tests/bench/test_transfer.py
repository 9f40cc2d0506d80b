"""What is compared in bench/transfer.py: which photos of which classes, and which trainings."""

import numpy as np
import pytest
from PIL import Image

from bench import transfer
from cnnvis import images
from cnnvis.images import Dataset

pytestmark = pytest.mark.once  # independent of versions


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 10
    classes = tuple(f"class {c}" for c in range(10))
    return Dataset("sixty", rng.integers(256, size=(60, 8, 8, 3), dtype=np.uint8), labels, classes)


def test_photos_are_of_the_chosen_classes(dataset, tmp_path):
    transfer.write(dataset, tmp_path, [2, 7], np.random.default_rng(1), 4)
    files = sorted(tmp_path.glob("*/*.png"))
    assert [file.parent.name for file in files] == ["class 2"] * 4 + ["class 7"] * 4
    for file in files:
        np.testing.assert_array_equal(np.asarray(Image.open(file)), dataset.images[int(file.stem)])
        assert dataset.classes[dataset.labels[int(file.stem)]] == file.parent.name


def test_a_row_has_the_mean_and_its_range():
    assert transfer.row("digits", "nothing", [0.5, 0.6, 0.75]) == "| digits | nothing | 61.7% (50.0%–75.0%) | 3 |"


def test_the_network_to_start_from_has_not_learned_the_classes(dataset, tmp_path, monkeypatch, capsys):
    trained = {}

    def accuracy(folder, name, *options):
        options = list(map(str, options))
        data = options[options.index("--data") + 1]
        trained.setdefault(name, []).append((options, data != "digits" and classes_of(data)))
        return 0.25

    def classes_of(data):
        return {split: {path.name for path in transfer.Path(data, split).iterdir()} for split in ("train", "test")}

    monkeypatch.setattr(transfer, "accuracy", accuracy)
    monkeypatch.setattr(images, "load", lambda name, split: dataset)
    assert transfer.main(["--trainings", "1", "--draws", "2"]) == 0
    table = capsys.readouterr().out
    assert table.count("25.0% (25.0%–25.0%) | 1 |") == 4
    assert table.count("25.0% (25.0%–25.0%) | 2 |") == 2
    assert len(trained["digits"]) == 4
    for draw in range(2):
        (_, learned), (started, few), (_, same) = trained[f"others_{draw}"] + trained["few"][2 * draw : 2 * draw + 2]
        assert few == same
        assert few["train"] == few["test"]
        assert learned["train"] == learned["test"]
        assert not few["train"] & learned["train"]
        assert len(few["train"] | learned["train"]) == 10
        assert started[started.index("--start-from") + 1].endswith(f"others_{draw}.keras")


def test_a_training_that_fails_says_why(tmp_path):
    with pytest.raises(ChildProcessError, match=r"digits failed: .*'nowhere'"):
        transfer.accuracy(tmp_path, "digits", "--data", "nowhere")
