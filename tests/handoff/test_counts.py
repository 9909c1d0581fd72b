"""What the pool counts: requests that its threads have answered, and nothing else."""

from time import sleep

from penstock.handoff.exchange import Exchange
from tests.handoff.lodge import Lodge, exchange


def test_a_connection_that_another_process_took_is_nothing_done() -> None:
    """Several processes wake for one connection: those that come too late have answered nothing."""
    lodge, tried = Lodge(), list[None]()
    lodge.warm()

    def late() -> None:
        lodge.doors[0][1].recv(1)  # another process was faster
        tried.append(None)

    lodge.before_take = late
    lodge.knock()
    lodge.until(lambda: bool(tried))
    lodge.before_take = lambda: None
    lodge.knock()
    lodge.until_served(3)
    lodge.until(lambda: not lodge.pool.in_flight)
    assert lodge.pool.done == lodge.pool.answered == 3
    lodge.close()


def test_whom_the_loop_answered_and_who_had_gone_are_done_but_not_answered() -> None:
    lodge = Lodge()

    def serve(x: Exchange) -> None:
        x.reclaimed = x.request.vars.get("PATH_INFO") == "/late"
        sleep(0)

    lodge.serve = serve
    gone, late = exchange(), exchange()
    gone.outbox.broken = True
    late.request.vars["PATH_INFO"] = "/late"
    for x in (gone, late, exchange()):
        lodge.pool.submit(x)
    lodge.until(lambda: lodge.pool.done == 3)
    assert (lodge.pool.dropped, lodge.pool.answered) == (1, 1)
    lodge.close()
    assert lodge.told == []
