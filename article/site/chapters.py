"""Write cnnvis/explore/chapters.json: the chapters of README.md that explain the page of explore.py, as HTML.

Figures are left to their words. Links within the article wait for the address of a site.
"""

import json
import sys
from html import escape

from article.site import markdown
from article.site.building import Site
from cnnvis import console, explore


def chapters():
    """Each part's chapter: dict of str to dict."""
    site, made = Site(), {}
    for part, heading in explore.CHAPTERS.items():
        page, anchor = found(site.chapters, heading)
        tokens = markdown.placed(below(page.tokens, anchor), lambda to, page=page: link(site.link(to, page)), image)
        made[part] = {
            "heading": heading,
            "address": page.path if anchor == page.headings[0][1] else f"{page.path}#{anchor}",
            "html": site.parser.renderer.render(tokens, site.parser.options, {}).strip(),
        }
    return made


def found(pages, heading):
    """The page with a heading, and its anchor. ValueError if there is none."""
    for page in pages:
        for _, anchor, words in page.headings:
            if words == heading:
                return page, anchor
    raise ValueError(f"README.md has no section that is called {heading!r}, which the page shows")


def below(tokens, anchor):
    """What stands below a heading, up to the next one."""
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    start = next(place for place in starts if tokens[place].attrs["id"] == anchor)
    return tokens[start + 3 : next((place for place in starts if place > start), None)]


def link(attributes):
    """On the page, a link into the article waits, and one elsewhere leaves the page open."""
    if markdown.is_elsewhere(attributes["href"]):
        return attributes | {"target": "_blank", "rel": "noreferrer"}
    return {"data-to": attributes["href"]}


def image(_, words, others):
    return f'<span class="aside">Figure in the article: {escape(words)}.</span>'


def write(args):
    console.save_text(explore.CHAPTERS_FILE, json.dumps(chapters(), ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    parser = console.parser(__doc__)
    parser.prog = "python -m article.site.chapters"
    sys.exit(console.run(parser, write))
