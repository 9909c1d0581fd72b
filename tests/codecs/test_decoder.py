"""What all decoders have in common."""

import pytest

from penstock.codecs.decoder import END, Decoder, Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.uwsgi import UwsgiDecoder, encode_request
from penstock.core.request import Request

HEAD = b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
PACKET = encode_request({"REQUEST_METHOD": "GET", "PATH_INFO": "/other"})


@pytest.mark.parametrize(
    ("decoder", "data"),
    [
        (Http1Decoder({"A": "first"}, Limits(body=7)), HEAD),
        (UwsgiDecoder({"A": "first"}, Limits(body=7)), PACKET),
    ],
)
def test_another_one_begins_anew_with_the_same_limits(decoder: Decoder, data: bytes) -> None:
    decoder.receive(data[:9])
    another = decoder.anew({"A": "second"})
    assert type(another) is type(decoder) and another.limits is decoder.limits
    assert another.idle and not another.buffered and not decoder.idle
    request, end = another.receive(data)
    assert isinstance(request, Request) and end is END
    assert (request.vars["A"], request.vars["PATH_INFO"]) == ("second", "/other")
