"""Sends invalidations to Valkey: at once, and again until it has them."""

import asyncio

from gateway.cache.unsent import Unsent
from gateway.shared_server import SharedServer

RESEND_SECONDS = 0.05


class Sender:
    """Sends what is unsent, one attempt at a time."""

    def __init__(self, server: SharedServer, unsent: Unsent) -> None:
        """Send nothing yet."""
        self._server = server
        self._unsent = unsent
        self._sending = asyncio.Lock()
        self._begun = 0
        self._ended = 0
        self._resending: asyncio.Task[None] | None = None

    async def send_now(self) -> None:
        """Send what is unsent; if that fails, start to resend it until it succeeds.

        Resending starts also if the caller is cancelled.
        """
        try:
            await self._attempt()
        finally:
            is_resending = self._resending is not None and not self._resending.done()
            if self._unsent and not is_resending:
                self._resending = asyncio.create_task(self._resend())

    async def close(self) -> None:
        """Stop to resend."""
        if self._resending is not None:
            self._resending.cancel()
            await asyncio.wait([self._resending])

    async def _attempt(self) -> None:
        """Send once, or wait for another attempt that has begun after this call.

        So any number of callers wait for two attempts at most.
        """
        begun = self._begun
        async with self._sending:
            if self._ended > begun:
                return
            self._begun += 1
            await self._send()
            self._ended = self._begun

    async def _send(self) -> None:
        """Send what is unsent, chunk by chunk, also when an outage has just begun.

        Other replicas see a write late that is invalidated late. After a first
        failure the server is tried a second time at once, on a new connection.
        """
        is_all_sent = False
        while self._unsent and not is_all_sent:
            was_responding = self._server.is_responding
            sent = await self._server.call(self._unsent.send, in_pause=True)
            if sent is None and not was_responding:
                return
            is_all_sent = bool(sent)

    async def _resend(self) -> None:
        """Send what is unsent once Valkey has recovered, without waiting for reads."""
        while self._unsent:
            await asyncio.sleep(max(self._server.pause_seconds, RESEND_SECONDS))
            await self._attempt()
