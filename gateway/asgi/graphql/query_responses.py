"""Responses to queries: cached, shared by equal queries, or executed."""

from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from gateway.asgi.graphql.equal_queries import (
    Counts,
    EqualQueries,
    Outcome,
    QueryExecution,
)
from gateway.asgi.graphql.request_details import RequestDetails
from gateway.asgi.graphql.response import (
    Response,
    conditional,
    encoded,
    json_response,
)
from gateway.asgi.graphql.results import Waiting, answer_of, costs, executed
from gateway.cache.cached_response import CachedResponse, ResponseKey
from gateway.cache.response_cache import ResponseCache
from gateway.caller import Directive
from gateway.context import Context
from gateway.execution.operations import Begun
from gateway.facts import Hook, RequestFacts, tell
from gateway.schema.errors import MAX_ERRORS


class QueryResponses:
    """Makes the responses to queries, and caches them."""

    def __init__(self, response_cache: ResponseCache, hooks: Sequence[Hook]) -> None:
        """Cache in `response_cache`; hooks receive the RequestFacts of each query."""
        self._response_cache = response_cache
        self._hooks = hooks
        self._equal = EqualQueries()

    def stop_sharing(self, topics: Sequence[str]) -> None:
        """Stop sharing executions that began before a write, whatever its topics."""
        self._equal.stop_sharing(topics)

    def cached(
        self, key: ResponseKey, entry: CachedResponse, details: RequestDetails
    ) -> Response:
        """Return the response of a cache entry."""
        counts = {"calls": 0, "cached": entry.reads, "coalesced": 0, "stale": 0}
        tell(
            self._hooks,
            lambda: RequestFacts(
                details.identifier, details.scope, 0, entry.reads, 0, 0
            ),
        )
        response = Response(HTTPStatus.OK, entry.body, cached=(key, entry))
        return _with_costs(response, details, counts)

    async def executed(
        self,
        key: ResponseKey,
        begin: Callable[[], Begun],
        context: Context,
        details: RequestDetails,
        waiting: Waiting,
    ) -> Response:
        """Return the response of an equal query in flight, else execute this one."""
        if not self._response_cache.shares or details.directive is not Directive.NONE:
            result = await executed(begin, context, self._hooks, waiting)
            outcome = Outcome(result, context.counters)
            return await self._stored(key, outcome, context, details)
        with self._equal.execution(key) as execution:
            if execution.may_coalesce:
                shared = await self._shared(key, execution, details, waiting)
                if shared is not None:
                    return shared
            running = partial(execution.run, waiting)
            result = await executed(begin, context, self._hooks, running)
            outcome = Outcome(result, context.counters)
            response = await self._stored(key, outcome, context, details)
            if context.has_time:
                execution.outcome = outcome
        return response

    async def _shared(
        self,
        key: ResponseKey,
        execution: QueryExecution,
        details: RequestDetails,
        waiting: Waiting,
    ) -> Response | None:
        """Return the response of an equal query, None where it can't be shared."""
        outcome = await waiting(execution.coalesce())
        if outcome is None:
            return None
        if (entry := await self._response_cache.find(key)) is not None:
            return self.cached(key, entry, details)
        dependencies, stale = outcome.counters.dependencies, outcome.counters.stale
        if stale or not await self._response_cache.are_valid(dependencies):
            return None
        counts, measures = outcome.counts, outcome.counters.measures
        reads, scope = counts["coalesced"], details.scope
        facts = RequestFacts(details.identifier, scope, 0, 0, reads, 0, measures)
        tell(self._hooks, lambda: facts)
        if details.wants_trace:
            counts = {**counts, "estimate": outcome.counters.estimate}
        response = Response(HTTPStatus.OK, outcome.body_for(details.identifier))
        has_errors = bool(outcome.result.errors)
        return _with_costs(response, details, counts, has_errors=has_errors)

    async def _stored(
        self,
        key: ResponseKey,
        outcome: Outcome,
        context: Context,
        details: RequestDetails,
    ) -> Response:
        """Return the response of an execution; it is cached unless it has errors."""
        response = response_of(outcome, context, details)
        if outcome.body:
            await self._response_cache.keep(
                key, outcome.body, context.counters.dependencies
            )
        return response


def response_of(
    outcome: Outcome,
    context: Context,
    details: RequestDetails,
    *,
    max_errors: int = MAX_ERRORS,
) -> Response:
    """Return the response of an execution; sets `outcome.body` without errors."""
    if outcome.result.errors:
        answer = answer_of(
            outcome.result,
            context,
            is_traced=details.wants_trace,
            max_errors=max_errors,
        )
        return json_response(HTTPStatus.OK, answer)
    outcome.body = encoded({"data": outcome.result.data})
    response = Response(HTTPStatus.OK, outcome.body)
    counts = costs(context, is_traced=details.wants_trace)
    return _with_costs(response, details, counts)


def _with_costs(
    response: Response,
    details: RequestDetails,
    counts: Counts,
    *,
    has_errors: bool = False,
) -> Response:
    """Return the response with its counts, if they are wanted or some are stale.

    A response to GET gets an entity tag, unless it has errors.
    """
    if counts["stale"] or details.wants_trace:
        extensions = encoded({"glance": counts})
        parts = response.body[:-1], b',"extensions":', extensions, b"}"
        response = Response(HTTPStatus.OK, b"".join(parts))
    if details.method != "GET" or has_errors:
        return response
    return conditional(response, details.if_none_match)
