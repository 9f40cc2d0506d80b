"""Photograph a page of explore.py for the README, on a laptop and on a phone.

Takes Chromium, and Playwright, which is in tests/requirements.txt.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image

from cnnvis import console

VIEW = "#view=Network&image=0&layer=conv2&channel=5"
SCREENS = {
    "explore": {"viewport": {"width": 1280, "height": 1020}},
    "explore_phone": {
        "viewport": {"width": 360, "height": 640},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
HEAD = 306  # pixels of the page above the network, on a phone
COLOURS = 256
MOVES, HANGS = 1000, 300_000  # milliseconds: what moves at the start has come to rest; something is wrong


def options():
    parser = console.parser(__doc__)
    parser.prog = "python -m article.screenshots"
    parser.add_argument("page", type=Path, metavar="PAGE", help="that explore.py wrote of the network basic")
    parser.add_argument("--out", type=Path, default=Path("imgs"), metavar="DIR", help="where they go")
    return parser


def photograph(page):
    """The screenshots of a page: Path -> dict of str to Image. ValueError if there is no browser."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        raise ValueError("screenshots need Chromium: install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"], timeout=HANGS)
        return {name: _photographed(browser, page, **screen) for name, screen in SCREENS.items()}


def _photographed(browser, page, **screen):
    tab = browser.new_page(**screen)
    tab.set_default_timeout(HANGS)
    tab.goto(page.resolve().as_uri() + VIEW)
    tab.wait_for_selector(".inspector .final")
    tab.wait_for_selector("[aria-label=Probabilities][aria-busy=false]")
    tab.evaluate("document.activeElement.blur()")
    tab.evaluate(f"scrollTo({{ top: {HEAD if 'is_mobile' in screen else 0}, behavior: 'instant' }})")
    tab.wait_for_timeout(MOVES)
    with Image.open(io.BytesIO(tab.screenshot(full_page="is_mobile" not in screen))) as image:
        return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def write(args):
    console.make_folder(args.out)
    for name, image in photograph(args.page).items():
        path = args.out / f"{name}.png"
        with console.complete(path) as unfinished:
            image.save(unfinished, format="PNG", optimize=True)
        console.say(path)


if __name__ == "__main__":
    sys.exit(console.run(options(), write))
