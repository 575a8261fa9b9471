"""GraphQL over one WebSocket, in the protocol graphql-transport-ws.

Source of the messages and close codes:
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import NoReturn

import orjson
from starlette.types import Receive, Send

from gateway.asgi.graphql.request import BadRequest, GraphQLRequest, checked
from gateway.asgi.graphql.response import encoded
from gateway.asgi.streaming.streams import Client, Rejected, Streams
from gateway.asgi.streaming.turns import Turns
from gateway.caller import new_request_id
from gateway.identity import Identity, InvalidToken
from gateway.limits.admission import Visitor
from gateway.limits.exceeded import LimitExceeded
from gateway.limits.subscriptions import TOO_MANY
from gateway.schema.errors import Formatted

INIT_SECONDS = 10
# Further operations wait until the client has taken a response of one of these.
EXECUTIONS_AT_ONCE = 4
ID_MAX_CHARACTERS = 256

BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
INIT_TIMEOUT = 4408
SUBSCRIBER_EXISTS = 4409
TOO_MANY_INITS = 4429

Message = Mapping[str, object]
Identify = Callable[[Mapping[object, object]], Identity | None]


class Violation(Exception):
    """The client violated the protocol; the connection closes with this reason."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep the close code."""
        super().__init__(reason)
        self.code = code


class ClientClosed(OSError):
    """The client has closed the connection."""


class SocketConnection:
    """An accepted connection, with the operations that run in it."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        streams: Streams,
        tasks: asyncio.TaskGroup,
        max_operations: int,
        *,
        address: str | None,
    ) -> None:
        """Run at most `max_operations` at once as `tasks`, for a client's address."""
        self._receive = receive
        self._send = send
        self._streams = streams
        self._tasks = tasks
        self._max_operations = max_operations
        self._address = address
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._turns = Turns(EXECUTIONS_AT_ONCE)
        self._sending = asyncio.Lock()

    async def talk(self, identify: Identify) -> Violation | None:
        """Handle messages until a side closes; return the violation, if any.

        Returns None if the client has closed the connection. `identify` returns the
        identity in the payload of the first message. No exception passes through the
        TaskGroup, which would keep the objects of the connection in memory.
        """
        try:
            await self._listen(identify)
        except Violation as violation:
            return violation.with_traceback(None)
        except OSError:
            return None
        finally:
            running, self._operations = self._operations, {}
            for operation in running.values():
                operation.cancel()

    async def _listen(self, identify: Identify) -> NoReturn:
        """Handle the client's messages; raises ClientClosed and Violation."""
        try:
            async with asyncio.timeout(INIT_SECONDS):
                identity = await self._initialised(identify)
        except TimeoutError as error:
            reason = "Connection initialisation timeout"
            raise Violation(INIT_TIMEOUT, reason) from error
        await self._send_message({"type": "connection_ack"})
        while True:
            await self._handle(await self._message(), identity)

    async def _initialised(self, identify: Identify) -> Identity | None:
        """Return the identity, once the client has sent `connection_init`."""
        while (message := await self._message())["type"] != "connection_init":
            if message["type"] not in {"ping", "pong"}:
                raise Violation(UNAUTHORIZED, "Unauthorized")
            await self._handle(message, None)
        payload = message.get("payload") or {}
        if not isinstance(payload, Mapping):
            raise Violation(BAD_REQUEST, "The payload must be a JSON object.")
        try:
            return identify(payload)
        except InvalidToken as error:
            raise Violation(FORBIDDEN, f"Forbidden: {error}") from error

    async def _handle(self, message: Message, identity: Identity | None) -> None:
        match message["type"]:
            case "subscribe":
                await self._begin(message, identity)
            case "complete":
                self._end(message)
            case "ping":
                await self._send_message({"type": "pong"})
            case "pong":
                pass
            case "connection_init":
                raise Violation(TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                raise Violation(BAD_REQUEST, "The type of the message is unknown.")

    async def _begin(self, message: Message, identity: Identity | None) -> None:
        """Run an operation, or reject it if too many are running."""
        name, request = message.get("id"), _request(message)
        if not isinstance(name, str):
            raise Violation(BAD_REQUEST, "The message needs an id.")
        if len(name) > ID_MAX_CHARACTERS:
            reason = f"An id may have {ID_MAX_CHARACTERS} characters at most."
            raise Violation(BAD_REQUEST, reason)
        if name in self._operations:
            raise Violation(SUBSCRIBER_EXISTS, f"Subscriber for {name} already exists")
        scope = identity.scope if identity else None
        visitor = Visitor(new_request_id(), scope, self._address)
        if len(self._operations) >= self._max_operations:
            errors = self._streams.rejection(self._too_many(), visitor)
            await self._send_message(_error(name, errors))
            return
        running = self._run(name, request, Client(identity, visitor))
        self._operations[name] = self._tasks.create_task(running)

    def _too_many(self) -> LimitExceeded:
        running, limit = len(self._operations), self._max_operations
        reason = (
            f"Operations of one connection at the same time are limited to {limit}."
        )
        return LimitExceeded(TOO_MANY, reason, measured=running + 1, limit=limit)

    def _end(self, message: Message) -> None:
        """Cancel an operation that the client has completed, if it still runs."""
        name = message.get("id")
        if not isinstance(name, str):
            raise Violation(BAD_REQUEST, "The message needs an id.")
        operation = self._operations.pop(name, None)
        if operation is not None:
            operation.cancel()

    async def _run(self, name: str, request: GraphQLRequest, client: Client) -> None:
        """Send the responses; each is requested once the previous one is sent.

        The listening task notices when the client disconnects.
        """
        head = b'{"id":%s,"type":"next","payload":' % encoded(name)
        responses = self._streams.responses(request, client, self._turns)
        try:
            async with aclosing(responses):
                async for response in responses:
                    await self._send_text(head, response, b"}")
            last: Message = {"id": name, "type": "complete"}
        except Rejected as rejected:
            last = _error(name, rejected.errors)
        except OSError:
            return
        self._operations.pop(name, None)
        with suppress(OSError):
            await self._send_message(last)

    async def _message(self) -> Message:
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            raise ClientClosed
        try:
            message = orjson.loads(received.get("text") or b"")
        except orjson.JSONDecodeError as error:
            raise Violation(BAD_REQUEST, "Messages must be JSON text.") from error
        if not isinstance(message, Mapping) or not isinstance(message.get("type"), str):
            raise Violation(BAD_REQUEST, "A message must be a JSON object with a type.")
        return message

    async def _send_message(self, message: Message) -> None:
        await self._send_text(encoded(message))

    async def _send_text(self, *parts: bytes) -> None:
        """Join the parts of a message and send it, once the previous one is sent."""
        async with self._sending:
            text = b"".join(parts).decode()
            await self._send({"type": "websocket.send", "text": text})


def _error(name: str, errors: Sequence[Formatted]) -> Message:
    return {"id": name, "type": "error", "payload": errors}


def _request(message: Message) -> GraphQLRequest:
    try:
        return checked(message.get("payload"))
    except BadRequest as error:
        raise Violation(BAD_REQUEST, str(error)) from error
