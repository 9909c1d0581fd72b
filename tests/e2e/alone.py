"""The Django site as ``configs/django-alone.ini`` serves it, with nothing in front or behind nginx."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.nginx import TOP
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment

USER = ("admin", "secret")
HTPASSWD = "admin:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"  # htpasswd -s


@contextmanager
def alone(tmp: Path, *options: str, listeners: int = 1) -> Iterator[Server]:
    """It runs, with these options for its socket in place of the sample's; its files are in ``tmp``."""
    env = environment(DATA_DIR=str(tmp), SITE_ALONE="1")
    words = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity", "0"]
    settings = {"DJANGO_SETTINGS_MODULE": "tests.sites.django_site.settings"}
    subprocess.run(words, env={**env, **settings}, check=True, timeout=60)
    (tmp / "htpasswd").write_text(HTPASSWD)
    (tmp / "404.html").write_text("<!doctype html><title>Not here</title><h1>Not here</h1>\n")
    text = (TOP / "configs" / "django-alone.ini").read_text()
    for old, new in (
        ("http-socket = :8000\n", ""),
        ("chdir = /srv/shop\n", ""),
        ("shop.wsgi", "tests.sites.django_site.wsgi"),
        ("/srv/shop", str(tmp)),
    ):
        assert old in text, old
        text = text.replace(old, new)
    path = tmp / "site.ini"
    path.write_text(text)
    with serving(tmp, "--ini", str(path), *options, app="", env=env, listeners=listeners) as server:
        yield server
