"""The parts of Markdown files that can be checked: headings, links, commands, tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in (".", "bench", "docs", "fuzz", "imgs")
    for path in (ROOT / folder).glob("*.md")
    if not path.name.startswith(".")
)
ARTICLE = ROOT / "README.md"
REFERENCE = [ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]


def name(path):
    return path.relative_to(ROOT).as_posix()


def read(path):
    return path.read_text(encoding="utf-8")


def code(text, language):
    """The blocks of code in a language: list of str."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def prose(text):
    """The text without its blocks of code."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def commands(text):
    """The commands that a reader is to type, without comments: list of str."""
    lines = (line.split("#")[0].strip() for block in code(text, "sh") for line in block.splitlines())
    return [line for line in lines if line]


def links(text):
    """The targets of links and images that aren't on the web: sorted list of (file, anchor), each may be empty."""
    text = re.sub(r"`[^`]*`", "", prose(text))
    targets = re.findall(r"\]\((?!https?://)([^)\s]+)\)", text) + re.findall(r'src="(.*?)"', text)
    return sorted({(file, anchor) for file, _, anchor in (target.partition("#") for target in targets)})


def headings(text):
    return re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)


def section(text, heading):
    """What stands below a heading, up to the next one of its level or above."""
    level, rest = re.search(rf"^(#+) {re.escape(heading)}\n(.*)", text, re.MULTILINE | re.DOTALL).groups()
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text):
    """The rows of all tables in a text, but their heads: list of lists of str."""
    lines = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("\\|", "|") for cell in line] for line in lines]
    rules = [number for number, row in enumerate(cells) if all(re.fullmatch(":?-+:?", cell) for cell in row)]
    heads = {number - 1 for number in rules}
    return [row for number, row in enumerate(cells) if number not in heads.union(rules)]


def slugs(headings):
    """Anchors as GitHub makes them: small letters, no punctuation, hyphens for blanks; the second one has a number."""
    seen = {}
    for heading in headings:
        plain = re.sub(r"[`*]|\]\(.*?\)|\[", "", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
