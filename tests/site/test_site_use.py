"""The site in a real browser, from the disk, without a network."""

import pytest

from tests.explore.conftest import HANGS
from tests.explore.test_page import AXE

try:
    from playwright.sync_api import expect
except ImportError:
    expect = None

pytestmark = [pytest.mark.once, pytest.mark.slow]
PAGES = (
    "index.html",
    "from-filters-to-a-network.html",
    "looking-inside-your-cnn.html",
    "docs/options.html",
    "next-steps.html",
)


class Opened:
    """A tab without a network, whose requests and errors are recorded."""

    def __init__(self, browser, site, **options):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.context.set_offline(True)
        self.context.set_default_timeout(HANGS)
        self.page, self.site = self.context.new_page(), site
        self.asked, self.errors = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def go(self, path):
        self.page.goto(f"{self.site.as_uri()}/{path}")
        return self.page

    def close(self):
        self.context.close()
        assert not self.errors
        assert all(url.startswith(("file:", "data:", "blob:")) for url in self.asked), self.asked


@pytest.fixture
def opened(chromium, site):
    tab = Opened(chromium, site)
    yield tab
    tab.close()


def test_every_page_opens_from_the_disk(opened, texts):
    for path in texts:
        page = opened.go(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("[...document.images].filter(i => i.loading !== 'lazy' && !i.naturalWidth).length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_no_accessibility_violation(chromium, site, scheme, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: make page")
    tab, found = Opened(chromium, site, viewport={"width": width, "height": 740}, color_scheme=scheme), {}
    for path in PAGES:
        page = tab.go(path)
        page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for rule in page.evaluate("axe.run({ preload: false }).then(({ violations }) => violations)"):
            found[path, rule["id"]] = [node["html"][:200] for node in rule["nodes"]]
    tab.close()
    assert not found


def test_on_a_phone_no_page_is_wider_than_the_screen(chromium, site, texts):
    tab = Opened(chromium, site, viewport={"width": 360, "height": 740})
    for path in texts:
        assert tab.go(path).evaluate("document.documentElement.scrollWidth") <= 360, path
    tab.close()


def test_the_contents_stay_in_sight_and_name_the_page(opened):
    page = opened.go("looking-inside-your-cnn.html#layers-what-do-they-pass-on")
    expect(page.get_by_role("heading", name="Layers: what do they pass on?")).to_be_in_viewport()
    here = page.get_by_label("Contents").locator("[aria-current=page]")
    expect(here).to_have_text("Looking inside your CNN")
    expect(here).to_be_in_viewport()


def test_an_answer_unfolds_by_keyboard_and_in_print(opened):
    page = opened.go("what-a-machine-sees.html")
    answer = page.locator("details math").first
    expect(answer).not_to_be_visible()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(answer).to_be_visible()
    page = opened.go("what-a-machine-sees.html")
    page.emulate_media(media="print")
    assert page.locator("details p").first.evaluate("p => p.getBoundingClientRect().height") > 0
    expect(page.locator("#site-contents")).not_to_be_visible()


def test_animations_stand_still_if_asked_to(chromium, site):
    for motion, shown in (("no-preference", "sliding.webp"), ("reduce", "sliding_still.webp")):
        tab = Opened(chromium, site, reduced_motion=motion)
        animation = tab.go("the-mathematics-of-a-filter.html").locator("picture img").first
        animation.scroll_into_view_if_needed()
        expect(animation).to_have_js_property("complete", True)
        assert animation.evaluate("image => image.currentSrc").endswith(shown)
        tab.close()


def test_from_the_article_to_the_page_and_back(opened):
    page = opened.go("index.html")
    page.get_by_role("link", name="Look inside small").click()
    page.wait_for_selector(".network")
    page.get_by_role("link", name="The article").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Train a CNN, then look inside it")
    page = opened.go("looking-inside-your-cnn.html")
    page.locator(".way-in a").first.click()
    page.wait_for_selector("[aria-label=Probabilities]")
    page.get_by_role("button", name="Read about this view").click()
    page.get_by_role("link", name="This chapter with its figures").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("location.pathname").startswith(opened.site.as_posix())
