"""What uWSGI's HTTP router is told: redirects, variables, and other servers."""

import pytest

from penstock.config.finding import CONFLICT, WARNING
from penstock.config.settings import Settings
from penstock.config.site.listeners import (
    Redirect,
    Secured,
    backend,
    passed_on,
    redirect,
    rules,
    secured,
    variable,
)
from tests.cases import each
from tests.config.parse import bare, parse
from tests.config.test_consistency import read


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (":80", Redirect(":80")),
        ("127.0.0.1:8080,8443", Redirect("127.0.0.1:8080", "8443")),
        ("/run/plain.sock, 443", Redirect("/run/plain.sock", "443")),
    ],
)
def test_where_plain_requests_are_redirected(text: str, found: Redirect) -> None:
    assert redirect(text) == found


@pytest.mark.parametrize(
    "text", [":80,", ":80,https", ":80,0", ":80,65536", ":80,-1", ":80,٣", ":80,99999999"]
)
def test_a_port_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^ADDRESS or ADDRESS,PORT is expected"):
        redirect(text)


def test_a_redirect_is_a_listener_of_its_own() -> None:
    settings = parse("--http=:8001", "--http-to-https=:8002,8443")
    assert [(spec.parsed.port, spec.protocol, spec.option) for spec in settings.listeners] == [
        (8001, "http", "http"),
        (8002, "http", "http-to-https"),
    ]
    assert redirect(settings.listeners[1].address).port == "8443"


def test_redirects_alone_want_no_application() -> None:
    settings = bare("--http-to-https=:8002")
    assert (settings.need_app, len(settings.listeners), settings.notices) == (False, 1, ())


SECURED = {
    ":443,a.pem,a.key": Secured(":443", "a.pem", "a.key"),
    "[::1]:443, a.pem , a.key": Secured("[::1]:443", "a.pem", "a.key"),
    "/run/s,a.pem,a.pem,HIGH:!aNULL": Secured("/run/s", "a.pem", "a.pem", "HIGH:!aNULL"),
    ":443,a.pem,a.key,,ca.pem": Secured(":443", "a.pem", "a.key", "", "ca.pem"),
    ":443,a.pem,a.key,HIGH,!ca.pem": Secured(":443", "a.pem", "a.key", "HIGH", "ca.pem", True),
}


@each(SECURED)
def test_where_tls_is_spoken_and_with_what(text: str) -> None:
    assert secured(text) == SECURED[text]


@each(["", ":443", ":443,a.pem", ":443,a.pem,", ":443,,a.key"])
def test_tls_needs_a_certificate_and_a_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"^ADDRESS,CERTIFICATE,KEY is expected"):
        secured(text)


def test_what_speaks_tls_is_a_listener_like_others() -> None:
    settings = parse("--https=:8443,a,b", "--https-socket=127.0.0.1:0,a,b", "--https-socket=127.0.0.1:0,a,b")
    assert [(spec.parsed.port, spec.protocol, spec.option) for spec in settings.listeners] == [
        (8443, "https", "https"),
        (0, "https", "https-socket"),
        (0, "https", "https-socket"),
    ]
    assert Settings.from_data(settings.as_data()) == settings
    assert settings.notices == ()


def test_a_variable_of_requests() -> None:
    assert variable("KIND=public") == ("KIND", "public")
    assert variable("KIND=a=b") == ("KIND", "a=b")
    assert variable("KIND=") == ("KIND", "")
    for text in ("", "KIND", "=public", "wsgi.input=x"):
        with pytest.raises(ValueError, match=r"^NAME=VALUE is expected$"):
            variable(text)


def test_another_server_is_an_address() -> None:
    assert backend("127.0.0.1:3031") == "127.0.0.1:3031"
    assert backend("/run/other.sock") == "/run/other.sock"
    with pytest.raises(ValueError, match="not an address"):
        backend("host:port")


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("/run/app.sock", "/run/app.sock"), ("127.0.0.1:3031", "127.0.0.1:3031"), ("127.0.0.1:3031", ":3031"),
        ("localhost:3031", "0.0.0.0:3031"), ("unix:/run/app.sock", "/run/app.sock"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("option", ["socket", "uwsgi-socket", "http-socket", "bind"])
def test_the_servers_own_sockets_are_served_by_itself(there: str, here: str, option: str) -> None:
    settings = parse("--http=:8001", f"--http-to={there}", f"--{option}={here}")
    assert settings.rules == ()
    assert not any("http-to" in notice for notice in settings.notices)


@pytest.mark.parametrize(
    ("there", "here"), [("127.0.0.1:3031", ":3032"), ("10.1.2.3:3031", ":3031"), ("/run/a", "/run/b")]
)
def test_other_servers(there: str, here: str) -> None:
    values = {"http_to": [there], "socket": [here, "not:an:address"]}
    assert passed_on(values) == (there,)
    assert rules(values) == (), "what comes to the socket is this server's"
    assert rules({**values, "socket": []}) == ((there, f"uwsgi:{there},0,0"),)


def test_requests_to_another_server_need_no_application() -> None:
    settings = bare("--http=:8001", "--http-to=127.0.0.1:3031", "--route=^/a last:")
    assert not settings.need_app
    assert settings.notices == ()
    assert settings.rules == (
        ("route-run", "uwsgi:127.0.0.1:3031,0,0", "command line"),
        ("route", "^/a last:", "command line"),
    )


def test_of_several_servers_there_is_one() -> None:
    settings, findings = read("http = :8001", "http-to = /run/a", "http-to = /run/b")
    assert settings.rules == (("route-run", "uwsgi:/run/a,0,0", "app.ini:2"),)
    (finding,) = findings
    assert (finding.level, finding.kind, finding.value, finding.line) == (WARNING, CONFLICT, "/run/b", 3)
    assert "requests go to /run/a alone" in finding.message


def test_another_server_beside_sockets_is_said() -> None:
    settings, findings = read("http = :8001", "socket = :3031", "http-to = /run/a")
    assert settings.rules == Settings().rules
    (finding,) = findings
    assert (finding.level, finding.option, finding.line) == (WARNING, "http-to", 3)
    assert finding.message.endswith("write route-run")
