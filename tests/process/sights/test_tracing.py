"""Traces, wired: what a kitchen and a scribe become where they are asked for, and where they are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.logs.setup import Diary
from penstock.process import build
from penstock.process.sights.scribe import Scribe
from penstock.process.sights.tracing import traced
from penstock.serve.answer import Kitchen
from penstock.serve.record import Noting
from penstock.services.otel import GIVEN, PARENT, WANTED
from tests.process.running import hello
from tests.sinks import file_sink


def kitchen(tmp: Path, **options: Any) -> tuple[Any, Kitchen, Scribe]:
    """Settings, a kitchen whose log asks for one variable, and a scribe."""
    settings = from_keywords({"bind": "127.0.0.1:0", **options}, application=True)
    diary = Diary(file_sink(str(tmp / "log")), None)
    made = build.kitchen_of(settings, hello, diary)
    return settings, replace(made, noting=Noting(wanted=("HTTP_REFERER",))), Scribe(diary.error)


@pytest.mark.parametrize("word", ["off", "false", "no"])
def test_no_is_no(tmp_path: Path, word: str) -> None:
    settings, before, scribe = kitchen(tmp_path, otel=word)
    assert traced(settings, before, scribe) is before
    assert before.identify is None and not scribe.consumers


def test_a_request_is_placed_and_then_named(tmp_path: Path) -> None:
    settings, before, scribe = kitchen(tmp_path, otel="http://127.0.0.1:9")
    seen: list[str] = []
    before = replace(before, identify=lambda environ: seen.append(environ[PARENT]))
    after = traced(settings, before, scribe)
    environ: dict[str, Any] = {}
    assert after.identify is not None
    after.identify(environ)
    assert seen == [environ[PARENT]] and environ[GIVEN] == "-"
    assert after.noting.wanted == ("HTTP_REFERER", *WANTED)
    assert len(scribe.consumers) == len(scribe.on_end) == 1


def test_ids_come_with_traces(tmp_path: Path) -> None:
    for word, header in (("off", False), ("http://127.0.0.1:9", True)):
        _, before, _ = kitchen(tmp_path, otel=word)
        assert (before.identify is not None) is header
