"""The figures of the README's article: a module a chapter, a function a figure, arrays in, matplotlib Figures out."""

import cnnvis  # noqa: F401 - before TensorFlow, which it sets up
