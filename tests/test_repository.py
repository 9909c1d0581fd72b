"""What the repository promises of itself: README's commands, the verbs, links that lead somewhere."""

import re
import tomllib
from pathlib import Path

import penstock

TOP = Path(__file__).parents[1]
VERBS = {
    "setup",
    "run",
    "test",
    "check",
    "bench",
    "docs",
    "fuzz",
    "fresh",
    "guards",
    "compat",
    "slow",
    "coverage",
    "bench-path",
    "soak",
    "faults",
    "compiled",
    "compiled-test",
    "wheels",
}
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]
FILES = (
    ".py",
    ".md",
    ".toml",
    ".sh",
    ".yaml",
    ".yml",
    ".conf",
    ".service",
    ".socket",
    "Makefile",
    "Dockerfile",
)


def ours() -> list[Path]:
    """Every text file that is the repository's own."""
    found = []
    for folder in ("src", "tests", "benchmarks", "configs", "docs", "examples", "tools", ".ci"):
        found += [path for path in (TOP / folder).rglob("*") if path.is_file()]
    found += [path for path in TOP.iterdir() if path.is_file() and path.name.endswith(FILES)]
    return [path for path in found if "__pycache__" not in path.parts]


def test_readme_begins_with_one_sentence_and_two_commands() -> None:
    text = (TOP / "README.md").read_text()
    title, sentence, block, *_ = text.split("\n\n")
    assert title == "# penstock"
    assert sentence.count(". ") == 0 and sentence.endswith(".")
    commands = [line.split("#")[0].strip() for line in block.splitlines() if not line.startswith("```")]
    assert commands == ["make run", "make test"]


def test_every_verb_is_there_and_explained() -> None:
    makefile = (TOP / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert targets >= VERBS
    explained = (TOP / "CONTRIBUTING.md").read_text()
    assert [verb for verb in sorted(VERBS) if f"`make {verb}`" not in explained] == []


def test_ci_calls_what_readme_names() -> None:
    called = re.findall(r"^make (\w+)", (TOP / ".ci" / "run").read_text(), re.MULTILINE)
    assert called == ["test"]


def test_links_lead_somewhere() -> None:
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http://", "https://")) and not (page.parent / target).exists():
                dead.append(f"{page.name}: {target}")
    assert dead == []


def test_every_page_is_reached_from_readme_or_the_index() -> None:
    text = (TOP / "README.md").read_text() + (TOP / "docs" / "index.md").read_text()
    lost = [page.name for page in (TOP / "docs").glob("*.md") if page.name not in text]
    assert [name for name in lost if name != "index.md"] == []


def test_the_changelog_keeps_its_form() -> None:
    text = (TOP / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text
    sections = set(re.findall(r"^### (\w+)", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_package_is_typed_and_has_one_version() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11" and project["dynamic"] == ["version"]
    assert (TOP / "src" / "penstock" / "py.typed").exists()
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", penstock.__version__)


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    # In pieces, so that this file does not find itself.
    words = re.compile(
        "|".join(("/wo" + "rk/", "/opt/py" + "pi", r"\.pye" + "nv", "/ro" + "ot/", "/tmp/" + "v3"))
    )
    found = []
    for path in ours():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.name}: {line.strip()}" for line in text.splitlines() if words.search(line)]
    assert found == []
