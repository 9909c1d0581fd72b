"""The configuration language beside a real uWSGI's: the text of ``--show-config``, to the octet.

Over the rules of tests/corpus/language.toml, over files that Hypothesis writes, and over a folder of real
configurations, PENSTOCK_CORPUS, where there is one. What differs is in show-config-differences.toml.
"""

import os
import shutil
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from penstock.config.finding import ERROR
from penstock.config.language.collect import collect
from tests.compat.ini_files import FILES
from tests.compat.pair import MISSING, UWSGI
from tests.compat.showing import BEFORE, Refused, theirs
from tests.config.language.rules import Rule, rules

pytestmark = pytest.mark.compat
DIFFERENCES = Path(__file__).parent / "show-config-differences.toml"
MOST_DIFFERENCES = 15
CORPUS = os.environ.get("PENSTOCK_CORPUS", "")
OPTION = {".ini": "--ini", ".xml": "--xml", ".yaml": "--yaml", ".yml": "--yaml", ".json": "--json"}


@dataclass(frozen=True)
class Difference:
    """A listed one: the cases and the options whose lines differ (both are globs), and why."""

    where: str
    option: str
    reason: str

    def covers(self, key: str) -> bool:
        """Whether lines of ``key`` may differ."""
        return fnmatchcase(key, self.option)


@dataclass(frozen=True)
class Shown:
    """A case on both sides; ``keys`` of the lines that differ, "" where all is the same."""

    case: str
    keys: frozenset[str]
    text: str


def listed() -> list[Difference]:
    return [Difference(**row) for row in tomllib.loads(DIFFERENCES.read_text())["difference"]]


def shown(case: str, folder: Path, words: list[str], environ: dict[str, str]) -> Shown:
    """Both servers' texts compared, in the working directory. Raises Refused."""
    uwsgi = theirs(folder, words, environ)
    penstock = collect([*BEFORE, *words], environ).shown
    if uwsgi == penstock:
        return Shown(case, frozenset(), "")
    ours, others = penstock.splitlines(), uwsgi.splitlines()
    changed = {line for line in (*ours, *others) if ours.count(line) != others.count(line)}
    keys = frozenset(line.partition(" = ")[0] for line in changed) or {"<order>"}
    return Shown(case, frozenset(keys), f"{case}\n--- uwsgi\n{uwsgi}\n+++ penstock\n{penstock}")


def unlisted(found: Shown) -> set[str]:
    """The differing options that no entry covers."""
    covering = [one for one in listed() if fnmatchcase(found.case, one.where)]
    return {key for key in found.keys if not any(one.covers(key) for one in covering)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not UWSGI.exists():
        pytest.skip(MISSING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environment(more: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **more}


def of_rule(rule: Rule, folder: Path) -> Shown:
    rule.put(folder)
    return shown(f"rule: {rule.name}", folder, rule.words, environment(rule.environ))


def matching(rule: Rule) -> bool:
    """Whether a rule is about words that only a uWSGI with regular expressions knows."""
    return any("-match" in word for word in rule.words)


def patterns(folder: Path) -> bool:
    """Whether this uWSGI was built with regular expressions; without, it does not know the words."""
    try:
        theirs(folder, ["--if-hostname-match", "x", "--endif"], environment({}))
    except Refused:
        return False
    return True


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_rule(rule: Rule, folder: Path) -> None:
    """uWSGI shows the same; or it ends where the rule says so."""
    if rule.refused is None or (matching(rule) and patterns(folder)):
        found = of_rule(rule, folder)
        assert not unlisted(found), found.text
        return
    with pytest.raises(Refused) as caught:
        of_rule(rule, folder)
    assert rule.refused == "never" or rule.refused in str(caught.value)


@pytest.mark.timeout(300)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # making a failing file smaller takes minutes of uWSGI's time
)
@given(files=FILES)
def test_files_that_hypothesis_writes(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, newline="")
    environ = environment({"SOME": "value", "EMPTY": ""})
    words = ["--ini", "a.ini"]
    try:
        found = shown("written", folder, words, environ)
    except Refused as refused:
        # A % that took a line's end with it can leave a block open, and the next one is nested.
        assert "recursive logic" in str(refused)
        assert any(one.level == ERROR and "nested" in one.message for one in collect(words, environ).findings)
        return
    assert not unlisted(found), f"{files['a.ini']}\n=== b.ini\n{files['b.ini']}\n{found.text}"


@dataclass(frozen=True)
class Corpus:
    """Every configuration of PENSTOCK_CORPUS: those that uWSGI shows, and the names of those it refuses."""

    shown: list[Shown]
    refused: list[str]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    if not Path(CORPUS).is_dir() or not CORPUS:
        pytest.skip("PENSTOCK_CORPUS names no folder of configurations")
    folder = tmp_path_factory.mktemp("corpus") / "files"
    shutil.copytree(CORPUS, folder)
    before = Path.cwd()
    os.chdir(folder)
    found, refused = [], []
    environ = environment({"UWSGI_RELOADS": "1", "HOME": "/root"})
    try:
        for path in sorted(folder.iterdir()):
            try:
                if path.suffix in OPTION:
                    words = [OPTION[path.suffix], path.name]
                    found.append(shown(f"corpus: {path.name}", folder, words, environ))
            except Refused:
                refused.append(path.name)
    finally:
        os.chdir(before)
    return Corpus(found, refused)


def test_the_corpus_is_shown_alike(corpus: Corpus) -> None:
    different = [one for one in corpus.shown if one.keys]
    print(f"{len(corpus.shown)} shown, {len(different)} otherwise; uWSGI refuses {', '.join(corpus.refused)}")
    assert corpus.shown
    assert not [one.text for one in different if unlisted(one)]


def test_the_differences_are_few_and_have_reasons() -> None:
    entries = listed()
    assert len(entries) <= MOST_DIFFERENCES
    assert all(one.where and one.option and len(one.reason) > 20 for one in entries)
    named = {f"rule: {rule.name}" for rule in rules()}
    assert {one.where for one in entries if one.where.startswith("rule: ")} <= named


@pytest.mark.parametrize("entry", [one for one in listed() if one.where.startswith("rule: ")], ids=str)
def test_a_difference_in_a_rule_still_occurs(entry: Difference, folder: Path) -> None:
    (rule,) = [rule for rule in rules() if f"rule: {rule.name}" == entry.where]
    if matching(rule) and not patterns(folder):
        pytest.skip("this uWSGI was built without regular expressions")
    assert any(entry.covers(key) for key in of_rule(rule, folder).keys)


def test_the_differences_in_the_corpus_still_occur(corpus: Corpus) -> None:
    for entry in listed():
        if entry.where.startswith("corpus: "):
            matching = [one for one in corpus.shown if fnmatchcase(one.case, entry.where)]
            assert any(entry.covers(key) for one in matching for key in one.keys), entry
