"""What is made of lines on their way to a logger."""

import base64
import gzip
import json
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.logs.encoders import parse_encoder
from penstock.logs.encoders import chain, escaped


def encoded(line: bytes, *texts: str, logger: str = "") -> bytes:
    encode = chain([parse_encoder(text) for text in texts], logger)
    assert encode is not None
    return encode(line)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["prefix a: "], b"a: line\n"),
        (["suffix  z"], b"line\n z"),
        (["nl"], b"line\n\n"),
        (["prefix a", "prefix b"], b"baline\n"),
        (["format <${msg}>"], b"<line>"),
        (["format <${msgnl}>"], b"<line\n>"),
        (["format ${msg}${msg}", "nl"], b"lineline\n"),
        (["format $${msg}}"], b"$line}"),
        (["json {${msgnl}}"], b"{line\\n}"),
        (["hex"], b"6c696e650a"),
    ],
)
def test_what_each_makes_of_a_line(texts: list[str], expected: bytes) -> None:
    assert encoded(b"line\n", *texts) == expected


def test_those_that_pack() -> None:
    assert gzip.decompress(encoded(b"line\n", "gzip")) == b"line\n"
    assert zlib.decompress(encoded(b"line\n", "compress")) == b"line\n"
    assert base64.b64decode(encoded(b"line\n" * 50, "base64"), validate=True) == b"line\n" * 50
    two = encoded(b"one", "gzip") + encoded(b"two", "gzip")
    assert gzip.decompress(two) == b"onetwo"


def test_the_time() -> None:
    before = time.time()
    seconds, millis, micros, text = encoded(
        b"", "format ${unix} ${millis} ${micros} ${strftime:%Y-%m-%dT%H:%M:%S}"
    ).split()
    for found, scale in ((seconds, 1), (millis, 1000), (micros, 1_000_000)):
        assert int(before * scale) <= int(found) <= time.time() * scale
    assert abs(time.mktime(time.strptime(text.decode(), "%Y-%m-%dT%H:%M:%S")) - before) < 2
    assert encoded(b"", f"format [${{strftime:{'x' * 64}}}]") == b"[]"
    assert encoded(b"", f"format [${{strftime:{'x' * 63}}}]") == b"[%s]" % (b"x" * 63)


def test_those_for_one_logger_are_for_no_other() -> None:
    texts = ("prefix all ", "prefix:a only ")
    assert encoded(b"x", *texts, logger="a") == b"only all x"
    assert encoded(b"x", *texts, logger="b") == b"all x"
    assert encoded(b"x", *texts) == b"all x"
    assert chain([parse_encoder("nl:a")], "") is None


@given(st.binary(max_size=200))
def test_whatever_a_line_is_the_document_can_be_read(line: bytes) -> None:
    found = json.loads(encoded(line, 'json {"m":"${msgnl}"}'))
    assert found["m"] == line.decode("utf-8", "backslashreplace")


def test_what_is_escaped() -> None:
    assert escaped(b'a"b\\c\td\r\n\x00\xff\xc3\xa9') == b'a\\"b\\\\c\\td\\r\\n\\u0000\\\\xff\xc3\xa9'
