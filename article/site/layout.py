"""What is around the text of a page: the head, the table of contents, the way to the chapters before and behind."""

import posixpath
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("style.css")
LANGUAGE = "en"


def whole(page, text, *, name, contents, before=None, behind=None, networks=()):
    """A page of the site.

    Parameters
    ----------
    page : Page
    text : str
        Its HTML.
    name : str
        Of the site.
    contents : list of (str, list of Page)
        The pages in groups.
    before, behind : Page, optional
        The chapters next to it.
    networks : list of str
        Networks that have a page of explore.py in the site.

    Returns
    -------
    str
    """

    def to(path):
        return escape(posixpath.relpath(path, posixpath.dirname(page.path) or "."))

    title = page.title if page.title == name else f"{page.title} – {name}"
    inside = "".join(f'<a href="{to(f"{network}.html")}">Inside {escape(network)}</a>' for network in networks)
    return f"""<!doctype html>
<html lang="{LANGUAGE}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{to("style.css")}">
</head>
<body>
<a class="skip" href="#site-text">Skip to the text</a>
<header class="top">
<a class="brand" href="{to("index.html")}">{escape(name)}</a>
<nav aria-label="Site"><a class="narrow" href="#site-contents">Contents</a>{inside}</nav>
</header>
<div class="columns">
<main id="site-text" tabindex="-1">
{text}
{_next_to(page, before, behind, to)}
</main>
<nav id="site-contents" aria-label="Contents" tabindex="-1">
{"".join(_group(heading, pages, page, to) for heading, pages in contents)}
</nav>
</div>
</body>
</html>
"""


def _group(heading, pages, page, to):
    return f"<h2>{escape(heading)}</h2>\n<ul>{''.join(_entry(each, page, to) for each in pages)}</ul>\n"


def _name(page):
    return "Start" if page.path == "index.html" else page.title


def _entry(each, page, to):
    """A page in the table of contents, with its sections if it is the one that is read."""
    if each.path != page.path:
        return f'<li><a href="{to(each.path)}">{escape(_name(each))}</a></li>\n'
    sections = [(anchor, words) for level, anchor, words in each.headings if level == 2]
    inner = "".join(f'<li><a href="#{anchor}">{escape(words)}</a></li>' for anchor, words in sections)
    return (
        f'<li><a href="{to(each.path)}" aria-current="page">{escape(_name(each))}</a>'
        f"{f'<ul>{inner}</ul>' if inner else ''}</li>\n"
    )


def _next_to(page, before, behind, to):
    links = ""
    if before:
        links += f'<a rel="prev" href="{to(before.path)}"><span>Before</span>{escape(before.title)}</a>'
    if behind:
        links += f'<a rel="next" href="{to(behind.path)}"><span>Next</span>{escape(behind.title)}</a>'
    return f'<nav class="next-to" aria-label="Chapters before and behind">{links}</nav>' if links else ""
