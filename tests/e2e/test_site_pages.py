"""The pages about a site: each file in them is served, each request is made, each reply is the one shown.

``python -m tests.e2e.test_site_pages`` writes the replies anew into the pages.
"""

import gzip
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from penstock.cli.ruled import findings
from penstock.config.assemble import assemble
from penstock.config.language.collect import collect
from penstock.serve.routing.actions.names import MODULES, TESTS
from penstock.serve.routing.functions import FUNCTIONS
from tests.e2e.alone import alone
from tests.e2e.pages import BLOCK, Example, Place, examples, filled, ports_of
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import TOP

DOCS = TOP / "docs"
PAGES = ("static-files", "routing", "replies", "several-applications")
DJANGO = DOCS / "django.md"
SETTLED = 1_767_225_600  # the files of the pages were changed last as 2026 began
APP = """
def application(environ, start_response):
    script, path, query = (environ.get(name, "") for name in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"))
    headers = [("Content-Type", "text/plain")]
    if path.startswith("/account"):
        headers += [("X-Powered-By", "shop"), ("X-Customer", "Ada")]
    if path == "/crash":
        raise RuntimeError("it crashed")
    start_response("404 Not Found" if path == "/missing" else "200 OK", headers)
    body = f"@: {environ['REQUEST_METHOD']} {path}" + (f"?{query}" if query else "")
    body += f", below {script}" if script else ""
    body += f", for {environ['REMOTE_USER']}" if "REMOTE_USER" in environ else ""
    body += ", for staff" if "SHOP_STAFF" in environ else ""
    return [f"{body}\\n".encode() * (500 if path == "/long" else 1)]
"""
Printed = dict[tuple[str, str], Future[list[str]]]
FILES = {
    "srv/shop/shop.py": APP.replace("@", "shop"),
    "srv/shop/blog.py": APP.replace("@", "blog"),
    "srv/shop/wiki.py": APP.replace("@", "wiki"),
    "srv/wiki/wsgi.py": APP.replace("@", "wiki"),
    "srv/forum/wsgi.py": "import a_module_that_nobody_has\n",
    "srv/shop/static/site.css": "body { margin: 0 }\n",
    "srv/shop/static/logo.ico": "an icon\n",
    "srv/shop/static/.env": "SECRET=1\n",
    "srv/shop/static/help/index.html": "<h1>Help</h1>\n",
    "srv/shop/public/app.55e7cbb9ba48.css": "body { margin: 0 }\n" * 9,
    "srv/shop/public/img/chair.png": "a picture\n",
    "srv/shop/public/notes.txt": "all about chairs\n",
    "srv/shop/images/pngs/logo/highres.png": "a large picture\n",
    "srv/shop/404.html": "<h1>It is not here</h1>\n",
    "srv/shop/500.html": "<h1>We are sorry</h1>\n",
    "srv/shop/htpasswd": "admin:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
}
SHOWN = [(page, one) for page in PAGES for one in examples(DOCS / f"{page}.md") if one.commands]


def furnished(top: Path) -> Place:
    """The files that the pages speak of."""
    (top / "run").mkdir()
    for name, text in FILES.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (SETTLED, SETTLED))
    css = top / "srv/shop/public/app.55e7cbb9ba48.css"
    twin = css.with_name(f"{css.name}.gz")
    twin.write_bytes(gzip.compress(css.read_bytes(), mtime=0))
    os.utime(twin, (SETTLED, SETTLED))
    return Place(top)


@contextmanager
def served(place: Place, example: Example) -> Iterator[Server]:
    """A server of one file of a page."""
    path, ports = place.put(example), ports_of(example)
    more = ("--http-socket", f"{place.top}/run/{path.stem}-test.sock")  # else one is added that has a port
    listeners = 1 + max(1, len(ports))
    with serving(path.parent, "--ini", path.name, *more, app="", listeners=listeners) as server:
        yield server


def replies(page: str, example: Example, place: Place) -> list[str]:
    """What the commands behind an example print."""
    with ExitStack() as stack:
        for other in examples(DOCS / f"{page}.md"):
            place.put(other)
            if "/run/" in example.text and Path(other.path).parent != Path(example.path).parent:
                stack.enter_context(served(place, other))
        server = stack.enter_context(served(place, example))
        folder = (place.top / example.path.lstrip("/")).parent
        return [place.said(command, server, ports_of(example), folder) for command, _ in example.commands]


def page_of(name: str, example: Example) -> list[str]:
    """The same, on a machine of its own. Its name is short, since paths of sockets may not be long."""
    with tempfile.TemporaryDirectory() as folder:
        return replies(name, example, furnished(Path(folder).resolve()))


def django_replies() -> list[str]:
    """What the commands of Django's page print."""
    (example,) = examples(DJANGO)
    with (
        tempfile.TemporaryDirectory() as folder,
        alone(Path(folder).resolve(), "--http-socket", "127.0.0.1:0") as server,
    ):
        place = Place(Path(folder).resolve())
        return [place.said(one, server, ["8000"], place.top) for one, _ in example.commands]


@contextmanager
def all_replies() -> Iterator[Printed]:
    """What all commands print, by page and path: the servers are up side by side, a few at a time."""
    with ThreadPoolExecutor(3) as pool:
        try:
            django = pool.submit(django_replies)
            found = {(page, one.path): pool.submit(page_of, page, one) for page, one in SHOWN}
            yield {(DJANGO.stem, ""): django, **found}
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("page", "example"), SHOWN, ids=[f"{page}-{one.path}" for page, one in SHOWN])
def test_a_reply_is_what_the_page_shows(page: str, example: Example) -> None:
    assert page_of(page, example) == [output for _, output in example.commands]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_is_asked_something_or_serves_another(page: str) -> None:
    found = examples(DOCS / f"{page}.md")
    assert all(one.commands or "/run/" in one.text for one in found)
    assert len({one.path for one in found}) == len(found) > 1


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_to_be_said_about_a_file(page: str, tmp_path: Path) -> None:
    place = furnished(tmp_path)
    for example in examples(DOCS / f"{page}.md"):
        collected = collect(["--ini", str(place.put(example))], {})
        settings = assemble(collected.options, collected.findings)
        assert [*collected.findings, *findings(settings)] == [] and settings.notices == (), example.path


def test_the_page_about_rules_has_every_action_condition_and_function() -> None:
    text = (DOCS / "routing.md").read_text()
    assert [name for name in (*MODULES, "goto") if f"`{name}:" not in text] == []
    assert [name for name in TESTS if f"`{name}:" not in text and f"`{name}`" not in text] == []
    assert [name for name in FUNCTIONS if f"${{{name}[" not in text] == []


def test_the_page_about_django_has_the_file_that_is_tested() -> None:
    (text,) = [text for kind, text in BLOCK.findall(DJANGO.read_text()) if kind == "ini"]
    assert text == (TOP / "configs" / "django-alone.ini").read_text()


def test_django_s_replies_are_what_the_page_shows() -> None:
    (example,) = examples(DJANGO)
    assert django_replies() == [output for _, output in example.commands]


if __name__ == "__main__":
    with all_replies() as found:
        for name in PAGES:
            path = DOCS / f"{name}.md"
            outputs = {where: future.result() for (page, where), future in found.items() if page == name}
            path.write_text(filled(path.read_text(), outputs))
        (example,) = examples(DJANGO)
        DJANGO.write_text(filled(DJANGO.read_text(), {example.path: found[DJANGO.stem, ""].result()}))
