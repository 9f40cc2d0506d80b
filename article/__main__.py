"""Draw the figures of the README's article: all of them, or those that are named."""

import sys
from pathlib import Path

from cnnvis import console


def options():
    parser = console.parser(__doc__)
    parser.prog = "python -m article"
    parser.add_argument("names", nargs="*", metavar="NAME", help="of figures (default: all)")
    parser.add_argument("--out", type=Path, default=Path("imgs/article"), metavar="DIR", help="where they go")
    return parser


def draw(args):
    from article import catalogue
    from article.canvas import style

    known = [*catalogue.FIGURES, *catalogue.ANIMATIONS]
    unknown = [name for name in args.names if name not in known]
    if unknown:
        raise ValueError(f"no figure is called {unknown[0]!r}; there are {', '.join(known)}")
    console.make_folder(args.out)
    sources = catalogue.Sources()
    for name in args.names or known:
        with style():
            if name in catalogue.FIGURES:
                console.save_figures(args.out, {name: catalogue.FIGURES[name](sources)})
            else:
                save = console.save_film if name == "film" else console.save_animation  # slower
                save(args.out / f"{name}.gif", list(catalogue.ANIMATIONS[name](sources)))


if __name__ == "__main__":
    sys.exit(console.run(options(), draw))
