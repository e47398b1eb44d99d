"""A TCP proxy between a worker and a server, which a test tells to hold answers back, or to lose one.

It listens in a thread of its own for as long as the context lasts, also while the server behind it is down: whoever
connects then is cut off.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

HOST = "127.0.0.1"
CHUNK = 256 * 1024
START_SECONDS = 10.0

MARIADB_COMMIT = b"\x07\x00\x00\x00\x03COMMIT"
"""The packet with which a client of MySQL or MariaDB commits: its length, its number, what it is, and the statement."""

When = Literal["before", "after"]


class Proxy:
    """One listening port, and the server behind it. Its methods may be called from any thread."""

    def __init__(self, port: int, upstream: int) -> None:
        self.port = port
        self.cuts = 0
        """How many connections were ended by `cut_at` so far."""
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._links: dict[asyncio.Task[None], _Link] = {}
        self._to_cut: deque[tuple[bytes, When]] = deque()

    def hold_answers(self) -> None:
        """Let what the server says wait here until `release`; what is said to it goes on."""
        self._call(self._flowing.clear)

    def release(self, *, lose: bool = False) -> None:
        """Let answers flow again: those that waited arrive late or, with `lose`, never, and their connections end."""

        def flow() -> None:
            if lose:
                self._end_all()
            self._flowing.set()

        self._call(flow)

    def cut_at(self, request: bytes, when: When) -> None:
        """End the next connection that sends `request`: before the server gets it, or when the server has answered it
        and before the client gets the answer. Told twice, it ends the next two.
        """
        self._call(lambda: self._to_cut.append((request, when)))

    async def flowing(self) -> None:
        """Return when answers are not held back."""
        await self._flowing.wait()

    def cut_now(self, data: bytes) -> When | None:
        """Return when to end the connection that has sent `data`, if that is the next one to be ended."""
        if not self._to_cut or not data.endswith(self._to_cut[0][0]):
            return None
        self.cuts += 1
        return self._to_cut.popleft()[1]

    def _call(self, function: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(function)

    def _end_all(self) -> None:
        for link in self._links.values():
            link.end()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self._upstream)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, writer, back)
        task = asyncio.ensure_future(link.run(reader, there))
        self._links[task] = link
        task.add_done_callback(self._links.pop)

    async def _listen(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._accept, HOST, self.port, limit=CHUNK)
        ready.set()
        await stop.wait()
        server.close()
        self._end_all()
        await asyncio.gather(*self._links, return_exceptions=True)

    @contextlib.contextmanager
    def listening(self) -> Iterator["Proxy"]:
        """Listen until the context ends; fails when the port cannot be had."""
        ready, stop = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._listen(ready, stop),), daemon=True)
        thread.start()
        assert ready.wait(START_SECONDS), f"the proxy cannot listen on port {self.port}"
        try:
            yield self
        finally:
            self._call(stop.set)
            thread.join(START_SECONDS)
            self._loop.close()


class _Link:
    """One client's connection and the one to the server that belongs to it; both end together."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._cut_on_answer = False

    def end(self) -> None:
        """End both, without sending what still waits."""
        self._client.transport.abort()
        self._server.transport.abort()

    async def run(self, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader) -> None:
        """Carry bytes both ways until one side ends."""
        ways = [asyncio.ensure_future(self._requests(from_client)), asyncio.ensure_future(self._answers(from_server))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.end()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            when = self._proxy.cut_now(data)
            if when == "before":
                return
            self._cut_on_answer = when == "after"
            self._server.write(data)
            await self._server.drain()

    async def _answers(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            if self._cut_on_answer:
                return
            await self._proxy.flowing()
            self._client.write(data)
            await self._client.drain()
