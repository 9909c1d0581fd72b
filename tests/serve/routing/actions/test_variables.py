"""Actions that write the request's variables."""

import pytest

from penstock.serve.routing.table import RuleErrors
from tests.serve.routing.ground import Ground


@pytest.mark.parametrize(
    ("action", "variable"),
    [
        ("addvar:NEW=$1", "NEW"),
        ("setapp:$1", "UWSGI_APPID"),
        ("sethome:$1", "UWSGI_HOME"),
        ("setfile:$1", "UWSGI_FILE"),
        ("setscriptname:$1", "SCRIPT_NAME"),
        ("setmethod:$1", "REQUEST_METHOD"),
        ("seturi:$1", "REQUEST_URI"),
        ("setremoteaddr:$1", "REMOTE_ADDR"),
        ("setpathinfo:$1", "PATH_INFO"),
        ("setdocroot:$1", "DOCUMENT_ROOT"),
        ("setscheme:$1", "UWSGI_SCHEME"),
        ("setscheme:$1", "wsgi.url_scheme"),
        ("setuser:$1", "REMOTE_USER"),
        ("setuser:$1:secret", "REMOTE_USER"),
    ],
)
def test_each_sets_its_variable(action: str, variable: str) -> None:
    assert Ground(f"route = ^/(.*) {action}").walk("/value").environ[variable] == "value"


@pytest.mark.parametrize("action", ["sethome", "setfile"])
def test_that_no_application_is_loaded_for_it_is_said(action: str) -> None:
    (line,) = Ground(f"route-run = {action}:/x").warnings
    assert line.startswith(f"x.ini:1: route-run = {action}:/x: {action}: loads no application here")


def test_only_the_path_follows_setpathinfo() -> None:
    ground = Ground("route-run = setpathinfo:/new").walk("/old", REQUEST_URI="/old")
    assert (ground.environ["PATH_INFO"], ground.environ["REQUEST_URI"]) == ("/new", "/old")


@pytest.mark.parametrize(("script", "rest"), [("/app", "/x"), ("", "/app/x"), ("/application", "")])
def test_the_length_of_the_script_name_is_cut_off(script: str, rest: str) -> None:
    ground = Ground("route-run = fixpathinfo:").walk("/app/x", SCRIPT_NAME=script)
    assert ground.environ["PATH_INFO"] == rest and ground.environ["SCRIPT_NAME"] == script


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("+:N,3", "5", "8"),
        ("-:N,7", "5", "-2"),
        ("*:N,3", "7", "21"),
        ("/:N,3", "10", "3"),
        ("/:N,3", "-10", "-3"),
        ("/:N,-3", "-10", "3"),
        ("/:N,0", "10", "0"),
        ("+:N", "5", "6"),
        ("-:N", "5", "4"),
        ("+:N,$1", "5", "17"),
        ("+:N,x", "5", "5"),
        ("+:N,", "5", "5"),
        ("+:N,1", "abc", "1"),
        ("+:N,1", " 7x", "8"),
        ("+:N,1", "-5", "-4"),
        ("+:N,1", "9" * 30, "1" + "0" * 18),
    ],
)
def test_arithmetic(action: str, before: str, after: str) -> None:
    assert Ground(f"route = ^/(.*) {action}").walk("/12", N=before).environ["N"] == after


def test_a_variable_that_there_is_not_counts_from_nothing() -> None:
    assert Ground("route-run = +:N,3").walk().environ["N"] == "3"


def test_modifiers_of_a_wsgi_request_mean_nothing() -> None:
    ground = Ground(
        "route-run = setmodifier1:0\nroute-run = setmodifier1:30\nroute-run = setmodifier2:9\n"
        "route-run = addvar:A=1"
    )
    before = dict(ground.fresh({}).environ)
    assert ground.walk().environ == {**before, "A": "1"}


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("addvar:NAME", "addvar: takes NAME=TEXT"),
        ("addvar:=x", "addvar: takes NAME=TEXT"),
        ("addvar:wsgi.input=x", "is set by the server alone$"),
        ("addvar:penstock.x=x", "is set by the server alone$"),
        ("addvar:wsgi.url_scheme=https", "is set by the server alone; setscheme: sets it$"),
        ("logvar:NAME", "logvar: takes NAME=TEXT"),
        ("setmodifier1:9", "asks for another plugin"),
        ("setmodifier2:x", "takes a number"),
        ("+:", r"\+: takes NAME,NUMBER"),
        ("/:,3", "/: takes NAME,NUMBER"),
    ],
)
def test_what_is_refused_at_boot(action: str, what: str) -> None:
    with pytest.raises(RuleErrors, match=what):
        Ground(f"route-run = {action}")
