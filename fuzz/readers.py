#!/usr/bin/env python3
"""Feed damaged files to a reader: it must return a valid result, or raise ValueError or OSError, in time.

Atheris (libFuzzer) mutates valid files, keeps those that reach new lines of code, and mutates them further. They are
kept in outputs/fuzz/<reader>/, failures in outputs/fuzz/<reader>-*. Models are also changed by `mutations`.
"""

import argparse
import contextlib
import os
import random
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
INSTRUMENTED = ["cnnvis", "models", "PIL"]
MODELS = ("keras", "hdf5")

with atheris.instrument_imports(include=INSTRUMENTED):
    from PIL import Image

    from fuzz import files

    Image.init()  # imports Pillow's readers of all formats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader", choices=(*files.READERS, *MODELS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "fuzz")
    args = parser.parse_args()
    files.few_and_small()
    seconds, longest, readers, mutator = 10, 2**13, files.READERS, {}
    if args.reader in MODELS:
        with atheris.instrument_imports(include=INSTRUMENTED):
            from fuzz import models
        seconds, longest, readers, mutator = 60, 2**18, models.READERS, {"custom_mutator": mutate_model}
    read, seeds, end = readers[args.reader]
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
        f"-timeout={seconds}",
        "-rss_limit_mb=2000",
        f"-max_len={longest}",
        "-use_value_profile=1",
    ]
    command = [sys.argv[0], str(corpus), f"-artifact_prefix={args.out}{os.sep}{args.reader}-", *limits]
    atheris.Setup(command, once, **mutator)
    atheris.Fuzz()


def mutate_model(content, longest, seed):
    from fuzz.mutations import mutated

    chance = random.Random(seed)
    if chance.random() < 0.2:
        return atheris.Mutate(content, longest)
    try:
        return mutated(content, chance)[:longest]
    except Exception:  # h5py and zipfile raise all kinds of errors for a damaged file
        return atheris.Mutate(content, longest)


if __name__ == "__main__":
    main()
