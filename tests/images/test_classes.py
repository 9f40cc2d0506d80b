"""A class is found by its name or its index."""

import pytest

from cnnvis.images.classes import class_index


def test_a_class_by_name_or_index():
    assert class_index("dog", ("cat", "dog")) == 1
    assert class_index("0", ("cat", "dog")) == 0
    assert class_index("0", ("1", "0")) == 1  # a name takes precedence over an index
    assert class_index(None, ("cat",)) is None
    for wrong in ("2", "bird", "-1"):
        with pytest.raises(ValueError, match="there are cat, dog"):
            class_index(wrong, ("cat", "dog"))
