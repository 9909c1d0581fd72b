"""Running requests as plain data: however many there are and however deep, a message has room for them."""

import json
import time

from penstock.interprocess.channel import MARK, PACKET, TEXT, pair
from penstock.net.sight import QUEUED, WORKING, Frame, Phases, Sight
from penstock.process.sights import current


def seen(depth: int, number: int = 0, uri: str = "/a") -> Sight:
    frames = tuple(Frame(f"/srv/shop/module_{number}.py", at, f"step_{at}", "shop") for at in range(depth))
    return Sight("GET", uri, "HTTP/1.1", "", 1.0, WORKING, Phases(0, 0, 1, 0), stack=frames)


def test_one_has_all_of_its_stack() -> None:
    (one,) = current.told([seen(100)])
    assert one["stack"].count("\n") >= 99 and "cut" not in one["stack"]


def test_many_have_the_innermost_part_of_it() -> None:
    found = current.told([seen(100, number) for number in range(60)])
    for one in found:
        first, *lines = one["stack"].splitlines()
        assert first == "  [… cut …]" and lines[0].startswith('  File "/srv/shop/module_')
        assert "step_99" in lines[-1] and len(one["stack"]) < 1.1 * current.LEAST


def test_a_message_of_many_is_not_cut_again() -> None:
    requests = [seen(100, number, f"/{number}?" + "x" * 60_000) for number in range(150)]
    requests.append(Sight("GET", "/q", "HTTP/1.1", "", 1.0, QUEUED, Phases(0, 1, 0, 0)))
    told, begun = current.told(requests), time.thread_time()
    here, there = pair()
    try:
        here.send({"is": "told", "id": 1, "value": told})
        took = time.thread_time() - begun
        arrived = there.receive()
        while here.pending:
            here.flush()
            arrived += there.receive()
        ((heard, _),) = arrived
    finally:
        here.close()
        there.close()
    assert heard["value"] == told and len(json.dumps(told)) > PACKET
    assert all(len(one["stack"]) < TEXT and MARK not in one["uri"] for one in told)
    assert took < 0.5, "the loop that sends it has requests to serve"
