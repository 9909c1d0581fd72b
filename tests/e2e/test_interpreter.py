"""What the application finds in its interpreter: nothing of ours, and its own environment's packages first.

Real processes, started from every kind of configuration file.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.daemons import command, open_folder, run
from tests.e2e.server import Server
from tests.e2e.surroundings import environment


@pytest.fixture
def home() -> Iterator[Path]:
    with open_folder() as place:
        yield place


FILES = {
    "app.ini": "[uwsgi]\nhttp-socket = 127.0.0.1:0\nmodule = finds\n",
    "app.xml": "<uwsgi><http-socket>127.0.0.1:0</http-socket><module>finds</module></uwsgi>\n",
    "app.yaml": "uwsgi:\n  http-socket: 127.0.0.1:0\n  module: finds\n",
    "app.json": '{"uwsgi": {"http-socket": "127.0.0.1:0", "module": "finds"}}\n',
    "app.toml": '[uwsgi]\nhttp-socket = "127.0.0.1:0"\nmodule = "finds"\n',
}
FINDS = """
import sys
modules = sorted(sys.modules)
import json
try:
    import yaml
    found = [yaml.__file__, sys.prefix]
except ImportError:
    found = []
def application(environ, start_response):
    body = json.dumps([modules, found]).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""


def found_by(home: Path, *words: str) -> tuple[set[str], list[str]]:
    """The modules that were there when the application was imported, and what it then imported."""
    (home / "finds.py").write_text(FINDS)
    output = home / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock", *words], cwd=home, env=environment(),
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    server = Server(process, output)
    try:
        server.wait_until_listening(1)
        with server.client() as client:
            modules, found = json.loads(client.get("/").body)
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait()
    return set(modules), found


@pytest.mark.parametrize("name", turns(FILES, "app.ini"))
def test_nothing_of_ours_is_in_the_interpreter_but_penstock_and_its_loop(home: Path, name: str) -> None:
    """What penstock imports for itself would be found by the application instead of its own version."""
    (home / name).write_text(FILES[name])
    modules, _ = found_by(home, name)
    script = "import sys; print(*sys.modules)"  # some are there in every process: what .pth files import
    bare = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    others = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    others -= {module.partition(".")[0] for module in bare.stdout.split()}
    # The compiled build has one module for all of its own, named by a number.
    assert {name for name in others if not name.endswith("__mypyc")} <= {"penstock", "uvloop", "finds"}
    assert not modules & {"yaml", "defusedxml", "pydantic", "pydantic_core", "pyexpat", "xml", "tomllib"}


@pytest.mark.parametrize("name", ["app.ini", "app.yaml"])
def test_an_application_finds_its_own_environments_packages_first(home: Path, name: str) -> None:
    packages = home / "env" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "yaml.py").write_text("")
    (home / name).write_text(FILES[name])
    _, found = found_by(home, name, "--virtualenv", "env")
    assert found == [str(packages / "yaml.py"), str(home / "env")]


def test_an_environment_of_another_python_ends_the_start(home: Path) -> None:
    (home / "env" / "lib" / "python3.2" / "site-packages").mkdir(parents=True)
    done = run(home, command(sys.executable, "--virtualenv", "env"))
    assert done.returncode == 1
    said = "virtualenv env is for python3.2, but penstock runs on python"
    assert said in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
