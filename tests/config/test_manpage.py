"""The manual page."""

import re
import shutil
import subprocess

import pytest

from penstock.config.manpage import SIGNALS, STATUSES, VARIABLES, escaped, manpage
from penstock.config.registry import declared
from penstock.config.show import described, groups, spelled


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_option_is_on_the_page_under_its_heading() -> None:
    page = manpage("1.2")
    for option in declared():
        assert f"\n.TP\n\\fB{escaped(spelled(option))}\\fR\n{escaped(described(option))}\n" in page
    assert page.count("\n.SS ") == len(groups(declared()))
    assert page.startswith('.TH PENSTOCK 1 "" "penstock 1.2"\n.SH NAME\n')
    for name, text in (*SIGNALS, *STATUSES, *VARIABLES):
        assert f"\\fB{escaped(name)}\\fR\n{escaped(text)}\n" in page


def test_what_troff_would_take_for_its_own() -> None:
    assert escaped("a-b\\c") == "a\\-b\\ec"
    assert escaped(".TH") == "\\&.TH"
    assert escaped("'x") == "\\&'x"


def test_the_page_as_people_see_it() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", "-P-c", "-P-b", "-P-u", "-rHY=0"],
        input=manpage("1.2"), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    seen = words(re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout))
    for option in declared():
        assert words(spelled(option)) in seen
        assert option.help.split()[0] in seen
    assert "--request-queue N Requests that may wait for a thread" in seen
