"""Which texts the site has, and on which of its pages each heading is."""

import json
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from article.site import markdown

ROOT = Path(__file__).parents[2]
ARTICLE = "README.md"
CONTENTS = "Contents"  # the section of README.md that ends its first page; each one behind it is a page of its own
FOLDERS = ".", "docs", "bench", "fuzz", "imgs"
UNLISTED = "fuzz/README.md", "imgs/README.md"  # which only links lead to
NOTEBOOK = "docs/notebook.ipynb"


@dataclass
class Page:
    """A page of the site, before its links are set."""

    source: str  # from the root on
    path: str  # in the site
    title: str
    tokens: list
    headings: list = field(init=False)

    def __post_init__(self):
        self.headings = markdown.headings(self.tokens)


def pages(parse, root=ROOT):
    """All pages that are made of Markdown, those of the article first: callable of str to tokens, Path -> list of Page.

    ValueError if README.md has no section that is called Contents.
    """
    made = article(parse((root / ARTICLE).read_text(encoding="utf-8")))
    files = sorted(
        (path for folder in FOLDERS for path in (root / folder).glob("*.md")),
        key=lambda path: (path.parent != root / "docs", path.parent == root, path.name != "README.md", path),
    )
    for path in files:
        source = path.relative_to(root).as_posix()
        if source != ARTICLE and not path.name.startswith("."):
            made.append(whole(source, parse(path.read_text(encoding="utf-8"))))
    if (root / NOTEBOOK).exists():
        made.append(whole(NOTEBOOK, parse(as_markdown(json.loads((root / NOTEBOOK).read_text(encoding="utf-8"))))))
    return made


def article(tokens):
    """README.md as a page a chapter."""
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    titles = [markdown.plain(tokens[place + 1]) for place in starts]
    if CONTENTS not in titles:
        raise ValueError(f"{ARTICLE} has no section that is called {CONTENTS}")
    starts = starts[titles.index(CONTENTS) + 1 :]
    made = [Page(ARTICLE, "index.html", title_of(tokens, ARTICLE), tokens[: starts[0] if starts else None])]
    for start, end in zip(starts, [*starts[1:], None]):
        chapter, title = tokens[start:end], markdown.plain(tokens[start + 1])
        for token in chapter:
            if token.type.startswith("heading_"):
                token.tag = f"h{int(token.tag[1]) - 1}"  # the chapter is the page
        made.append(Page(ARTICLE, f"{chapter[0].attrs['id']}.html", title, chapter))
    return made


def whole(source, tokens):
    """A file that is one page."""
    folder, name = posixpath.split(source)
    stem = "index" if name == "README.md" else posixpath.splitext(name)[0]
    return Page(source, posixpath.join(folder, f"{stem}.html"), title_of(tokens, source), tokens)


def title_of(tokens, source):
    """The first heading, or the name of the file."""
    return next((words for _, _, words in markdown.headings(tokens)), source)


def as_markdown(notebook):
    """A notebook with the figures that it drew: dict -> Markdown."""
    parts = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" in data:
                png = "".join(data["image/png"]).replace("\n", "")
                parts.append(f"![What the lines above draw](data:image/png;base64,{png})")
            elif words := "".join(data.get("text/plain", output.get("text", ()))).rstrip():
                parts.append(f"```text\n{words}\n```")
    return "\n\n".join(parts)


def views(root=ROOT):
    """The views that the page has, as its source names them: list of str."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((root / "page" / "src").rglob("*.tsx")))
    found = filter(None, (re.search(r"const VIEWS = \[(.*?)\]", text, re.DOTALL) for text in sources))
    return [name for names in found for name in re.findall(r'"(\w+)"', names[1])]


def repository(root=ROOT):
    """Where the source is on the web, if pyproject.toml says it: str, else empty."""
    found = re.search(r'^Repository = "([^"]+)"', (root / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].rstrip("/") if found else ""
