"""``penstock routes``: what the rules make of a request; and what ``check`` says of rules."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.rehearsal import request_of
from penstock.cli.routes import apart
from penstock.cli.verbs import run
from penstock.core.errors import ProtocolError
from tests.e2e.surroundings import environment

SITE = """[uwsgi]
module = app
http-socket = :8000
static-map = /s={folder}
route = ^/old(.*) redirect:https://${{HTTP_HOST}}/new$1
route-if = equal:${{REQUEST_METHOD}};POST return:405
route = ^/rw/(.*)$ rewrite:/n/$1?a=1
route = ^/skip goto:end
route = ^/who basicauth:R,joe:secret
route = ^/px/(.*) http:127.0.0.1:9,$1.example
route = ^/tf tofile:filename={folder}/stored
route-label = end
route-run = log:at the end of ${{PATH_INFO}}
response-route-status = 404 addheader:X-Missing: ${{PATH_INFO}}
final-route-run = log:bye
add-header = X-All: 1
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "x.ini").write_text(SITE.format(folder=tmp_path))
    return tmp_path / "x.ini"


def tried(capsys: pytest.CaptureFixture[str], site: Path, *words: str) -> dict[str, Any]:
    status = run(["routes", "--format", "json", *words, str(site)])
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == (1 if data["by"] == "refused" else 0)
    return data


def test_a_redirect(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /old/x HTTP/1.1", "-H", "Host: h.example")
    assert (data["by"], data["status"], data["length"]) == ("rules", "302 Found", 5)
    assert ["Location", "https://h.example/new/x"] in data["headers"]
    assert ["X-All", "1"] in data["headers"]
    first = next(step for step in data["steps"] if step["table"] == "request")
    assert (first["origin"], first["flow"], first["groups"][1:]) == (f"{site}:5", "break", ["/x"])


def test_the_application_is_supposed(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /rw/b?c=2", "--reply", "404")
    assert (data["by"], data["status"]) == ("application", "404 Not Found")
    assert data["environ"]["PATH_INFO"] == "/n/b"
    assert data["environ"]["QUERY_STRING"] == "a=1&c=2"
    assert ["X-Missing", "/n/b"] in data["headers"]
    rewritten = next(step for step in data["steps"] if step["origin"].endswith(":7"))
    assert rewritten["changed"] == [["PATH_INFO", "/n/b"], ["QUERY_STRING", "a=1&c=2"]]
    assert data["notes"] == ["log: at the end of /n/b", "log: bye"]


def test_a_jump_leaves_rules_out(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /skip")
    origins = [step["origin"].rpartition(":")[2] for step in data["steps"] if step["table"] == "request"]
    assert origins == ["5", "6", "7", "8", "13"]


def test_a_file(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /s/a.txt")
    assert (data["by"], data["status"], data["length"]) == ("file", "200 OK", 5)
    assert data["notes"][0] == f"PATH_INFO names the file {site.parent}/a.txt"


@pytest.mark.parametrize(
    ("token", "status"), [("am9lOnNlY3JldA==", "200 OK"), ("eDp5", "401 Authorization Required")]
)
def test_a_password(capsys: pytest.CaptureFixture[str], site: Path, token: str, status: str) -> None:
    data = tried(capsys, site, "--try", "GET /who", "--header", f"Authorization: Basic {token}")
    assert data["status"] == status


def test_what_reaches_further_is_not_done(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /px/up")
    assert data["by"] == "other server"
    assert "http: the request would be passed to 127.0.0.1:9,up.example" in data["notes"]
    data = tried(capsys, site, "--try", "GET /tf")
    assert "tofile: is not done here" in data["notes"]
    assert sorted(path.name for path in site.parent.iterdir()) == ["a.txt", "x.ini"]


def test_variables(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    data = tried(capsys, site, "--try", "GET /", "--var", "REQUEST_METHOD=POST", "--var=X=y")
    assert data["status"] == "405 Method Not Allowed"
    assert data["environ"]["X"] == "y"


@pytest.mark.parametrize("said", ["GET nowhere", "GET /%zz", "FROB /x", "GET /x HTTP/9.9", "", "GET"])
def test_what_no_rule_ever_sees(capsys: pytest.CaptureFixture[str], site: Path, said: str) -> None:
    data = tried(capsys, site, "--try", said)
    assert data["by"] == "refused"
    assert data["status"][0] in "45"
    assert data["notes"]


def test_a_page_for_people(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    assert run(["routes", str(site), "--try", "GET /rw/b HTTP/1.1"]) == 0
    assert capsys.readouterr().out == (
        "GET /rw/b HTTP/1.1\n"
        "request rules:\n"
        f"  {site}:5: route = ^/old(.*) redirect:https://${{HTTP_HOST}}/new$1\n"
        "      no match\n"
        f"  {site}:6: route-if = equal:${{REQUEST_METHOD}};POST return:405\n"
        "      no match\n"
        f"  {site}:7: route = ^/rw/(.*)$ rewrite:/n/$1?a=1\n"
        "      matched $1='b': next\n"
        "      PATH_INFO = '/n/b'\n"
        "      QUERY_STRING = 'a=1'\n"
        f"  {site}:8: route = ^/skip goto:end\n"
        "      no match\n"
        f"  {site}:9: route = ^/who basicauth:R,joe:secret\n"
        "      no match\n"
        f"  {site}:10: route = ^/px/(.*) http:127.0.0.1:9,$1.example\n"
        "      no match\n"
        f"  {site}:11: route = ^/tf tofile:filename={site.parent}/stored\n"
        "      no match\n"
        f"  {site}:13: route-run = log:at the end of ${{PATH_INFO}}\n"
        "      matched: next\n"
        "response rules:\n"
        f"  {site}:14: response-route-status = 404 addheader:X-Missing: ${{PATH_INFO}}\n"
        "      no match\n"
        "final rules:\n"
        f"  {site}:15: final-route-run = log:bye\n"
        "      matched: next\n"
        "note: log: at the end of /n/b\n"
        "note: log: bye\n"
        "answered by the application: 200 OK is supposed; it is asked REQUEST_METHOD='GET' SCRIPT_NAME='' "
        "PATH_INFO='/n/b' QUERY_STRING='a=1'\n"
        "    Content-Length: 0\n"
        "    X-All: 1\n"
    )


def test_the_rules_alone(capsys: pytest.CaptureFixture[str], site: Path) -> None:
    assert run(["routes", str(site)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[0] == f"request    0  {site}:5: route = ^/old(.*) redirect:https://${{HTTP_HOST}}/new$1"
    assert lines[-1].startswith("final      0  ")
    assert run(["routes", "--format", "json", str(site)]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 11
    assert run(["routes", "--", "--http", ":8000", "-w", "app"]) == 0
    assert capsys.readouterr().out == "no rules\n"


WRONG = """[uwsgi]
module = app
http-socket = :8000
route = ^/x file:/nix
route = a\\Kb log:x
route = ^/x nope:
"""
IDLE = """[uwsgi]
module = app
http-socket = :8000
route = ^/a redirect:/x
route = ^/ab log:x
route-run = expires:
route-run = goto:nowhere
"""


def test_check_compiles_the_rules(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_text(WRONG)
    assert run(["check", "--format", "json", str(tmp_path / "x.ini")]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["level"], one["line"]) for one in found] == [("error", 4), ("error", 5), ("error", 6)]
    assert "\\K is PCRE's alone" in found[1]["message"]
    assert run(["routes", str(tmp_path / "x.ini")]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_check_tells_of_rules_that_never_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_text(IDLE)
    assert run(["check", "--format", "json", str(tmp_path / "x.ini")]) == 0
    found = {one["line"]: one["message"] for one in json.loads(capsys.readouterr().out)}
    assert "can never run" in found[5]
    assert "goto: can only jump forward" in found[7]
    assert run(["check", "--strict", str(tmp_path / "x.ini")]) == 1


def test_what_is_wrong_elsewhere_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_text("[uwsgi]\nmodule = app\nlisten = many\n")
    assert run(["routes", str(tmp_path / "x.ini")]) == 1
    assert "a whole number is expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["routes"], "name a configuration file"),
        (["routes", "a", "b"], "one configuration is expected"),
        (["routes", "-H"], "-H needs a value"),
        (["routes", "--try"], "--try needs a value"),
        (["routes", "--reply", "99", "--try", "GET /", "SITE"], "--reply is the status"),
        (["routes", "--frob", "x"], "unknown option --frob"),
    ],
)
def test_words_that_are_not_understood(
    capsys: pytest.CaptureFixture[str], site: Path, words: list[str], said: str
) -> None:
    assert run([str(site) if word == "SITE" else word for word in words]) == 2
    assert said in capsys.readouterr().err


def test_flags_that_are_there_more_than_once() -> None:
    words = ["-H", "a: b", "x.ini", "--var=A=b", "--try", "-H", "--header", "c: d", "--", "-H", "x"]
    rest, given = apart(words)
    assert rest == ["x.ini", "--try", "-H", "--", "-H", "x"]
    assert given == {"header": ["a: b", "c: d"], "variable": ["A=b"]}


def test_a_request_is_what_the_decoder_takes() -> None:
    request = request_of("GET /caf%C3%A9?x", ["X-A: 1", "host: h"], ["HTTPS=on"])
    assert request.vars["PATH_INFO"] == "/caf\xc3\xa9"
    assert (request.vars["HTTP_X_A"], request.vars["HTTP_HOST"], request.vars["HTTPS"]) == ("1", "h", "on")
    with pytest.raises(ProtocolError):
        request_of("GET /x", ["bad header: x"], [])


def test_from_a_shell(site: Path) -> None:
    words = [sys.executable, "-m", "penstock", "routes", "--try", "GET /old/x", str(site)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=30, check=True)
    assert "answered by the rules: 302 Found\n    Location: https://localhost/new/x\n" in done.stdout


def test_a_mount_point_is_split_off_before_files_and_rules(
    capsys: pytest.CaptureFixture[str], site: Path
) -> None:
    mounted = "mount = /shop=app\nmount = x.example/b=app\nmanage-script-name = true\nvhost = true\n"
    site.write_text(site.read_text() + mounted)
    data = tried(capsys, site, "--try", "GET /shop/rw/x")
    assert (data["environ"]["SCRIPT_NAME"], data["environ"]["PATH_INFO"]) == ("/shop", "/n/x")
    data = tried(capsys, site, "--try", "GET /b/old/x", "-H", "Host: x.example")
    assert (data["by"], data["environ"]["SCRIPT_NAME"]) == ("rules", "/b")
    assert tried(capsys, site, "--try", "GET /shop/s/a.txt")["by"] == "file"


def test_rules_are_asked_about_the_path_of_the_file_that_is_meant(
    capsys: pytest.CaptureFixture[str], site: Path
) -> None:
    site.write_text(site.read_text() + "route = ^/s/a break:403\n")
    assert tried(capsys, site, "--try", "GET /s/./a.txt")["status"].startswith("403")
