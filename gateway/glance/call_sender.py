"""Sends a call within its deadline, and repeats it where that is safe."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import orjson

from gateway.caller import BudgetSpent, Caller
from gateway.glance.bulkhead import Bulkhead, Slot
from gateway.glance.call import Call, Fetched
from gateway.glance.errors import GlanceError, NotFound
from gateway.glance.exchange import Exchange
from gateway.glance.failure_log import FailureLog
from gateway.glance.failures import (
    FAILURES,
    cause,
    detail,
    is_lost_connection,
    limit_reached,
    may_repeat,
    translated,
)
from gateway.glance.responses import (
    Foreign,
    Unreadable,
    check_status,
    response_error,
    unreadable,
)
from gateway.glance.transport import (
    Request,
    ResponseRejected,
    Transport,
    base_url,
    caller_headers,
    log_foreign,
)

Value = TypeVar("Value")


class CallSender:
    """Sends calls to the Image service at one address."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        *,
        bulkhead: Bulkhead,
        timeout_seconds: float,
    ) -> None:
        """Use the transport, and leave it to its owner to close it.

        No call takes longer than `timeout_seconds`, including its wait in the
        bulkhead.
        """
        self._transport = transport
        self._base_url = base_url(address)
        self._bulkhead = bulkhead
        self._timeout_seconds = timeout_seconds
        self._failures = FailureLog()

    async def fetch(
        self, caller: Caller, call: Call, decode: Callable[[bytes], Value]
    ) -> Fetched[Value]:
        """Return the decoded result of a call; raises GlanceError if it fails."""
        now = asyncio.get_running_loop().time()
        exchange = Exchange(caller.request_id, needs_new_connection=call.is_write)
        try:
            async with asyncio.timeout_at(
                min(now + self._timeout_seconds, caller.deadline_at)
            ):
                async with self._bulkhead.slot(caller, call.kind) as slot:
                    caller.counters.count_call()
                    try:
                        return await self._attempt(caller, call, decode, exchange, slot)
                    except FAILURES as error:
                        if not may_repeat(
                            error,
                            was_sent=exchange.was_sent,
                            is_idempotent=call.is_idempotent,
                        ):
                            raise
                        was_lost = exchange.was_sent and is_lost_connection(error)
                    return await self._repeat(
                        caller, call, decode, exchange, slot, was_lost=was_lost
                    )
        except FAILURES as error:
            reason = cause(error, was_sent=exchange.was_sent)
            self._failures.log(reason, detail(error), exchange.request_id)
            raise translated(
                error, call.purpose, exchange, is_write=call.is_write
            ) from error
        except BudgetSpent as spent:
            raise limit_reached(spent, call.purpose, exchange) from spent

    async def _repeat(
        self,
        caller: Caller,
        call: Call,
        decode: Callable[[bytes], Value],
        exchange: Exchange,
        slot: Slot,
        *,
        was_lost: bool,
    ) -> Fetched[Value]:
        """Send the call a second time, on a new connection.

        `was_lost` tells that the first attempt was sent and its connection lost.
        """
        was_sent = exchange.was_sent
        exchange.repeat(caller.request_id)
        try:
            return await self._attempt(caller, call, decode, exchange, slot)
        except GlanceError as error:
            error.was_sent_before = was_sent
            error.was_lost_before = was_lost
            is_open = call.is_write and not call.has_id
            if was_sent and is_open and not isinstance(error, NotFound):
                error.note_open_outcome()
            raise

    async def _attempt(
        self,
        caller: Caller,
        call: Call,
        decode: Callable[[bytes], Value],
        exchange: Exchange,
        slot: Slot,
    ) -> Fetched[Value]:
        """Send the call; raises GlanceError for a response that is not a success."""
        request = Request(
            call.method,
            self._base_url + call.path,
            call.parameters,
            _headers(caller, call, exchange),
            None if call.body is None else orjson.dumps(call.body),
            call.max_bytes,
            call.success,
        )
        response = await self._transport.send(request, exchange)
        slot.observe_response(response.status)
        caller.counters.read_bytes += len(response.content)
        if not response.is_success:
            identity = caller.identity
            raise response_error(
                response,
                call.purpose,
                is_write=call.is_write,
                secrets=(identity.token, identity.service_token or ""),
            )
        try:
            check_status(response.status, call.success)
            return Fetched(response.content, decode(response.content))
        except Foreign as error:
            exchange.close()
            log_foreign(exchange, str(error))
            raise ResponseRejected from error
        except Unreadable as error:
            raise unreadable(
                response, call.purpose, error, is_write=call.is_write
            ) from error


def _headers(caller: Caller, call: Call, exchange: Exchange) -> Mapping[str, str]:
    headers = caller_headers(caller, exchange)
    if call.body is not None:
        headers["Content-Type"] = call.media_type
    return headers
