"""Measurements: how fast we train, and how fast others do."""

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up
