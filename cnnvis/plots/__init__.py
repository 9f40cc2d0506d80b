"""How does it look?

Arrays in, Matplotlib figures out: scaling, colours and labels are here and nowhere else.

>>> from cnnvis import plots
>>> row = {"epoch": 1, "loss": 2.0, "accuracy": 0.3}
>>> figure = plots.training_curves([row])
>>> [axes.get_title() for axes in figure.axes]
['Loss', 'Accuracy']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attribution": ["heat_map_pages", "heat_maps", "importance_pages", "overlay"],
        "canvas": [
            "DIVERGING",
            "INK",
            "OTHER",
            "OUTPUTS",
            "RIGHT",
            "WRONG",
            "despine",
            "new_figure",
            "show_image",
            "real_minus",
        ],
        "channel": ["channel_terms"],
        "embedding": ["embedding_map"],
        "film": ["film_frames", "film_sheet"],
        "filters": ["filter_pages", "mosaic"],
        "findings": ["findings_pages", "prediction_pages"],
        "galleries": ["confused_pairs", "gallery", "gallery_pages"],
        "names": ["cut", "legible", "short_names"],
        "layers": ["layer_output", "network_outputs", "tile"],
        "nearest": ["nearest_images"],
        "results": ["breakdown", "comparison", "most_mistaken", "page"],
        "sheets": ["ascent_frames", "filter_atlas", "filter_sheets"],
        "space": ["space_pages"],
        "training": ["training_curves"],
    },
)
