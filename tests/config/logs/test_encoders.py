"""Encoders as they are written."""

import pytest

from penstock.config.logs.encoders import ABSENT, Encoder, parse_encoder, parsed_encoders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prefix", Encoder("prefix")),
        ("prefix [web] ", Encoder("prefix", "[web] ")),
        ("suffix:main  end", Encoder("suffix", " end", "main")),
        ("nl", Encoder("nl")),
        ("format a ${msg}", Encoder("format", "a ${msg}", "", ("a ", "msg", ""))),
        (
            "json:x {${strftime:%H:%M} $x ${",
            Encoder("json", "{${strftime:%H:%M} $x ${", "x", ("{", "strftime:%H:%M", " $x ${")),
        ),
    ],
)
def test_what_an_encoder_is(text: str, expected: Encoder) -> None:
    assert parse_encoder(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zip", "there is no encoder 'zip': prefix, suffix"),
        ("", "there is no encoder ''"),
        ("format ${message}", r"there is no variable ${message}: msg, msgnl"),
        *((f"{name} x", f"there is no encoder {name}: ") for name in ABSENT),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_encoder(text)
    assert message in str(error.value)


def test_their_order_is_kept() -> None:
    assert [encoder.name for encoder in parsed_encoders(["nl", "gzip", "hex"])] == ["nl", "gzip", "hex"]
