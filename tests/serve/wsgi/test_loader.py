"""Finding the application: modules, files, factories, and what the operator reads when there is none."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import NO_APPLICATION, StartError
from penstock.serve.wsgi.loader import Source, file_in, load, no_application, prepare_path, taken

APP = "def {name}(environ, start_response):\n    return [b'{name} of {where}']\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a module below a folder on the path; modules and path are put back after the test."""
    path, modules, here = list(sys.path), set(sys.modules), Path.cwd()
    os.chdir(tmp_path)
    sys.path.insert(0, str(tmp_path))

    def write_one(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    yield write_one
    os.chdir(here)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def said(application: Any) -> bytes:
    (body,) = application({}, None)
    return bytes(body)


def refused(source: Source) -> StartError:
    """The error of loading it, which must carry the code for a missing application."""
    with pytest.raises(StartError) as caught:
        load(source)
    assert caught.value.exit_code == NO_APPLICATION == 22
    return caught.value


# ---- What is found ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (Source(module="pen_site"), b"application of m"),
        (Source(module="pen_site:app"), b"app of m"),
        (Source(module="pen_site", callable="app"), b"app of m"),
        (Source(module="pen_site:app", callable="application"), b"app of m"),
        (Source(module="pen_site:deep.inner"), b"inner"),
        (Source(module="pen_site:factory()"), b"made"),
        (Source(module="pen_site", callable="factory()"), b"made"),
        (Source(module="pen_site:deep.factory()"), b"made deep"),
        (Source(file="pen_site.py"), b"application of m"),
        (Source(file="pen_site.py", callable="app"), b"app of m"),
        (Source(file="pen_site.py", callable="factory()"), b"made"),
        (Source(module="pen_site:Callable()"), b"instance"),
    ],
)
def test_what_is_named_is_found(write: Write, source: Source, found: bytes) -> None:
    text = APP.format(name="application", where="m") + APP.format(name="app", where="m")
    text += (
        "def factory():\n    return lambda environ, start_response: [b'made']\n"
        "class deep:\n"
        "    inner = staticmethod(lambda environ, start_response: [b'inner'])\n"
        "    factory = staticmethod(lambda: lambda environ, start_response: [b'made deep'])\n"
        "class Callable:\n    def __call__(self, environ, start_response):\n        return [b'instance']\n"
    )
    write("pen_site.py", text)
    assert said(load(source)) == found


def test_without_a_name_application_comes_before_app_and_app_will_do(write: Write) -> None:
    write("pen_app.py", APP.format(name="app", where="m"))
    assert said(load(Source(module="pen_app"))) == b"app of m"


def test_a_module_in_a_package(write: Write) -> None:
    write("pen_pkg/__init__.py", "")
    write("pen_pkg/wsgi.py", APP.format(name="application", where="pkg"))
    assert said(load(Source(module="pen_pkg.wsgi"))) == b"application of pkg"


@pytest.mark.parametrize("name", ["site.py", "conf/django.wsgi", "no-identifier.py", "bare"])
def test_a_file_may_have_any_name(write: Write, name: str) -> None:
    file = write(name, APP.format(name="application", where="f"))
    for path in (name, str(file)):
        assert said(load(Source(file=path))) == b"application of f"


def test_a_file_runs_under_the_name_that_uwsgi_gives_it(write: Write) -> None:
    write(
        "conf/site.py",
        "import sys\nmodule = sys.modules[__name__]\napplication = lambda e, s: [__name__.encode()]",
    )
    assert said(load(Source(file="conf/site.py"))) == b"uwsgi_file_conf_site"
    assert sys.modules["uwsgi_file_conf_site"].__file__ == str(Path("conf/site.py").absolute())


# ---- What is not ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Source(module="pen_missing"), "module pen_missing: there is no module named pen_missing in "),
        (Source(module="pen_pkg.missing"), "there is no module named pen_pkg.missing in "),
        (Source(module="pen_nowhere.wsgi"), "there is no module named pen_nowhere in "),
        (Source(module="pen_needs"), "module pen_needs: No module named 'pen_dependency'"),
        (Source(module="pen_raises"), "module pen_raises: its import raised ZeroDivisionError("),
        (Source(module="pen_exits"), "module pen_exits: its import raised SystemExit(3)"),
        (Source(module="pen_syntax"), "module pen_syntax: its import raised SyntaxError("),
        (Source(module="pen_empty.py"), "this is a file; use --wsgi-file pen_empty.py"),
        (Source(module="conf/site"), "this is a file; use --wsgi-file conf/site"),
        (Source(module="pen_empty"), "pen_empty: there is no application or app in it"),
        (Source(module="pen_empty:web"), "pen_empty: there is no web in it"),
        (Source(module="pen_empty:a.b.c"), "pen_empty: there is no a.b.c in it"),
        (Source(module="pen_wrong"), "pen_wrong: application is not callable but str"),
        (Source(module="pen_wrong:none"), "pen_wrong: there is no none in it"),
        (Source(module="pen_wrong:fails()"), "pen_wrong: fails() raised ValueError('no settings')"),
        (Source(module="pen_wrong:gives()"), "pen_wrong: gives is not callable but int"),
        (Source(file="pen_missing.py"), "wsgi-file pen_missing.py: there is no such file"),
        (Source(file="pen_pkg"), "wsgi-file pen_pkg: there is no such file"),
        (Source(file="pen_raises.py"), "wsgi-file pen_raises.py: running it raised ZeroDivisionError("),
        (Source(file="pen_exits.py"), "wsgi-file pen_exits.py: running it raised SystemExit(3)"),
        (Source(file="pen_empty.py"), "pen_empty.py: there is no application or app in it"),
    ],
)
def test_why_there_is_none_is_said(write: Write, source: Source, words: str) -> None:
    write("pen_pkg/__init__.py", "")
    write("pen_needs.py", "import pen_dependency\n")
    write("pen_raises.py", "1 / 0\n")
    write("pen_exits.py", "raise SystemExit(3)\n")
    write("pen_syntax.py", "def (:\n")
    write("pen_empty.py", "")
    write(
        "pen_wrong.py",
        "application = 'text'\nnone = None\ndef gives():\n    return 7\n"
        "def fails():\n    raise ValueError('no settings')\n",
    )
    assert words in str(refused(source))


@pytest.mark.parametrize(
    "source", [Source(module="pen_raises"), Source(file="pen_raises.py"), Source(module="pen_fails:fails()")]
)
def test_the_application_s_own_error_comes_with_its_traceback(write: Write, source: Source) -> None:
    write("pen_raises.py", "def deep():\n    return 1 / 0\n\ndeep()\n")
    write("pen_fails.py", "def deep():\n    return 1 / 0\n\ndef fails():\n    deep()\n")
    cause = refused(source).__cause__
    assert isinstance(cause, ZeroDivisionError)
    frames = []
    step = cause.__traceback__
    while step is not None:
        frames.append(step.tb_frame.f_code.co_name)
        step = step.tb_next
    assert frames[-1] == "deep", "down to the line that raised"


def test_a_module_that_is_there_but_lacks_its_own_import_is_not_called_missing(write: Write) -> None:
    write("pen_pkg/__init__.py", "")
    write("pen_pkg/wsgi.py", "import pen_pkg.settings\n")
    text = str(refused(Source(module="pen_pkg.wsgi")))
    assert "No module named 'pen_pkg.settings'" in text and "there is no module" not in text


def test_no_application_answers_500_with_its_reason() -> None:
    seen: list[Any] = []
    body = b"".join(no_application({}, lambda *words: seen.append(words)))
    ((status, headers),) = seen
    assert status == "500 Internal Server Error"
    assert ("Content-Length", str(len(body))) in headers
    assert b"no application was loaded" in body


# ---- The path ---------------------------------------------------------------------------------------


def test_the_folder_and_pythonpath_come_before_all_others(write: Write, tmp_path: Path) -> None:
    for name in ("one", "two", "lib-a", "lib-b"):
        (tmp_path / name).mkdir()
    sys.path.remove(str(tmp_path))
    before = list(sys.path)
    for _ in range(2):  # the second time moves nothing twice
        prepare_path(["one", str(tmp_path / "two"), "lib-*", "missing"])
    first = sys.path[: len(sys.path) - len(before)]
    names = {"", "one", "two", "lib-a", "lib-b", "missing"}
    assert {os.path.relpath(folder, tmp_path).strip(".") for folder in first} == names
    assert len(first) == 6 and sys.path[6:] == before
    assert first[-1] == str(tmp_path), "the folder itself behind what was named"


def test_a_virtual_environment_s_packages_are_found(write: Write, tmp_path: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    write(f"env/lib/{version}/site-packages/pen_packaged.py", APP.format(name="application", where="env"))
    prepare_path([], str(tmp_path / "env"))
    assert said(load(Source(module="pen_packaged"))) == b"application of env"


def test_a_folder_that_is_gone_takes_no_module_from_anybody(tmp_path: Path) -> None:
    assert list(taken(str(tmp_path / "gone"))) == []


def test_a_folder_s_file_is_named_without_what_says_nothing(write: Write, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    write("shop/app.py", APP.format(name="app", where="shop"))
    assert file_in("./shop/") == "shop/app.py"
    assert sys.path[0] == str(tmp_path / "shop")
