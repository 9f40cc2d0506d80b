"""Measurements: how fast and how well ours and others work. README.md says what each file measures."""

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up
