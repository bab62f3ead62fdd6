"""Connections that ask for nothing are closed: half a request may not wait for ever."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class HastyProtocol(H11Protocol):
    """HTTP/1.1 where a connection without a request at two looks, `EVERY` apart, is closed."""

    EVERY = 10.0  # seconds

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._at_last_look: object = self
        self._timer = self.loop.call_later(self.EVERY, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._at_last_look:
            self.transport.close()
            return
        self._at_last_look = self.cycle
        self._timer = self.loop.call_later(self.EVERY, self._look)
