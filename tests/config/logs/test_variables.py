"""What is odd about a log-format: the names are those that the log knows, and a name like one is offered."""

from penstock.config.logs.variables import KNOWN, OWN, UWSGI, remarks
from penstock.logs import fields


def said(text: str, **more: object) -> list[str]:
    return [what for _, _, what, doubtful in remarks({"log_format": text, **more}) if doubtful]


def test_the_names_are_those_that_the_log_knows() -> None:
    tables = (fields.TEXTS, fields.SAID, fields.NUMBERS, fields.HOUSE, fields.TIMES, fields.PACKET)
    assert set(UWSGI) == {"cl", *(name for table in tables for name in table)}
    assert set(OWN) == {*fields.OWN, *fields.TRACES}
    assert len(KNOWN) == len(UWSGI) + len(OWN)


def test_a_name_that_nobody_knows_is_told_of_with_one_like_it() -> None:
    assert said("%(addr) %(Status) %(msec)") == [
        "there is no variable %(Status), so it is -, unless a rule logvar:Status=… sets it"
        "; did you mean %(status)?",
        "there is no variable %(msec), so it is -, unless a rule logvar:msec=… sets it"
        "; did you mean %(msecs)?",
    ]
    assert said("%(addr) %(zzzz)")[0].endswith("sets it")


def test_names_that_are_anybodys() -> None:
    assert said("%(var.HTTP_X) %(metric.worker.1.requests)") == []
    assert said("%(shop)", route=("^/a logvar:shop=a",)) == []
    assert len(said("%(shop)", route=("^/a logvar:shops=a",), routed=True)) == 1


def test_a_text_without_variables() -> None:
    assert said("json") == said("common") == said("combined") == []
    assert "json, common, combined are forms by name" in said("JSON")[0]
    assert said("%(addr %(status)") == ["a %( that no ) follows stays as it is written"]
    assert len(said("%(addr")) == 2
