"""The site of this repository, with the page of a small network."""

from html.parser import HTMLParser

import pytest

import explore
from article.site.building import Site
from tests.conftest import shared, small_sequential
from tests.explore.conftest import QUICK, chromium

__all__ = ["chromium"]  # a fixture


class Seen(HTMLParser):
    """What a page of the site has: its elements, each with its attributes, and its words outside of code."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("code", "style", "script", "title"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open and tag == self.open[-1]:
            self.open.pop()

    def handle_data(self, words):
        if not self.open:
            self.words += words

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


def build(folder):
    Site(["small"]).write(folder / "site")
    small_sequential().save(folder / "small.keras")
    options = ["--model", str(folder / "small.keras"), "--input-range", "0", "255", *QUICK, "--article", "."]
    assert explore.main([*options, "--out", str(folder / "site" / "small.html")]) == 0


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return shared(tmp_path_factory, "site", build) / "site"


@pytest.fixture(scope="session")
def texts(site):
    """Its pages but for that of the network: dict of path to Seen."""
    paths = [path for path in sorted(site.rglob("*.html")) if path.name != "small.html"]
    return {path.relative_to(site).as_posix(): Seen(path.read_text(encoding="utf-8")) for path in paths}
