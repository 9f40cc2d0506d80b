"""Build the site: the article and the reference as HTML, and the pages of networks, which run in the browser.

Any static host can serve the folder, and it opens from the disk: begin with its index.html.
"""

import sys
from pathlib import Path

import explore
from article.site.building import NETWORKS, Site
from cnnvis import console


def options():
    parser = console.parser(__doc__)
    parser.prog = "python -m article.site"
    networks = "networks that get a page, as explore.py --model takes them"
    parser.add_argument("--networks", nargs="*", default=[*NETWORKS], metavar="PATH", help=networks)
    data = "data set of their pages, as explore.py --data takes it (default: what they were trained on)"
    parser.add_argument("--data", metavar="NAME", help=data)
    parser.add_argument("--out", type=Path, default=Path("site"), metavar="DIR", help="where the site goes")
    return parser


def build(args):
    site = Site(networks=[Path(path).stem for path in args.networks])
    console.make_folder(args.out)
    site.write(args.out)
    for path, name in zip(args.networks, site.networks):
        page = ["--model", path, *(["--data", args.data] if args.data else [])]
        page += ["--article", ".", "--out", str(args.out / f"{name}.html")]
        explore.make_page(explore.options().parse_args(page))
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    console.say(f"{size / 1e6:.1f} MB in {console.shown(args.out)}; open its index.html in a browser")


if __name__ == "__main__":
    sys.exit(console.run(options(), build))
