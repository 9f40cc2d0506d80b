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
