"""The application's virtual environment: its place on the path, what it brings, and when it is refused."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.serve.wsgi.virtualenv import enter
from tests.e2e.surroundings import environment

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
OLD = "python3.2"


def made(root: Path, config: str | None = None, version: str = VERSION) -> Path:
    """An environment's folders; its packages' one."""
    packages = root / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    if config is not None:
        (root / "pyvenv.cfg").write_text(config)
    return packages


def entered(root: Path | str, cwd: Path) -> dict[str, Any]:
    """What a process that enters the environment says of itself, before and after."""
    script = (
        "import json, os, sys\n"
        "from penstock.serve.wsgi.virtualenv import enter\n"
        "before = list(sys.path)\n"
        f"enter({str(root)!r})\n"
        "print(json.dumps({'before': before, 'after': sys.path, 'library': os.path.dirname(os.__file__),\n"
        "    'prefix': sys.prefix, 'exec': sys.exec_prefix, 'base': sys.base_prefix,\n"
        "    'python': sys.executable, 'marks': sys.modules.get('pen_mark') is not None}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_comes_behind_the_standard_library_and_before_what_we_were_installed_with(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    packages = tmp_path / "env" / "lib" / VERSION / "site-packages"
    extra = tmp_path / "checkout"
    extra.mkdir()
    (packages / "editable.pth").write_text(f"{extra}\nimport pen_mark\n")
    (packages / "pen_mark.py").write_text("")
    found = entered("env", tmp_path)  # relative, as a configuration may have it
    before, after = found["before"], found["after"]
    assert [entry for entry in after if entry not in before] == [str(packages), str(extra)]
    assert [entry for entry in after if entry in before] == before
    at = after.index(str(packages))
    library = [entry for entry in before if entry in (found["library"], found["library"] + "/lib-dynload")]
    ours = [entry for entry in before if entry.endswith("-packages")]
    assert library and max(after.index(entry) for entry in library) == at - 1
    assert all(after.index(entry) > at for entry in ours)
    assert found["marks"], "lines of its .pth files are run as Python runs them"
    assert found["prefix"] == found["exec"] == str(tmp_path / "env")
    assert found["base"] == sys.base_prefix and found["python"] == sys.executable, "as uWSGI leaves them"


def test_one_without_a_configuration_file_will_do(tmp_path: Path) -> None:
    packages = made(tmp_path / "env")
    assert str(packages) in entered(tmp_path / "env", tmp_path)["after"]


def test_the_systems_packages_come_behind_it_where_it_asks_for_them(tmp_path: Path) -> None:
    base = tmp_path / "base"
    below = made(base)
    for wanted in ("true", "false"):
        root = tmp_path / wanted
        packages = made(root, f"home = {base}/bin\ninclude-system-site-packages = {wanted}\n")
        after = entered(root, tmp_path)["after"]
        assert (str(below) in after) == (wanted == "true")
        if wanted == "true":
            assert after.index(str(below)) == after.index(str(packages)) + 1


def test_the_one_we_run_in_changes_nothing() -> None:
    before = (list(sys.path), sys.prefix)
    enter(sys.prefix)
    assert (sys.path, sys.prefix) == before


@pytest.mark.parametrize("config", [f"version = {OLD[6:]}.5\n", f"version_info = {OLD[6:]}.5.final.0\n"])
@pytest.mark.parametrize("version", [VERSION, OLD])
def test_one_of_another_python_is_refused_with_both_versions(
    tmp_path: Path, config: str, version: str
) -> None:
    made(tmp_path / "env", "home = /usr/bin\n" + config, version)
    with pytest.raises(StartError) as caught:
        enter(str(tmp_path / "env"))
    assert str(caught.value).startswith(
        f"virtualenv {tmp_path}/env is for {OLD}, but penstock runs on {VERSION}; "
    )
    assert caught.value.exit_code == 1


def test_what_is_no_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^virtualenv no-env: there is no such folder$"):
        enter("no-env")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StartError, match=rf"empty: it has no lib/{VERSION}/site-packages$"):
        enter(str(tmp_path / "empty"))
    (tmp_path / "half" / "lib" / VERSION).mkdir(parents=True)
    with pytest.raises(StartError, match=rf"half: it has no lib/{VERSION}/site-packages$"):
        enter(str(tmp_path / "half"))
    made(tmp_path / "old", None, "python2.7")
    with pytest.raises(StartError, match=rf"old is for python2\.7, but penstock runs on {VERSION}; "):
        enter(str(tmp_path / "old"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("closed", ["env", "env/lib"])
def test_one_that_we_may_not_read_is_named(tmp_path: Path, closed: str) -> None:
    made(tmp_path / "env", "")
    (tmp_path / closed).chmod(0o700)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir(tmp_path)
            os.setuid(54321)
            enter("env")
        except StartError as error:
            status = 0 if str(error).startswith("virtualenv env: ") and "denied" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_description_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").mkdir()
    with pytest.raises(StartError, match="Is a directory"):
        enter(str(tmp_path))
