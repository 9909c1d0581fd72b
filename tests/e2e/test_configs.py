"""Whole configurations as people write them, with their users, paths and background: they serve.

Django's documented uWSGI command line and file with the program's name changed, for a project that
``startproject`` made; and every sample of ``configs/``. In a sandbox that needs root.
"""

import subprocess
import sys
from pathlib import Path

import django
import pytest

from tests.compat.corpus import sandbox, words
from tests.compat.corpus.plan import Ask, Maker, Plan
from tests.compat.corpus.reading import Reader
from tests.test_samples import CONFIGS, SAMPLES, variables

pytestmark = pytest.mark.timeout(120)
PROJECT = "/path/to/your/project"
VIEW = """
import os
from django.http import HttpResponse
from django.urls import path

def home(request):
    return HttpResponse(f"{os.getuid()}:{os.getgid()} in {os.getcwd()}, {len(os.getgroups())} groups")

urlpatterns = [path("", home)]
"""
FIRST = """
[uwsgi]
chdir=/path/to/your/project
module=mysite.wsgi:application
master=True
pidfile=/tmp/project-master.pid
vacuum=True
max-requests=5000
daemonize=/var/log/uwsgi/yourproject.log
"""
LIMITS = ["--processes=5", "--harakiri=20", "--max-requests=5000"]
RIGHTS = ["--socket=127.0.0.1:49152", "--uid=1000", "--gid=2000"]
COMMAND = [
    *(f"--chdir={PROJECT}", "--module=mysite.wsgi:application"),
    *("--env", "DJANGO_SETTINGS_MODULE=mysite.settings"),
    *("--master", "--pidfile=/tmp/project-master.pid", *RIGHTS, *LIMITS, "--vacuum"),
    *("--home=/path/to/virtual/env", "--daemonize=/var/log/uwsgi/yourproject.log"),
]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``django-admin startproject mysite`` makes, with one view."""
    if reason := sandbox.obstacle():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("django")
    subprocess.run(
        [sys.executable, "-m", "django", "startproject", "mysite", str(folder)], check=True, timeout=60
    )
    (folder / "mysite" / "urls.py").write_text(VIEW)
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    return {f"{PROJECT}/{name}": text for name, text in found.items()}


def tried(plan: Plan, world: dict[str, str], asks: list[Ask]) -> sandbox.Outcome:
    """The plan's words with the files of ``world``, which answer by themselves."""
    reader = Reader(dict(world), plan.environ, plan.cwd)
    made = Maker(plan, words.read(reader, plan.words)).make()
    assert made.given == []
    made.files = {**made.files, **world}
    made.asks = asks
    return sandbox.run(made)


@pytest.mark.parametrize(
    ("started", "environments"),
    [
        pytest.param(COMMAND, ["/path/to/virtual/env"], marks=pytest.mark.slow),
        (["--ini", "uwsgi.ini", *RIGHTS], []),
    ],
    ids=["command-line", "ini"],
)
def test_the_documented_start_of_django_serves(
    project: dict[str, str], started: list[str], environments: list[str]
) -> None:
    """The file names no socket and no user: those are given beside it, as with uWSGI."""
    packages = Path(django.__file__).parents[1]
    world = {**project, "/site/uwsgi.ini": FIRST}
    for environment in environments:  # Django is the application's own: our environment's would not be found
        world[f"{environment}/lib/python{VERSION}/site-packages/django.pth"] = f"{packages}\n"
    body = f"1000:2000 in {PROJECT}, 1 groups"
    outcome = tried(Plan("django", "/site", [*started], {}), world, [Ask("/", body)])
    assert outcome.started, f"{outcome.why}\n{outcome.log}"


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[] if kind == "ini" else [pytest.mark.slow]) for kind in SAMPLES],
)  # that all of them mean the same is tried in ``tests/test_samples``
def test_a_sample_serves(kind: str) -> None:
    if reason := sandbox.obstacle():
        pytest.skip(reason)
    path = f"/etc/penstock/penstock.{kind}"
    world = {} if kind == "env" else {path: (CONFIGS / f"penstock.{kind}").read_text()}
    environ = variables() if kind == "env" else {}
    started = [f"--{kind}", path] if world else []
    plan = Plan("shop", "/site", started, environ)
    ini = Reader({"/site/penstock.ini": (CONFIGS / "penstock.ini").read_text()}, {}, "/site")
    ini.file("penstock.ini")
    made = Maker(plan, ini.all()).make()
    made.files |= world
    assert made.given == []
    outcome = sandbox.run(made)
    assert outcome.started, f"{outcome.why}\n{outcome.log}"
