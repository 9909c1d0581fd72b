"""Which start an emperor makes."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.process.emperor import bond
from penstock.process.emperor.alone import alone, supervised, unprivileged
from penstock.process.emperor.reign import title
from penstock.process.serve import unsupervised
from tests.process.test_titles import Titles, installed


def given(**options: Any) -> Settings:
    return from_keywords(options, application="app:application" if options.get("bind") else None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"emperor": ["v"]}, True),
        ({"emperor": ["v"], "master": True}, True),
        ({"emperor": ["v"], "bind": "127.0.0.1:0"}, False),
        ({"emperor": ["v"], "cron": ["-1 -1 -1 -1 -1 true"]}, False),
        ({"emperor": ["v"], "attach_daemon": ["sleep 9"]}, False),
        ({"emperor": ["v"], "touch_exec": ["file true"]}, False),
        ({"emperor": ["v"], "hook_master_start": ["exec:true"]}, False),
        ({"bind": "127.0.0.1:0"}, False),
    ],
)
def test_it_is_all_there_is_or_beside_a_server(options: dict[str, Any], expected: bool) -> None:
    assert alone(given(**options)) is expected


def test_beside_a_server_there_is_a_supervisor() -> None:
    assert supervised(given(emperor=["v"], bind="127.0.0.1:0"))
    assert not supervised(given(bind="127.0.0.1:0"))
    assert not supervised(given(emperor=["v"], master=True))


def test_so_is_there_for_a_vassal(tmp_path: Path) -> None:
    with (tmp_path / "pipe").open("w") as pipe:
        try:
            assert bond.swear(pipe.fileno())
            assert supervised(given(bind="127.0.0.1:0"))
        finally:
            bond.swear(-1)


def test_an_early_emperor_keeps_its_rights() -> None:
    early = given(emperor=["v"], early_emperor=True, uid="nobody", gid="nogroup")
    assert (unprivileged(early).uid, unprivileged(early).gid) == ("", "")
    later = given(emperor=["v"], uid="nobody")
    assert unprivileged(later) is later
    beside = given(emperor=["v"], early_emperor=True, uid="nobody", bind="127.0.0.1:0")
    assert unprivileged(beside) is beside


def test_an_object_that_is_served_has_no_emperor_beside_it() -> None:
    assert unsupervised(given(emperor=["v"], bind="127.0.0.1:0")) == ["--emperor"]


def test_what_it_is_called() -> None:
    titles = Titles()
    with installed(titles):
        for more in ({}, {"procname": "web"}, {"procname": "web", "emperor_procname": "the emperor"}):
            title(given(emperor=["v"], **more), pytest.fail)
    assert titles.titles == ["web", "the emperor"]
