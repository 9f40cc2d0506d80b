"""Arrays in, matplotlib Figures out. Scaling, colours and labels live here, and nowhere else."""

from cnnvis.plots.filters import filter_pages, mosaic
from cnnvis.plots.findings import findings_pages, predictions
from cnnvis.plots.galleries import confused_pairs, gallery, gallery_pages
from cnnvis.plots.importance import importance, importance_pages, overlay
from cnnvis.plots.layers import layer_output, network_outputs, tile
from cnnvis.plots.results import breakdown, comparison, most_mistaken, page
from cnnvis.plots.sheets import filter_atlas, filter_sheets, growth_frames
from cnnvis.plots.training import training_curves
from cnnvis.plots.working import working

__all__ = [
    "breakdown",
    "comparison",
    "confused_pairs",
    "filter_atlas",
    "filter_pages",
    "filter_sheets",
    "findings_pages",
    "gallery",
    "gallery_pages",
    "growth_frames",
    "importance",
    "importance_pages",
    "layer_output",
    "mosaic",
    "most_mistaken",
    "network_outputs",
    "overlay",
    "page",
    "predictions",
    "tile",
    "training_curves",
    "working",
]
