"""HTTPS beside other listeners, and clients with certificates of their own."""

import json
import ssl
import threading
import time
from pathlib import Path

import pytest

from penstock.codecs.uwsgi import encode_request
from tests.e2e.secure import HTTPS, Secure, TlsClient, pair, secured, trusting
from tests.e2e.test_uwsgi import variables
from tests.waiting import until


def test_they_are_accepted_while_a_thread_is_at_another_door(tmp_path: Path) -> None:
    with secured(tmp_path, "--uwsgi-socket", "127.0.0.1:0", "--threads", "2", count=2, plain=False) as place:
        message, over, asked = encode_request(variables("/hello")), threading.Event(), 0

        def knock() -> None:
            nonlocal asked
            while not over.is_set():
                with place.beside() as client:
                    client.send(message)
                    assert client.to_end().endswith(b"Hello, World!")
                    asked += 1

        knocker = threading.Thread(target=knock)
        knocker.start()
        try:
            until(lambda: asked > 50)
            for _ in range(30):
                begun = time.monotonic()
                with place.client() as client:
                    assert client.get("/hello").status == 200
                assert time.monotonic() - begun < 2
        finally:
            over.set()
            knocker.join()


def test_plain_requests_are_sent_to_it(tmp_path: Path) -> None:
    with secured(tmp_path, "--http-to-https", "127.0.0.1:0,8443", count=2, plain=False) as place:
        with place.beside() as client:
            reply = client.get("/there?a=b")
        assert (reply.status, reply.headers["location"]) == (301, "https://test:8443/there?a=b")
        with place.client() as secure:
            assert secure.get("/hello").status == 200


def test_on_a_unix_socket_and_more_than_one(tmp_path: Path) -> None:
    more = (f"--https-socket={tmp_path}/s,{pair('renewed')}",)
    with secured(tmp_path, *more, count=2, plain=False) as place:
        with place.client() as client:
            assert client.get("/hello").status == 200 and client.name == "server"
        with TlsClient(str(tmp_path / "s"), trusting("renewed")) as client:
            assert client.get("/hello").status == 200 and client.name == "renewed"


def test_variables_of_the_router_are_its_listeners(tmp_path: Path) -> None:
    more = (f"--https-socket=127.0.0.1:0,{pair()}", "--http-var", "KIND=router")
    with secured(tmp_path, *more, count=2, plain=False) as place:
        for index, there in ((0, True), (1, False)):
            with TlsClient(place.server.address(index)) as client:
                environ = json.loads(client.get("/show").body)
            assert ("KIND" in environ) is there and environ["HTTPS"][1] == "on"


# ---- Clients with certificates ------------------------------------------------------------------------


def names(client: TlsClient) -> dict[str, str]:
    environ = json.loads(client.get("/show").body)
    return {name: value for name, (_, value) in environ.items() if name.startswith("HTTPS")}


def served(place: Secure, context: ssl.SSLContext) -> bool:
    """Whether a client has a reply; by TLS 1.3 it hears of its certificate when it has sent its request."""
    try:
        with place.client(context) as client:
            return client.get("/hello").status == 200
    except (ssl.SSLError, ConnectionError):
        return False


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_without_a_certificate_is_not_served_where_one_is_required(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    authority = Path(__file__).parents[1] / "certificates" / "ca.pem"
    https = f"--https-socket=127.0.0.1:0,{pair()},,!{authority}"
    with secured(tmp_path, "--https-export-cert", https=https) as place:
        with place.client(trusting(certificate="client", newest=version)) as client:
            found = names(client)
            assert found["HTTPS_DN"] == "/C=IT/O=Penstock/CN=client"
            assert found["HTTPS_CC"] == (authority.with_name("client.pem")).read_text()
            assert names(client) == found
        for stranger in ("", "server"):
            assert not served(place, trusting(certificate=stranger, newest=version))
        place.server.wait_for("the TLS handshake failed: peer did not return a certificate")
        place.server.wait_for("the TLS handshake failed: certificate verify failed")


def test_a_client_may_show_one_where_it_is_not(tmp_path: Path) -> None:
    authority = Path(__file__).parents[1] / "certificates" / "ca.pem"
    with secured(tmp_path, https=f"{HTTPS},HIGH,{authority}") as place:
        with place.client(trusting(certificate="client")) as client:
            assert names(client) == {"HTTPS": "on", "HTTPS_DN": "/C=IT/O=Penstock/CN=client"}
        with place.client() as client:
            assert names(client) == {"HTTPS": "on"}


def test_only_the_ciphers_that_are_named(tmp_path: Path) -> None:
    with secured(tmp_path, https=f"{HTTPS},ECDHE-ECDSA-AES128-GCM-SHA256") as place:
        old = trusting(newest=ssl.TLSVersion.TLSv1_2)
        with place.client(old) as client:
            assert "ECDHE-ECDSA-AES128-GCM-SHA256" in (client.tls.cipher() or ())
        old.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with pytest.raises(ssl.SSLError):
            place.client(old)
        place.server.wait_for("the TLS handshake failed: no shared cipher")
