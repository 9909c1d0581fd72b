"""Python expressions that are read and never run."""

import ast
import os

import pytest

from penstock.config.migrate.known import ABSENT, CannotTell, Known
from penstock.config.migrate.pyvalue import Evaluator

MODULES = {"mp": "multiprocessing", "cpu_count": "multiprocessing.cpu_count", "environ": "os.environ"}
N = os.cpu_count() or 1


def value(text: str, **names: object) -> Known:
    known = {name: Known(value) for name, value in names.items()}
    return Evaluator(known, MODULES).value(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a' 'b'", "ab"),
        ("2 * 3 + 1", 7),
        ("-2", -2),
        ("not ''", True),
        ("[1, 'x']", [1, "x"]),
        ("{'a': 1}['a']", 1),
        ("'a,b'.split(',')[-1]", "b"),
        ("'%s:%d' % ('h', 80)", "h:80"),
        ("'{}:{}'.format('h', 80)", "h:80"),
        ("f'{host}:80'", "h:80"),
        ("max(2, 4)", 4),
        ("1 < 2 <= 2", True),
        ("'x' in ('x', 'y')", True),
        ("5 if host else 6", 5),
        ("'' or 'b'", "b"),
        ("'a' and ''", ""),
        ("os.path.join('/srv', 'x')", "/srv/x"),
        ("'abc'[1:]", "bc"),
    ],
)
def test_what_is_the_same_everywhere(text: str, expected: object) -> None:
    known = value(text, host="h")
    assert known.value == expected
    assert known.fixed


@pytest.mark.parametrize(
    ("text", "spelled", "expected"),
    [
        ("mp.cpu_count()", "%k", N),
        ("cpu_count() * 2 + 1", "%(%k * 2 + 1)", N * 2 + 1),
        ("1 + 2 * mp.cpu_count()", "%(%k * 2 + 1)", N * 2 + 1),
        ("(os.cpu_count() + 1) * 2", "%(%k + 1 * 2)", (N + 1) * 2),  # the language counts from the left
        ("os.cpu_count() // 2", "%(%k / 2)", N // 2),
        ("len(os.sched_getaffinity(0)) - 1", "%(%k - 1)", N - 1),
    ],
)
def test_processors_are_counted_where_it_runs(text: str, spelled: str, expected: int) -> None:
    known = value(text)
    assert (known.text, known.value, known.cpus) == (spelled, expected, True)


@pytest.mark.parametrize(
    ("text", "spelled", "expected"),
    [
        ("os.environ.get('A', '5')", "$(A)", "5"),
        ("int(os.environ.get('A', '5'))", "$(A)", 5),
        ("os.getenv('A')", "$(A)", None),
        ("int(os.getenv('A') or 4)", "$(A)", 4),
        ("environ['A']", "$(A)", ABSENT),
        ("int(environ['A'])", "$(A)", ABSENT),
        ("':' + os.getenv('A', '80')", ":$(A)", ":80"),
        ("f\"0.0.0.0:{environ['A']}\"", "0.0.0.0:$(A)", ABSENT),
        ("int(os.getenv('A', 2)) * 2", "%($(A) * 2)", 4),
        ("[os.getenv('A', ':80')]", "$(A)", [":80"]),
        # Depends on it, in a way that the language has no words for
        ("os.getenv('A', 'x').upper()", None, "X"),
        ("os.getenv('A') == '1'", None, False),
        ("4 if os.getenv('A') else 2", None, 2),
        ("max(2, int(os.getenv('A', 1)))", None, 2),
    ],
)
def test_the_environment_is_asked_where_it_runs(text: str, spelled: str | None, expected: object) -> None:
    known = value(text)
    assert (known.text, known.value, known.env) == (spelled, expected, ("A",))


def test_a_default_may_be_counted_too() -> None:
    known = value("int(os.environ.get('A', mp.cpu_count() * 2))")
    assert (known.text, known.default) == ("$(A)", "%(%k * 2)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open('/etc/passwd').read()", "would have to be called"),
        ("__import__('os').system('false')", "would have to be called"),
        ("unheard", "unheard is not known"),
        ("[x for x in 'ab']", "is not understood"),
        ("1 / 0", "division by zero"),
        ("{}['a']", "'a'"),
        ("'a' * 10_000_000", "too large"),
        ("2 ** 100", "2 ** 100"),
        ("int(os.environ['A'].strip())", "depends on the environment"),
        ("f'{1:>3}'", "is not understood"),
        ("int('7', base=8)", "is not understood"),
    ],
)
def test_what_cannot_be_told_says_why(text: str, said: str) -> None:
    with pytest.raises(CannotTell) as error:
        value(text)
    assert said in str(error.value)
