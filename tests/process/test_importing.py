"""Several applications: each is loaded in its turn, and one that fails does not take the others."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process import importing
from penstock.process.importing import load_application
from penstock.serve.wsgi.loader import no_application
from tests.e2e.surroundings import environment
from tests.sinks import file_sink

APP = "def application(environ, start):\n    start('200 OK', [])\n    return [b'{name}']\n"


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    before, paths = os.getcwd(), list(sys.path)
    os.chdir(tmp_path)
    for name in ("one", "two"):
        Path(f"{name}.py").write_text(f"print('loading {name}')\n" + APP.format(name=name))
    Path("bad.py").write_text("1 / 0\n")
    opened = Diary(file_sink("log"), None)
    yield opened
    opened.close()
    os.chdir(before)
    sys.path[:] = paths
    for name in ("one", "two", "bad"):
        sys.modules.pop(name, None)


def load(diary: Diary, *mounts: str, **options: Any) -> Any:
    words = {"bind": ":0", "mount": mounts, "manage_script_name": True, **options}
    return load_application(from_keywords(words), diary)


def ask(application: Any, path: str, **environ: str) -> str:
    said: list[str] = []
    found = {"SCRIPT_NAME": "", "PATH_INFO": path, **environ}
    body = b"".join(application(found, lambda status, headers: said.append(status)))
    return body.decode() if said == ["200 OK"] else said[0]


def test_they_are_loaded_in_order_and_once(diary: Diary, capsys: pytest.CaptureFixture[str]) -> None:
    found = load(diary, "/b=two.py", "/a=one.py", "/b=one.py", "/c=one", module="one")
    assert capsys.readouterr().out.split() == ["loading", "one", "loading", "two", "loading", "one"]
    assert [ask(found, path) for path in ("/", "/a", "/b/x", "/c")] == ["one", "one", "two", "one"]
    assert not importing.under_way


@pytest.mark.parametrize("bad", ["bad.py", "bad:application", "one:nothing", "nowhere.py", "./bad.folder"])
def test_one_that_fails_is_answered_500_and_the_others_serve(diary: Diary, bad: str) -> None:
    Path("bad.folder").mkdir()
    found = load(diary, "/a=one.py", f"/bad={bad}", "/b=two:application", need_app=False)
    assert [ask(found, path) for path in ("/", "/a", "/b")] == ["one", "one", "two"]
    assert ask(found, "/bad/x") == "500 Internal Server Error"
    text = Path("log").read_text()
    assert "serving 500 below /bad (need-app would stop here)" in text
    assert ("ZeroDivisionError" in text) == bad.startswith(("bad.py", "bad:"))


def test_a_main_one_that_fails_leaves_those_that_are_mounted(diary: Diary) -> None:
    found = load(diary, "/a=one.py", module="bad", need_app=False)
    assert ask(found, "/a") == "one" and ask(found, "/") == "500 Internal Server Error"
    assert load(diary, module="bad", need_app=False) is no_application


def test_one_that_fails_ends_the_start_where_all_are_needed(diary: Diary) -> None:
    with pytest.raises(StartError, match="ZeroDivisionError") as caught:
        load(diary, "/a=one.py", "/bad=bad.py")
    assert caught.value.exit_code == 22 and not importing.under_way


def test_hosts(diary: Diary) -> None:
    for option in ("vhost", "vhost_host"):
        found = load(diary, "x.example|=two.py", module="one", **{option: True})
        assert ask(found, "/", HTTP_HOST="x.example") == "two" and ask(found, "/", HTTP_HOST="y") == "one"


def test_folders_whose_modules_have_one_name_are_told_of(diary: Diary) -> None:
    for name in ("first", "second"):
        Path(name).mkdir()
        Path(name, "wsgi.py").write_text(f"import shared_name, {name}_own\n" + APP.format(name=name))
        for module in ("shared_name", f"{name}_own"):
            Path(name, f"{module}.py").write_text("")
    found = load(diary, "/first=./first", "/second=./second")
    assert [ask(found, path) for path in ("/first", "/second")] == ["first", "second"]
    (line,) = [line for line in Path("log").read_text().splitlines() if "is loaded already" in line]
    assert "mount /second: shared_name is another one there: " in line and "first/shared_name.py" in line


def test_a_mount_point_that_is_taken_is_said(diary: Diary) -> None:
    found = load(diary, "/a=one.py", "/a=two.py")
    assert ask(found, "/a") == "one"
    assert "mount /a: the first one that is mounted there is the one that counts" in Path("log").read_text()


def test_which_one_fails_is_said(diary: Diary) -> None:
    with pytest.raises(StartError, match=r"^mount /bad: .*ZeroDivisionError") as caught:
        load(diary, "/a=one.py", "/bad=bad.py")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


DJANGO = """
import os
os.environ['DJANGO_SETTINGS_MODULE'] = '{settings}'
from django.conf import settings
settings.DEBUG
def application(environ, start):
    start('200 OK', [])
    return [settings.NAME.encode()]
"""


def test_a_second_django_project_is_not_answered_by_the_first(diary: Diary, tmp_path: Path) -> None:
    for name in ("shop", "blog"):
        Path(f"{name}_settings.py").write_text(f"SECRET_KEY = 'x'\nNAME = '{name}'\n")
        Path(f"{name}_wsgi.py").write_text(DJANGO.format(settings=f"{name}_settings"))
    Path("start.py").write_text(
        "import sys\n"
        "from penstock.config.assemble import from_keywords\n"
        "from penstock.core.errors import StartError\n"
        "from penstock.process.importing import load_all\n"
        "sys.path.insert(0, '.')\n"
        "def broken(point, error):\n"
        "    print(error)\n"
        "    return lambda environ, start: [b'broken']\n"
        "settings = from_keywords({'bind': ':0', 'mount': sys.argv[1:], 'manage_script_name': True})\n"
        "made = load_all(settings, broken, print)\n"
        "for path in ('/shop', '/blog'):\n"
        "    print(b''.join(made({'SCRIPT_NAME': '', 'PATH_INFO': path}, print)).decode())\n"
    )
    lines = started("/shop=shop_wsgi.py", "/blog=blog_wsgi.py")
    assert lines[0].startswith("mount /blog: it wants blog_settings, and Django has shop_settings already")
    assert lines[1:] == ["200 OK []", "shop", "broken"]
    assert started("/shop=shop_wsgi.py", "/blog=shop_wsgi.py") == ["200 OK []", "shop"] * 2


def started(*mounts: str) -> list[str]:
    """What a process of its own says, for Django's settings stay."""
    words = [sys.executable, "start.py", *mounts]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30, env=environment())
    return done.stdout.splitlines()
