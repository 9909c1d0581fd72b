"""Completion of the command line, tried in the shells where they are."""

import shutil
import subprocess
from pathlib import Path

import pytest

from penstock.config.completion import CHOICES, SHELLS, SOURCES, VERBS, completion, takes
from penstock.config.registry import by_name, declared


@pytest.mark.parametrize("shell", SHELLS)
def test_every_option_and_verb_is_in_each(shell: str) -> None:
    text = completion(shell)
    dashes = "-l " if shell == "fish" else "--"
    for name in (*by_name(), *SOURCES, "help", "version"):
        assert f"{dashes}{name}" in text
    assert all(verb in text for verb in VERBS)


def test_a_shell_that_is_not_known() -> None:
    with pytest.raises(ValueError, match=r"^bash, zsh, fish are known$"):
        completion("tcsh")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_reads_it(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "completion"
    path.write_text(completion(shell))
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def completed(folder: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    program = folder / "try"
    program.write_text(
        completion("bash")
        + f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        + '_penstock; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", str(program)], cwd=folder, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    return {line for line in done.stdout.split() if line != "try"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["penstock", "--request-"], {"--request-id", "--request-line", "--request-queue"}),
        (["penstock", "--tri"], set()),
        (["penstock", "--event-loop", ""], {"auto", "uvloop", "asyncio"}),
        (["penstock", "--event-loop", "a"], {"auto", "asyncio"}),
        (["penstock", "--threads", ""], set()),
        (["penstock", "--chdir", ""], {"sub"}),
        (["penstock", "--ini", ""], {"sub", "app.ini"}),
        (["penstock", "--logto", "a"], {"app.ini"}),
        (["penstock", "che"], {"check"}),
        (["penstock", "check", "a"], {"app.ini"}),
        (["penstock", "--vacuum", "a"], {"app.ini"}),
    ],
)
def test_what_bash_offers(words: list[str], offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "app.ini").touch()
    assert completed(tmp_path, *words) == offered


def test_what_completes_a_value() -> None:
    found = {name: takes(option) for name, option in by_name().items()}
    assert (found["vacuum"], found["chmod-socket"], found["http-keepalive"]) == ("", "", "")
    assert (found["logto"], found["bind"], found["chdir"], found["threads"]) == (
        "files",
        "files",
        "folders",
        "other",
    )
    assert {name for name, need in found.items() if need == "choices"} >= set(CHOICES)
    assert all(takes(option) == "" for option in declared() if option.kind == "flag")
