"""The site says what README.md and the reference say, every link of it leads on, and it asks no other host."""

import json
import posixpath
import re

import numpy as np
import pytest
from PIL import Image, ImageSequence

from article.site import __main__, chapters, documents, markdown
from article.site.building import Site
from article.site.formulas import mathml
from cnnvis import console, explore
from tests.article.markdown import ARTICLE, ROOT, headings, prose, read, slugs

README = read(ARTICLE)
MOST = 30e6  # bytes of the whole site
MOST_OF_A_PAGE = 3e6  # bytes of a page of text with all of its figures


def made(root, readme, **files):
    """The pages of a repository with these files: dict of path to HTML."""
    for name, text in {"README.md": readme, "pyproject.toml": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    Site(root=root).write(root / "site")
    return {path.name: path.read_text(encoding="utf-8") for path in (root / "site").rglob("*.html")}


def frames(path):
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)


def local(page, address):
    """The file of the site that an address on a page means, and the anchor in it."""
    file, _, anchor = address.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), file)) if file else page, anchor


def test_every_chapter_of_the_article_is_a_page(texts):
    parts = README.split("\n## Contents\n")[1]
    titles = re.findall(r"^## (.+)$", prose(parts), re.MULTILINE)
    assert len(titles) > 10
    for slug, title in zip(slugs(titles), titles):
        assert f"{slug}.html" in texts
        assert title in texts[f"{slug}.html"].words
    order = ["index.html"]
    while following := [link["href"] for link in texts[order[-1]].all("a") if link.get("rel") == "next"]:
        (behind,) = following
        assert [link["href"] for link in texts[behind].all("a") if link.get("rel") == "prev"] == [order[-1]]
        order.append(behind)
    assert order[1:] == [f"{slug}.html" for slug in slugs(titles)]


def test_anchors_are_githubs(texts):
    found = [anchor for path, text in texts.items() if "/" not in path for anchor in text.ids()]
    assert set(slugs(headings(README))) <= set(found)


def test_no_link_is_dead(site, texts):
    for page, text in texts.items():
        ids = text.ids()
        assert len(ids) == len(set(ids)), page
        for link in text.all("a"):
            if markdown.is_elsewhere(link["href"]):
                continue
            file, anchor = local(page, link["href"])
            assert (site / file).is_file(), f"{page}: {link['href']}"
            if anchor and file in texts:
                assert anchor in texts[file].ids(), f"{page}: {link['href']}"


def test_nothing_is_asked_of_another_host(site, texts):
    for page, text in texts.items():
        assert not {"script", "iframe", "object", "embed", "video"} & {tag for tag, _ in text.elements}, page
        for tag, attributes in text.elements:
            for name in {"src", "srcset", "href", "data", "poster"} & attributes.keys() - (
                {"href"} if tag == "a" else set()
            ):
                address = attributes[name]
                assert address == "data:," or (site / local(page, address)[0]).is_file(), (page, address)
            assert "style" not in attributes or "url" not in attributes["style"]
    style = (site / "style.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import", style)


def test_pages_are_small_enough_to_be_opened_anywhere(site, texts):
    for page, text in texts.items():
        files = {local(page, image["src"])[0] for image in text.all("img")}
        assert sum((site / file).stat().st_size for file in {page, "style.css", *files}) <= MOST_OF_A_PAGE, page


def test_every_formula_is_set(texts):
    without_code = re.sub(r"`[^`\n]*`", "", prose(README))
    formulas = re.findall(r"\$\$.+?\$\$|\$[^$\n]+?\$", without_code, re.DOTALL)
    assert len(formulas) > 100
    shown = [text for path, text in texts.items() if "/" not in path]
    assert sum(len(text.all("math")) for text in shown) == len(formulas)
    assert not any("$" in text.words for text in shown)


def test_answers_are_folded(texts):
    count = README.count("<details>")
    assert count > 10
    assert sum(len(text.all("details")) for path, text in texts.items() if "/" not in path) == count
    assert not [page for page, text in texts.items() if any("open" in each for each in text.all("details"))]


def test_figures_have_words_and_keep_their_place(site, texts):
    shown = [(page, image) for page, text in texts.items() for image in text.all("img")]
    named = [re.sub(r"\.\w+$", ".webp", file) for file in re.findall(r"!\[.*?\]\((.*?)\)", README)]
    assert {local(page, image["src"])[0] for page, image in shown} >= set(named)
    for page, image in shown:
        assert len(image["alt"]) > 10
        with Image.open(site / local(page, image["src"])[0]) as opened:
            assert (int(image["width"]), int(image["height"])) == opened.size


def test_what_moves_stands_still_for_those_who_ask(site, texts):
    for page, text in texts.items():
        moving = [image["src"] for image in text.all("img") if frames(site / local(page, image["src"])[0]) > 1]
        stills = [source for source in text.all("source") if "prefers-reduced-motion: reduce" in source["media"]]
        assert [still["srcset"] for still in stills] == [each.replace(".webp", "_still.webp") for each in moving]
        for still in stills:
            assert frames(site / local(page, still["srcset"])[0]) == 1
    assert frames(site / "imgs/article/sliding.webp") > 1


@pytest.mark.parametrize("file", ["imgs/results.png", "imgs/article/descent.gif"])
def test_figures_keep_their_pixels_and_their_pace(site, file):
    with Image.open(ROOT / file) as ours, Image.open(site / re.sub(r"\.\w+$", ".webp", file)) as shown:
        moves = getattr(ours, "n_frames", 1) > 1
        assert not moves or shown.info["loop"] == ours.info["loop"]
        for one, other in zip(ImageSequence.Iterator(ours), ImageSequence.Iterator(shown), strict=True):
            np.testing.assert_array_equal(np.asarray(one.convert("RGB")), np.asarray(other.convert("RGB")))
            assert not moves or one.info["duration"] == other.info["duration"]


def test_every_page_has_a_language_a_title_and_one_main_heading(texts):
    for page, text in texts.items():
        assert text.all("html") == [{"lang": "en"}], page
        assert [tag for tag, _ in text.elements].count("h1") == 1, page


@pytest.mark.once
def test_the_page_shows_the_chapters_as_they_are():
    """`make chapters` writes them."""
    assert json.loads(explore.CHAPTERS_FILE.read_text(encoding="utf-8")) == chapters.chapters()


def test_the_links_of_chapters_lead_to_the_site_if_there_is_one(site, texts):
    apart, beside = explore.article(), explore.article("https://here/site")
    assert (apart["site"], beside["site"]) == ("", "https://here/site/")
    for part in explore.CHAPTERS:
        assert not [link for link in re.findall(r'href="([^"]*)"', apart[part]["html"]) if "://" not in link]
        addresses = re.findall(r'href="https://here/site/([^"]*)"', beside[part]["html"])
        for address in [*addresses, beside[part]["address"]]:
            file, anchor = local("index.html", address)
            assert (site / file).is_file(), address
            assert not anchor or anchor in texts[file].ids()


def test_links_into_the_page_lead_to_views_that_it_has(texts):
    there = documents.views()
    assert {"Network", "Outputs", "Results", "Importance", "Filters"} <= set(there)
    linked = [link["href"].partition("#view=")[2] for text in texts.values() for link in text.all("a")]
    assert {"Network", "Outputs", "Results", "Importance", "Filters"} <= set(linked) - {""} <= set(there)


def test_a_formula_that_can_not_be_set_is_named():
    with pytest.raises(ValueError, match=re.escape(r"the formula 2 \nosuch x has a command that isn't known: \nosuch")):
        mathml(r"2 \nosuch x", display=False)


def test_formulas_on_a_line_of_their_own_have_limits_above_and_below():
    assert "<munderover>" in mathml(r"\sum_{i=1}^{3} x_i", display=True)
    assert "<munderover>" not in mathml(r"\sum_{i=1}^{3} x_i", display=False)
    assert "<mn>3,072</mn>" in mathml("3{,}072", display=False)


START = "# Name\n\nwords\n\n## Contents\n\n- [one](#one)\n\n"


def test_links_go_where_the_files_went(tmp_path):
    readme = (
        START
        + "## One\n\n[two](#two) [data](docs/data.md#b) [code](models/net.py) [docs](docs)\n\n## Two\n\n### Three\n"
    )
    files = {
        "docs/README.md": "# Docs\n\n[up](../README.md#three)\n",
        "docs/data.md": "# A\n\n## B\n",
        "models/net.py": "x = 1\n",
    }
    pages = made(tmp_path, readme, **files)
    for href in ("two.html", "docs/data.html#b", "source/models/net.py.html", "docs/index.html"):
        assert f'href="{href}"' in pages["one.html"]
    assert 'href="../two.html#three"' in (tmp_path / "site/docs/index.html").read_text(encoding="utf-8")
    project = '[project.urls]\nRepository = "https://git.example/me/it"\n'
    pages = made(tmp_path, readme, **files, **{"pyproject.toml": project})
    assert 'href="https://git.example/me/it/blob/main/models/net.py"' in pages["one.html"]


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[x](gone.md)", "gone.md, which is no file"),
        ("[x](#gone)", "no such heading"),
        ("[x](docs)", "which is no file"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(tmp_path, link, message):
    (tmp_path / "docs").mkdir()
    with pytest.raises(ValueError, match=re.escape(message)):
        made(tmp_path, START + f"## One\n\n{link}\n")


def test_without_contents_nobody_knows_where_chapters_begin(tmp_path):
    with pytest.raises(ValueError, match="no section that is called Contents"):
        made(tmp_path, "# Name\n\n## One\n")


def test_html_in_the_text_is_placed_as_well(tmp_path):
    (tmp_path / "imgs").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "imgs" / "a.png")
    readme = (
        START + '## One\n\n<p><a href="#two"><b>go</b></a> <img src="imgs/a.png" alt="A black one"></p>\n\n## Two\n'
    )
    page = made(tmp_path, readme)["one.html"]
    assert '<a href="two.html"><b>go</b></a>' in page
    assert '<img src="imgs/a.webp" alt="A black one" width="20" height="10">' in page


def test_a_phone_gets_its_own_picture(tmp_path):
    (tmp_path / "imgs").mkdir()
    for name, size in {"wide": (40, 20), "phone": (10, 30)}.items():
        Image.new("RGB", size).save(tmp_path / "imgs" / f"{name}.png")
    source = '<source media="(max-width: 600px)" srcset="imgs/phone.png">'
    picture = f'<picture>{source}<img src="imgs/wide.png" alt="A"></picture>'
    page = made(tmp_path, START + f"## One\n\n{picture}\n\n`<picture>` is code\n")["one.html"]
    assert (
        '<p class="figure"><a href="imgs/wide.webp"><picture>'
        '<source media="(max-width: 600px)" srcset="imgs/phone.webp" width="10" height="30">'
        '<img src="imgs/wide.webp" alt="A" width="40" height="20"></picture></a></p>'
    ) in page
    assert "<code>&lt;picture&gt;</code> is code" in page


def test_an_image_of_another_host_is_left_to_its_words(tmp_path):
    page = made(tmp_path, START + "## One\n\n![A badge](https://elsewhere.example/badge.svg)\n")["one.html"]
    assert "A badge" in page
    assert "elsewhere" not in page


def test_a_notebook_is_shown_with_what_it_drew():
    text = documents.as_markdown(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# Title\n", "words"]},
                {
                    "cell_type": "code",
                    "source": ["1 + 1"],
                    "outputs": [
                        {"data": {"text/plain": ["2"]}},
                        {"data": {"image/png": "iVBORw0\n", "text/plain": ["<F>"]}},
                    ],
                },
            ]
        }
    )
    assert text.startswith("# Title\nwords\n\n```python\n1 + 1\n```\n\n```text\n2\n```\n\n![")
    assert text.endswith("(data:image/png;base64,iVBORw0)")


@pytest.mark.slow
def test_the_whole_site_is_small_enough(tmp_path):
    """As `make site` builds it without CIFAR-10."""
    arguments = ["--data", "samples", "--out", str(tmp_path / "site")]
    assert console.run(__main__.options(), __main__.build, arguments) == 0
    files = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    assert {"basic.html", "deep.html", "index.html"} <= {path.name for path in files}
    assert sum(path.stat().st_size for path in files) <= MOST
