"""The site: its pages, made and linked."""

import posixpath
from functools import partial
from html import escape
from pathlib import Path

from markdown_it.token import Token

from article.site import layout, markdown
from article.site.documents import ARTICLE, ROOT, UNLISTED, Page, pages, repository, views
from article.site.figures import Figures
from cnnvis import explore

IMAGES = ".png", ".gif", ".jpg", ".svg"
LANGUAGES = {".py": "python", ".sh": "sh", ".json": "json", ".toml": "toml", ".yml": "yaml", ".ts": "typescript"}
SOURCE = "source"  # the folder of the site with the files that are shown as they are
VIEW = "#view="  # what the address of a page ends in to show one of its parts
TRAINING = "Training"  # the view in which a small network learns the digits
SEEN = {  # what a chapter is about, and the view in which it can be seen
    **{heading: part.capitalize() for part, heading in explore.CHAPTERS.items()},
    "Gradient descent": TRAINING,
}
NETWORKS = {  # those that have a page, and what is said of them
    "basic": "The network of the article, live in your browser: four CONV layers",
    "deep": "A deeper one, which is right more often: six CONV layers",
}


class Site:
    """The pages of a site, and what is found where.

    Parameters
    ----------
    networks : sequence of str
        Names of the networks whose pages, NAME.html, lie beside those of the site.
    root : Path
        Of the repository.
    """

    def __init__(self, networks=(), root=ROOT):
        self.networks, self.root = networks, root
        self.parser = markdown.parser()
        self.pages = pages(self.parser.parse, root)
        self.chapters = [page for page in self.pages if page.source == ARTICLE]
        self.first = {page.source: page for page in reversed(self.pages)}
        self.places = {(page.source, anchor): page for page in self.pages for _, anchor, _ in page.headings}
        self.figures = Figures(root)
        self.repository = repository(root)
        self.views = views(root)
        self.sources = set()  # files that are shown as they are

    def write(self, out):
        """Write everything but the pages of the networks into a folder: Path."""
        texts = {page.path: self.whole(page, self.text(page)) for page in self.pages}
        for file in sorted(self.sources):
            language = LANGUAGES.get(Path(file).suffix, "text")
            code = markdown.coloured((self.root / file).read_text(encoding="utf-8"), language)
            page = Page(file, source_page(file), file, [])
            texts[page.path] = self.whole(page, f"<h1>{escape(file)}</h1>\n{code}")
        files = {path: text.encode() for path, text in texts.items()}
        for path, content in {**files, **self.figures.files, "style.css": layout.STYLE.read_bytes()}.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content)

    def whole(self, page, text):
        """A page with what is around its text: HTML."""
        others = [each for each in self.pages if each.source not in (ARTICLE, *UNLISTED)]
        groups = [("The article", self.chapters), ("To look up", others)]
        before = behind = None
        if page in self.chapters:
            place = self.chapters.index(page)
            before, behind = ([None, *self.chapters, None][place + step] for step in (0, 2))
        about = {"name": self.pages[0].title, "contents": groups, "networks": self.networks}
        return layout.whole(page, text, before=before, behind=behind, **about)

    def text(self, page):
        """The text of a page: HTML."""
        tokens = markdown.placed(page.tokens, lambda to: self.link(to, page), partial(self.image, page))
        made = self.parser.renderer.render(self.with_ways_in(tokens, page), self.parser.options, {})
        return made if page.headings else f"<h1>{escape(page.title)}</h1>\n{made}"

    def link(self, address, page):
        """The attributes of a link on a page. ValueError if it leads nowhere."""
        if markdown.is_elsewhere(address):
            return {"href": address}
        file, anchor = markdown.target(address, page.source)
        if (self.root / file / "README.md").exists():
            file = posixpath.normpath(f"{file}/README.md")
        if file in self.first:
            if anchor and (file, anchor) not in self.places:
                raise ValueError(f"{page.source} links to {address}, but {file} has no such heading")
            found = self.places[file, anchor] if anchor else self.first[file]
            is_top = not anchor or anchor == found.headings[0][1]
            return {"href": self.address(found.path, page) + ("" if is_top else f"#{anchor}")}
        if not (self.root / file).is_file():
            raise ValueError(f"{page.source} links to {address}, which is no file")
        if Path(file).suffix in IMAGES:
            return {"href": self.address(self.figures.copied(file), page)}
        if self.repository:
            return {"href": f"{self.repository}/blob/main/{file}"}
        self.sources.add(file)
        return {"href": self.address(source_page(file), page)}

    def image(self, page, address, words, others):
        """An image on a page: HTML. One of another host is left to its words, as the site asks no other host."""
        if any(map(markdown.is_elsewhere, (address, *others.values()))):
            return escape(words)
        file = address if address.startswith("data:") else markdown.target(address, page.source)[0]
        others = {media: markdown.target(other, page.source)[0] for media, other in others.items()}
        return self.figures.html(file, words, page.path, others)

    def address(self, path, page):
        return posixpath.relpath(path, posixpath.dirname(page.path) or ".")

    def with_ways_in(self, tokens, page):
        """The tokens of a page, and links to the pages of the networks where there is something to be seen in them."""
        if not self.networks or page not in self.chapters:
            return tokens
        if page is self.chapters[0]:
            place = next((place for place, token in enumerate(tokens) if token.type == "paragraph_close"), -1) + 1
            return [*tokens[:place], html(self.first_ways()), *tokens[place:]]
        made = []
        for place, token in enumerate(tokens):
            made.append(token)
            view = SEEN.get(markdown.plain(tokens[place - 1])) if token.type == "heading_close" else None
            if view in self.views:
                links = ", ".join(
                    f'<a href="{self.address(f"{name}.html", page)}{VIEW}{view}">{escape(name)}</a>'
                    for name in self.networks
                )
                made.append(html(f'<p class="way-in">Try it in your browser, on these networks: {links}.</p>\n'))
        return made

    def first_ways(self):
        """What a reader can do who has installed nothing: HTML."""
        start = self.chapters[1] if len(self.chapters) > 1 else self.chapters[0]
        ways = [
            (
                start.path,
                "Read the article",
                f"From pixels to training to looking inside. It begins with: {start.title}",
            )
        ]
        ways += [(f"{name}.html", f"Look inside {name}", NETWORKS.get(name, "")) for name in self.networks]
        if TRAINING in self.views:
            learns = "A small network learns handwritten digits before your eyes"
            ways.append((f"{self.networks[0]}.html{VIEW}{TRAINING}", "Watch it learn", learns))
        items = (f'<li><a href="{to}">{escape(title)}</a> <span>{escape(said)}</span></li>' for to, title, said in ways)
        return f'<ul class="ways">{"".join(items)}</ul>\n'


def source_page(file):
    return f"{SOURCE}/{file}.html"


def html(text):
    return Token("html_block", "", 0, content=text)
