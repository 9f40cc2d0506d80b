#!/usr/bin/env python3
"""Feed damaged files to a reader: it must return a valid result, or raise ValueError or OSError, in time.

Atheris (libFuzzer) mutates valid files, keeps those that reach new lines of code, and mutates them further. They are
kept in outputs/fuzz/<reader>/, failures in outputs/fuzz/<reader>-*.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["cnnvis", "models", "PIL"]):
    from PIL import Image

    from fuzz.files import READERS, few_and_small

    Image.init()  # imports Pillow's readers of all formats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "fuzz")
    args = parser.parse_args()
    read, seeds, end = READERS[args.reader]
    few_and_small()
    corpus = args.out / args.reader
    corpus.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (corpus / name).write_bytes(content)
    file = Path(tempfile.mkdtemp()) / f"file{end}"

    def once(content):
        file.write_bytes(content)
        with contextlib.suppress(ValueError, OSError):
            read(file)

    limits = [
        f"-max_total_time={args.seconds}",
        "-timeout=10",
        "-rss_limit_mb=2000",
        "-max_len=8192",
        "-use_value_profile=1",
    ]
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={args.out}{os.sep}{args.reader}-", *limits], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
