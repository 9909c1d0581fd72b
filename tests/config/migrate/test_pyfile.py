"""A Python configuration file, followed statement by statement."""

import pytest

from penstock.config.migrate.pyfile import FUNCTION, Assigned, read_python


def found(text: str) -> dict[str, Assigned]:
    return read_python(text, "conf.py").found


def values(text: str) -> dict[str, object]:
    return {name: one.known.value if one.known else one.reason for name, one in found(text).items()}


def test_assignments_in_order() -> None:
    text = 'a = 1\nb: int = a + 1\na += 5\nc, d = "x", b\ne = f = "y"\n"""said"""\nassert a\npass\n'
    assert values(text) == {"a": 6, "b": 2, "c": "x", "d": 2, "e": "y", "f": "y"}


def test_imports_are_names_and_no_more() -> None:
    imports = "import os\nimport multiprocessing as mp\nfrom os import getenv as env\n"
    read = found(f"{imports}a = env('A', '1')\nb = mp.cpu_count()\n")
    assert read["a"].known and read["a"].known.spelled == "$(A)"
    assert read["b"].known and read["b"].known.spelled == "%k"
    assert values("from site_settings import workers\n")["workers"] == (
        "it comes from site_settings, which is not read"
    )


def test_a_condition_is_followed_where_it_can_be() -> None:
    assert values("a = 1\nif a:\n    b = 2\nelse:\n    b = 3\n")["b"] == 2
    assert values("if unheard():\n    b = 2\nelse:\n    c = 3\n") == {
        "b": "unheard() would have to be called",
        "c": "unheard() would have to be called",
    }


def test_what_a_variable_decides_depends_on_it() -> None:
    read = found("import os\na = 1\nn = os.getenv('N')\nif n:\n    w = int(n)\nelse:\n    w = 2\n")
    assert read["w"].known and (read["w"].known.value, read["w"].known.env) == (2, ("N",))
    assert read["w"].known.text is None
    assert read["a"].known and read["a"].known.fixed


def test_functions_are_functions() -> None:
    text = "def post_fork(server, worker):\n    workers = 7\nclass C: pass\non_exit = lambda server: None\n"
    assert values(text) == {"post_fork": FUNCTION, "C": FUNCTION, "on_exit": FUNCTION}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nfor x in range(3):\n    a = x\n", "line 2 would have to run"),
        ("a = 1\nwith open('x') as f:\n    a = f.read()\n", "line 2 would have to run"),
        ("a = ['x']\na.append('y')\n", "line 2 changes it by a call"),
        ("a = 1\ndel a\n", "line 2 would have to run"),
    ],
)
def test_what_would_have_to_run_is_not_known(text: str, said: str) -> None:
    assert values(text)["a"] == said


def test_names_that_are_not_written_out_are_said() -> None:
    text = "import os\nfrom base import *\nfor k, v in os.environ.items():\n    locals()[k] = v\n"
    assert read_python(text, "c.py").unfollowed == [
        (2, "takes names from base, which is not read"),
        (3, "sets names that are not written out"),
    ]


def test_a_try_is_taken_to_succeed() -> None:
    assert values("try:\n    a = 1\nexcept ValueError:\n    a = 2\nfinally:\n    b = 3\n") == {"a": 1, "b": 3}


def test_comments_above_an_assignment() -> None:
    read = found("# far\n\n  # one\n# two\na = 1\nb = 2\n")
    assert read["a"].comments == ("# one", "# two")
    assert read["b"].comments == ()


def test_nothing_is_run() -> None:
    text = "import penstock_of_no_such_name\nraise SystemExit\nexit()\na = 1\n"
    assert values(text)["a"] == 1


def test_no_python() -> None:
    with pytest.raises(SyntaxError):
        read_python("bind = = 1", "c.py")
