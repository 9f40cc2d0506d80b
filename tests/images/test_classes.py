"""Class names are read from a file, and a class is found by its name or its index."""

import unicodedata

import pytest

from cnnvis.images.classes import class_index, class_indices, class_names


def test_a_class_by_name_or_index():
    assert class_index("dog", ("cat", "dog")) == 1
    assert class_index("0", ("cat", "dog")) == 0
    assert class_index("0", ("1", "0")) == 1  # a name takes precedence over an index
    assert class_index(None, ("cat",)) is None
    for wrong in ("2", "bird", "-1"):
        with pytest.raises(ValueError, match="there are cat, dog"):
            class_index(wrong, ("cat", "dog"))


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        (("b", "a"), ("a", "b", "c"), [1, 0]),
        (("cat", "DOG"), ("Dog", "Cat"), [1, 0]),
        (("käse",), (unicodedata.normalize("NFD", "Käse"),), [0]),
        (("cat", "bird"), ("Cat", "Dog"), None),
        (("a", "A"), ("A", "a"), [1, 0]),  # letters, which case tells apart
        (("É",), ("é", "e", "E"), None),
    ],
)
def test_classes_of_a_folder_among_those_of_a_network(names, known, expected):
    assert class_indices(names, known) == expected


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["0 cat", "1 dog", "2 my bird"], ["cat", "dog", "my bird"]),
        (["0", "1", "2"], ["0", "1", "2"]),
        (["2 of hearts", "3 of hearts"], ["2 of hearts", "3 of hearts"]),
        (["0 cat", "dog"], ["0 cat", "dog"]),
        (["1 cat", "0 dog"], ["1 cat", "0 dog"]),
    ],
)
def test_numbers_before_class_names(lines, names, tmp_path):
    """Teachable Machine numbers them from 0."""
    (tmp_path / "labels.txt").write_text("\n".join(lines) + "\n")
    assert class_names(tmp_path / "labels.txt") == names
