"""Markdown as GitHub reads it, as HTML: the same anchors, formulas as MathML, code in colours."""

import posixpath
import re
from html import escape
from itertools import takewhile

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight, lexers
from pygments.formatters import HtmlFormatter
from pygments.util import ClassNotFound

from article.site.formulas import mathml

SCROLLS = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'  # a wide table on a narrow screen


def parser():
    """A parser and renderer of GitHub's Markdown: MarkdownIt."""
    made = MarkdownIt("commonmark", {"html": True, "highlight": lambda text, language, _: coloured(text, language)})
    made.enable(["table", "strikethrough"])
    made.use(anchors_plugin, max_level=6)
    made.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
        renderer=lambda tex, options: mathml(tex.strip(), display=options["display_mode"]),
    )
    made.renderer.rules["table_open"] = lambda *_: f"{SCROLLS}<table>"
    made.renderer.rules["table_close"] = lambda *_: "</table></div>"
    return made


def headings(tokens):
    """The level, anchor and words of each heading: list of (int, str, str)."""
    return [
        (int(token.tag[1]), token.attrs["id"], plain(tokens[place + 1]))
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def plain(inline):
    """The words of an inline token, without marks."""
    return "".join(child.content for child in inline.children if child.type in ("text", "code_inline"))


def coloured(text, language):
    """A block of code, or a whole file: HTML."""
    try:
        lexer = lexers.get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = lexers.get_lexer_by_name("text", stripnl=False)
    return f'<pre tabindex="0"><code>{highlight(text, lexer, HtmlFormatter(nowrap=True)).rstrip()}</code></pre>'


def placed(tokens, link, image):
    """Change what the text points to, and what HTML wants otherwise than Markdown.

    Parameters
    ----------
    tokens : list of Token
        They are changed.
    link : callable
        An address in the text -> the attributes of its link: dict of str to str.
    image : callable
        The address of an image, its words, other addresses for some screens, by their media queries -> HTML.

    Returns
    -------
    list of Token
    """
    for place, token in enumerate(tokens):
        if token.children:
            token.children = list(_with_whole_pictures(token.children))
        children = token.children or ()
        is_figure = len(children) == 1 and (children[0].type == "image" or children[0].content.startswith("<picture>"))
        if is_figure and tokens[place - 1].type == "paragraph_open":
            tokens[place - 1].attrSet("class", "figure")
        for each in (token, *children):
            if each.type == "link_open":
                each.attrs = link(each.attrs["href"])
            elif each.type == "image":
                each.type, each.content = "html_inline", image(each.attrs["src"], plain(each), {})
            elif each.type in ("html_inline", "html_block"):
                each.content = _html(each.content, link, image)
            elif each.type in ("th_open", "th_close"):
                words = tokens[place + (1 if each.type == "th_open" else -1)]
                each.tag = "th" if words.content else "td"  # no heading without words
    return tokens


def _with_whole_pictures(children):
    """The same tokens, with a picture's tags as one."""
    children = iter(children)
    for child in children:
        if (child.type, child.content) == ("html_inline", "<picture>"):
            rest = takewhile(lambda each: each.content != "</picture>", children)
            child.content += "".join(each.content for each in rest) + "</picture>"
        yield child


def _html(text, link, image):
    """The same for HTML in the text."""

    def picture(found):
        sources = [read(source) for source in re.findall(r"<source\b([^>]*)>", found[1])]
        others = {source["media"]: source["srcset"] for source in sources}
        shown = read(re.search(r"<img\b([^>]*)>", found[1])[1])
        return image(shown["src"], shown.get("alt", ""), others)

    def made(found):
        attributes = read(found[2])
        if found[1] == "img":
            return image(attributes["src"], attributes.get("alt", ""), {})
        attributes |= link(attributes["href"]) if "href" in attributes else {}
        return f"<{found[1]} {written(attributes)}>"

    if "<picture>" in text:
        return re.sub(r"<picture>(.*?)</picture>", picture, text, flags=re.DOTALL)
    return re.sub(r"<(img|a)\b([^>]*)>", made, text)


def read(attributes):
    """Attributes of an element: HTML -> dict of str to str."""
    return dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))


def written(attributes):
    """Attributes of an element: dict of str to str -> HTML."""
    return " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items())


def is_elsewhere(address):
    """Whether an address is on the web: str -> bool."""
    return re.match(r"(?:[a-z]+:)?//|mailto:", address) is not None


def target(address, source):
    """The file and the anchor that an address in a file means: str, str -> (str, str), the file from the root on."""
    file, _, anchor = address.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), file)) if file else source, anchor
