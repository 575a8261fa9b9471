"""Documents that were parsed and validated, ready for the next equal request."""

import asyncio
import gc
import sys
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

from gateway.execution.preparation import Preparation, Prepared
from gateway.limits.anonymous import MissingToken
from gateway.limits.exceeded import OVERLOADED, LimitExceeded

MAX_DOCUMENTS = 1_000
MAX_BYTES = 16 * 1024 * 1024
# The memory of a prepared document, and of each of its tokens, at most.
DOCUMENT_BYTES, TOKEN_BYTES = 17_000, 550
# A shorter document takes some 10 ms at most.
OFF_LOOP_FROM_CHARACTERS = 1_500
# So many documents at the limits take some five seconds.
MAX_WAITING = 100
MAX_WAITING_WITHOUT_TOKEN = 10

Key = tuple[str, str | None]
Preparing = Prepared | Coroutine[object, object, Prepared]


class DocumentCache:
    """Prepared documents by text and operation name, least recently used ones first.

    Invalid documents are not kept.
    """

    def __init__(
        self,
        preparation: Preparation,
        *,
        max_documents: int = MAX_DOCUMENTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Keep at most so many documents, and so many bytes by their estimates."""
        self._preparation = preparation
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._prepared: OrderedDict[Key, Prepared] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "documents")
        self._waiting = {True: 0, False: 0}
        self.bytes_held = 0

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._prepared)

    def __contains__(self, key: Key) -> bool:
        """Return whether a document is prepared."""
        return key in self._prepared

    def prepare(
        self, text: str, operation_name: str | None, *, has_token: bool
    ) -> Preparing:
        """Return the document, or a coroutine that prepares a long one in a thread.

        Raises what `Preparation` does; and LimitExceeded, with HTTP status
        503, where too many long documents wait.
        """
        key = text, operation_name
        prepared = self._prepared.get(key)
        if prepared is not None:
            if prepared.needs_token and not has_token:
                raise MissingToken
            self._prepared.move_to_end(key)
            return prepared
        of_text = self._preparation.check(*key, has_token=has_token)
        prepare = partial(self._preparation.prepare, *key, of_text, has_token=has_token)
        if len(text) < OFF_LOOP_FROM_CHARACTERS:
            return self._kept(key, prepare())
        return self._prepare_off_loop(key, prepare, has_token=has_token)

    def close(self) -> None:
        """Stop the thread; documents that still wait are cancelled."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _prepare_off_loop(
        self, key: Key, prepare: Callable[[], Prepared], *, has_token: bool
    ) -> Prepared:
        """Prepare in the thread, which takes turns with the loop every few ms."""
        waiting = self._waiting[has_token]
        limit = MAX_WAITING if has_token else MAX_WAITING_WITHOUT_TOKEN
        if waiting >= limit:
            raise LimitExceeded(
                OVERLOADED,
                "Too many long documents wait to be read: try again later.",
                measured=waiting + 1,
                limit=limit,
                status=HTTPStatus.SERVICE_UNAVAILABLE,
            )
        self._waiting[has_token] += 1
        try:
            loop = asyncio.get_running_loop()
            prepared = await loop.run_in_executor(self._thread, _collected, prepare)
        finally:
            self._waiting[has_token] -= 1
        return self._kept(key, prepared)

    def _kept(self, key: Key, prepared: Prepared) -> Prepared:
        size_bytes = estimated_bytes(key, prepared)
        if size_bytes > self._max_bytes:
            return prepared
        if key not in self._prepared:
            self.bytes_held += size_bytes
        self._prepared[key] = prepared
        while self.bytes_held > self._max_bytes or len(self) > self._max_documents:
            self.bytes_held -= estimated_bytes(*self._prepared.popitem(last=False))
        return prepared


def estimated_bytes(key: Key, prepared: Prepared) -> int:
    """Return the memory of a document without its plans, rather too much.

    Its texts are held twice: in the key, and by the parsed document.
    """
    texts = sum(map(sys.getsizeof, key))
    return DOCUMENT_BYTES + TOKEN_BYTES * prepared.measures["tokens"] + 2 * texts


def _collected(prepare: Callable[[], Prepared]) -> Prepared:
    """Prepare a document, and collect the cyclic garbage that validation leaves.

    A later pass over that of many documents would stall the loop.
    """
    try:
        return prepare()
    finally:
        gc.collect(1)
