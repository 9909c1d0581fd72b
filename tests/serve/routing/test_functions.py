"""The functions of templates, one by one."""

import os
import re
import time
from email.utils import parsedate_to_datetime

import pytest

from penstock.serve.routing.template import carried
from tests.serve.routing.ground import Ground, said


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("c=1", "1"),
        ("b=0; c=1", "1"),
        ("c=1; c=2", "1"),
        ("c=; c=6", "6"),
        ("c = 3; c= 4 ;c=5", " 4"),
        ("C=1", ""),
        ("xc=1", ""),
        ("c", ""),
        ("c=a=b", "a=b"),
        ('c="q"', '"q"'),
        ("\tc=1\t", "1"),
        ("", ""),
    ],
)
def test_a_cookie(header: str, value: str) -> None:
    assert said("${cookie[c]}", HTTP_COOKIE=header) == value


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("k=1", "1"),
        ("a=b&k=%20+", "%20+"),
        ("k=&k=3", "3"),
        ("k", ""),
        ("K=1", ""),
        ("k=a=b", "a=b"),
        ("", ""),
    ],
)
def test_an_item_of_the_query(query: str, value: str) -> None:
    assert said("${qs[k]}", QUERY_STRING=query) == value


def test_encodings_are_of_the_variable() -> None:
    path = carried("/aB/ä")
    ground = Ground(
        "route-run = addvar:SAID=${base64[V]} ${hex[V]} ${upper[V]} ${lower[V]} ${hex[NOPE]}"
    ).walk("/", V=path)
    assert ground.environ["SAID"] == f"L2FCL8Ok 2F61422FC3A4 {carried('/AB/ä')} {carried('/ab/ä')} "


def test_the_clock() -> None:
    before = int(time.time())
    unix, micros, other = said("${time[unix]} ${time[micros]} ${time[x]}").split(" ")
    assert before <= int(unix) <= time.time()
    assert before * 10**6 <= int(micros) <= time.time() * 10**6
    assert other == ""


@pytest.mark.parametrize(("text", "ahead"), [("60", 60), ("0", 0), ("", 0), ("x", 0), ("86400", 86400)])
def test_an_http_date(text: str, ahead: int) -> None:
    before = int(time.time())
    seconds = parsedate_to_datetime(said(f"${{httptime[{text}]}}")).timestamp()
    assert before <= seconds - ahead <= time.time()


def test_a_date_beyond_all_calendars_is_the_last_one() -> None:
    assert said("${httptime[999999999999]}") == "Fri, 31 Dec 9999 23:59:59 GMT"


def test_the_type_of_a_name() -> None:
    kinds = {"/a.png": "image/png"}
    ground = Ground(
        "route-run = addvar:SAID=[${mime[PATH_INFO]}|${mime[NOPE]}]", mime=lambda name: kinds.get(name, "")
    )
    assert ground.walk("/a.png").environ["SAID"] == "[image/png|]"
    assert said("${mime[PATH_INFO]}") == ""  # without any table


def test_what_the_server_knows() -> None:
    ground = Ground(
        "route-run = addvar:SAID=${uwsgi[wid]} ${uwsgi[pid]} ${uwsgi[lq]} ${uwsgi[status]} ${uwsgi[rsize]}"
        " ${uwsgi[x]}",
        number=3,
        backlog=lambda: 7,
    ).walk()
    assert ground.environ["SAID"] == f"3 {os.getpid()} 7 500 0 "


def test_what_the_server_knows_of_a_request() -> None:
    ground = Ground("final-route-run = addvar:SAID=${uwsgi[status]} ${uwsgi[rsize]} ${uwsgi[rtime]}")
    ground.serve(status="418 Tea")
    status, size, micros = ground.environ["SAID"].split(" ")
    assert (status, size) == ("418", "4")
    assert 0 < int(micros) <= time.monotonic() * 1e6  # the exchange's clock begins at 0 here


def test_a_request_has_a_number_that_no_other_has() -> None:
    ground = Ground("route-run = addvar:SAID=${uwsgi[uuid]} ${uwsgi[sor]}")
    one, begun = ground.walk().environ["SAID"].split(" ")
    other = ground.walk().environ["SAID"].split(" ")[0]
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) and one != other
    assert int(begun) <= time.time() * 1e6
