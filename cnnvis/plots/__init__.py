"""Arrays in, matplotlib Figures out. Scaling, colours and labels live here, and nowhere else."""

from cnnvis.plots.filters import filter_pages, mosaic
from cnnvis.plots.importance import importance, importance_pages, overlay
from cnnvis.plots.layers import layer_output, network_outputs, tile
from cnnvis.plots.results import breakdown, confusion, gallery
from cnnvis.plots.sheets import filter_atlas, filter_sheets, growth_frames
from cnnvis.plots.training import training_curves

__all__ = [
    "breakdown",
    "confusion",
    "filter_atlas",
    "filter_pages",
    "filter_sheets",
    "gallery",
    "growth_frames",
    "importance",
    "importance_pages",
    "layer_output",
    "mosaic",
    "network_outputs",
    "overlay",
    "tile",
    "training_curves",
]
