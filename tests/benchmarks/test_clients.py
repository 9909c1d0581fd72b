"""The misbehaving clients, beside a small server in the same loop."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from benchmarks.clients import FIRST, Crowd, freed, probe, raise_limit

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each head, until the client goes."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(REPLY)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one head and closes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(REPLY)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def crowd_beside(answer: Answer, kind: str, count: int) -> tuple[int, int]:
    """How many of ``count`` clients stay connected, and how many failed."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        crowd = Crowd(kind, count, server.sockets[0].getsockname()[1])
        await crowd.gather()
        seen = crowd.connected(), crowd.failed
        crowd.leave()
    return seen


@pytest.mark.parametrize("kind", sorted(set(FIRST) - {"reader", "endless"}))
def test_clients_stay(kind: str) -> None:
    assert asyncio.run(crowd_beside(answering, kind, 5)) == (5, 0)


def test_readers_that_stop_count_while_bytes_wait() -> None:
    assert asyncio.run(crowd_beside(answering, "reader", 3)) == (3, 0)


def test_nobody_is_kept_where_nobody_listens() -> None:
    async def alone() -> tuple[int, float | None]:
        server = await asyncio.start_server(answering, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        crowd = Crowd("idle", 3, port)
        await crowd.gather()
        return crowd.failed, await probe(port, b"/", 1)

    assert asyncio.run(alone()) == (3, None)


def test_free_threads_are_seen() -> None:
    async def asked() -> dict[str, float | None]:
        server = await asyncio.start_server(closing, "127.0.0.1", 0)
        async with server:
            return await freed(server.sockets[0].getsockname()[1], 3, 5.0, 5.0)

    found = asyncio.run(asked())
    assert found["first"] is not None and found["all"] is not None


def test_the_limit_of_descriptors_is_never_lowered() -> None:
    assert raise_limit(1) >= 1
