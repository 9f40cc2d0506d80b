"""The figures of the README's article: a module a chapter, a function a figure, arrays in, matplotlib Figures out."""
