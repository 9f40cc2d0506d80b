"""How does a script talk to the person who runs it?

Shared options, messages, progress bars, one-line errors, Ctrl-C, and output files that are complete or absent.

>>> from cnnvis import console
>>> console.shown("two\\nlines")
'two\\\\nlines'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "options": [
            "PREPROCESSINGS",
            "above_zero",
            "checked",
            "input_range",
            "natural",
            "natural_or_all",
            "parser",
            "pixel_range",
            "positive",
            "restore",
            "settings",
            "skip_bad",
            "visualize_parser",
        ],
        "program": ["one_line", "run"],
        "messages": ["bar", "duration", "notice", "notice_once", "print_table", "say", "shout", "track"],
        "output": [
            "layer_file",
            "make_folder",
            "make_parent",
            "save_animation",
            "save_arrays",
            "save_figure",
            "save_film",
            "save_figures",
            "save_text",
            "temporary_folder",
        ],
        "files": ["claimed", "complete", "write_hdf5"],
        "interrupts": ["deferred"],
        "names": ["shown", "some"],
    },
)
