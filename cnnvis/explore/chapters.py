"""The chapters of the article that explain the page, ready to be shown; `make chapters` makes them."""

import json
from pathlib import Path

CHAPTERS = {  # a part of the page, and the heading of README.md that explains it
    "network": "From filters to a network",
    "outputs": "Layers: what do they pass on?",
    "results": "Results: how well does it do?",
    "importance": "Pixel importance: why did it say so?",
    "filters": "Filters: what do they look for?",
    "own": "Your own images and networks",
}
CHAPTERS_FILE = Path(__file__).with_name("chapters.json")


def article(site=None):
    """The chapters for the page.

    Parameters
    ----------
    site : str, optional
        Address of the folder in which the article is, as `make site` writes it; the links of the chapters lead there.
        Without it, they are words.

    Returns
    -------
    dict
        `site`, and for each part of the page the `heading` of its chapter, its `html`, and its `address` in the site.
    """
    chapters = json.loads(CHAPTERS_FILE.read_text(encoding="utf-8"))
    site = site.rstrip("/") + "/" if site else ""
    if site:
        for chapter in chapters.values():
            chapter["html"] = chapter["html"].replace('<a data-to="', f'<a href="{site}')
    return {"site": site, **chapters}
