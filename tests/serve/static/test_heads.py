"""A reply that is kept ready: also where something is added to every reply, or to this one by a rule."""

from pathlib import Path

from penstock.handoff.lease import KEEP
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from tests.serve.boxes import ListBox, exchange, manner
from tests.serve.static.asking import files_of, find, put


def test_what_is_added_to_every_reply_is_in_the_quick_one(tmp_path: Path) -> None:
    """add-header, security-headers and a rule's header: one send, the same bytes as by the long way."""
    put(tmp_path, "a.css", b"body{}")
    files = files_of(tmp_path)
    entry = find(files, "a.css")
    finish = Finish(removed=frozenset(("etag",)), secured=(("X-Frame-Options", "DENY"),))
    extra = manner(("X-Every", "reply"))

    def sent(quick: bool, *added: tuple[str, str]) -> tuple[list[bytes], list[int]]:
        box = ListBox()
        call = FinishedCall(exchange(box), extra, finish)
        call.touches.added += added
        call.x.request.ordinary = quick
        assert files.send(call, call.x.request.vars, entry)
        return bytes(box.sent).split(b"\r\n"), [then for _, then in box.puts]

    for added in ((), (("By", "rule"),), ()):
        lines, puts = sent(True, *added)
        assert lines == sent(False, *added)[0] and puts == [KEEP]
        assert b"X-Frame-Options: DENY" in lines and b"X-Every: reply" in lines
        assert (b"By: rule" in lines) == bool(added) and not any(line.startswith(b"ETag") for line in lines)
    lines, puts = sent(True, ("Connection", "close"))
    assert puts != [KEEP], "the connection ends with it"
