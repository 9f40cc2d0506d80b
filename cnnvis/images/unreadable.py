"""Pictures without those that can't be read, where --skip-bad asks for it: they are left out, and named."""

from itertools import islice

import numpy as np

from cnnvis.console import messages as console
from cnnvis.console.names import shown

MOST_NAMED = 10  # files that are named where more were skipped


def read(pictures, indices, track=iter):
    """The pictures at these places, in memory, without those that are to be skipped.

    Raises ValueError if none are left.
    """
    taken = pictures.take(indices, track)
    if len(indices) and not len(taken):
        raise none_left(pictures)
    return taken


def readable(pictures, indices, most=None):
    """The first `most` of the indices, or all, but those of pictures that are to be skipped; it says which: int array.

    Raises ValueError if none are left.
    """
    found = np.fromiter(islice(pictures.readable(indices), most), int)
    if not len(found):
        raise none_left(pictures)
    tell(pictures)
    return found


def without_bad(pictures):
    """The pictures without those that are to be skipped, and the places (M,) of those that stay; it says which.

    Raises ValueError if none are left.
    """
    kept, places = pictures.without_bad()
    if not len(kept):
        raise none_left(pictures)
    tell(pictures)
    return kept, places


def tell(pictures):
    """Say which pictures are skipped, and why the first one is."""
    if not pictures.bad:
        return
    files = [shown(pictures.source(place)) for place in sorted(pictures.bad)]
    more = f" and {len(files) - MOST_NAMED:,} more" if len(files) > MOST_NAMED else ""
    console.notice(
        f"Skipped {len(files):,} of {len(pictures):,} pictures, which can't be read: "
        f"{', '.join(files[:MOST_NAMED])}{more}. The first: {pictures.bad[min(pictures.bad)]}"
    )


def none_left(pictures):
    """The error that is raised where no picture is left."""
    why = pictures.bad[min(pictures.bad)]
    return ValueError(f"none of the {len(pictures.bad):,} pictures that were looked at can be read; the first: {why}")
