"""Options that the scripts share: their types, their defaults, their help."""

import argparse

import pytest

from cnnvis.console import options, program


@pytest.mark.parametrize("argv", [["--seed", "-1"], ["--seed", "x"], ["--unknown"]])
def test_wrong_options(argv):
    assert program.run(options.parser("A test."), lambda args: None, argv) == 2


def test_help_shows_defaults_and_no_none(capsys):
    assert program.run(options.visualize_parser("A test."), None, ["--help"]) == 0
    out = capsys.readouterr().out
    assert "(default: outputs)" in out
    assert "None" not in out
    assert "False" not in out


def test_a_checked_type_reports_the_reason_of_the_function():
    read = options.checked(int)
    assert read("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match="invalid literal for int"):
        read("three")


@pytest.mark.parametrize(
    ("words", "expected"), [("0 1", (0, 1)), ("-1 1", (-1, 1)), ("-.5 5e-1", (-0.5, 0.5)), ("caffe", "caffe")]
)
def test_a_pixel_range(words, expected):
    args = options.visualize_parser("A test.").parse_args(["--input-range", *words.split()])
    assert args.input_range == expected


@pytest.mark.parametrize("words", ["0", "0 1 2", "1 0", "1 1", "0 nan", "0 inf", "0 a", "tf", "caffe torch", "caffe 1"])
def test_what_is_no_pixel_range(words, capsys):
    assert program.run(options.visualize_parser("A test."), None, ["--input-range", *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--input-range: {words} is not a pixel range: give a smaller and a larger number, or caffe or to" in line
