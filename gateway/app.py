"""Builds the ASGI application from the settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from limits import parse
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.asgi.compression import Compression
from gateway.asgi.cross_origin import CrossOrigin
from gateway.asgi.graphiql import is_for_page, page_routes, show_page_instead
from gateway.asgi.graphql.endpoint import Allowed, GraphQLEndpoint
from gateway.asgi.other_paths import HANDLERS
from gateway.asgi.streaming.streams import Streams
from gateway.asgi.streaming.websocket_endpoint import WebSocketEndpoint
from gateway.cache.caching_reader import CachingReader
from gateway.cache.policy import Freshness
from gateway.cache.reader import PlainReader, Reader
from gateway.cache.response_cache import (
    MemoryResponseCache,
    NoResponseCache,
    ResponseCache,
)
from gateway.cache.store import MemoryStore, Store
from gateway.cache.valkey import ValkeyStore
from gateway.cache.version_table import VersionTable
from gateway.catalog import FAILURES, Catalog
from gateway.context import Contexts
from gateway.execution.operations import Operations
from gateway.facts import Hook, SharedCacheFacts, tell
from gateway.glance.bulkhead import Bulkhead
from gateway.glance.call_scheduler import Bounds
from gateway.glance.client import GlanceClient
from gateway.glance.transport import Transport
from gateway.limits.admission import Admission
from gateway.limits.document import Maxima
from gateway.limits.rate import RateLimits
from gateway.limits.rate_counts import MemoryRateCounts, SharedRateCounts
from gateway.limits.subscriptions import SubscriptionLimits
from gateway.reads import Reads
from gateway.schema.costs import TABLES
from gateway.schema.root import build_schema
from gateway.settings import Settings
from gateway.subscriptions.watch import Pace
from gateway.subscriptions.watches import Watches

GRAPHQL_PATH = "/graphql"


def build_app(
    settings: Settings, *, versions_file: Path | None = None, hooks: Sequence[Hook] = ()
) -> ASGIApp:
    """Return the gateway; it closes its resources when its lifespan ends.

    A write in one worker invalidates the caches of all workers that share
    `versions_file`. Hooks receive facts of requests and of the shared cache.
    """
    transport = Transport(
        connections=settings.glance_calls,
        ca_file=settings.glance_ca_file,
        response_max_bytes=settings.glance_response_max_bytes,
        proxy=settings.glance_proxy,
    )
    client = _client(settings, transport, hooks)
    freshness = _freshness(settings)
    reader, response_cache = _caching(settings, freshness, versions_file, hooks)
    catalog = Catalog(client, Reads(client, freshness), reader)
    watches = _watches(settings, catalog, hooks)
    operations = Operations(
        build_schema(),
        TABLES,
        document_maxima(settings),
        with_introspection=settings.introspection,
    )
    admission = Admission(
        lambda: catalog.page_images,
        _rates(settings),
        max_values=settings.limit_result_values,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await watches.close()
            await catalog.close()
            await admission.close()
            await transport.close()
            operations.close()

    others = Starlette(
        routes=page_routes() if settings.graphiql else [],
        lifespan=lifespan,
        exception_handlers=HANDLERS,
    )
    contexts = Contexts(
        catalog,
        watches,
        timeout_seconds=settings.request_timeout_seconds,
        max_calls=settings.limit_cost,
    )
    endpoints = _endpoints(
        settings, operations, contexts, response_cache, admission, hooks
    )
    front = _Front(*endpoints, others, has_page=settings.graphiql)
    return _with_cors(front, settings)


class _Front:
    """Routes each request to its endpoint, at the lowest cost per request."""

    def __init__(
        self,
        endpoint: ASGIApp,
        websockets: ASGIApp,
        others: ASGIApp,
        *,
        has_page: bool,
    ) -> None:
        self._endpoint = endpoint
        self._websockets = websockets
        self._others = others
        self._has_page = has_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint_for(scope)(scope, receive, send)

    def _endpoint_for(self, scope: Scope) -> ASGIApp:
        kind = scope["type"]
        if kind == "lifespan" or scope["path"] != GRAPHQL_PATH:
            return self._others
        if kind == "websocket":
            return self._websockets
        if self._has_page and is_for_page(scope):
            return show_page_instead
        return self._endpoint


def _client(
    settings: Settings, transport: Transport, hooks: Sequence[Hook]
) -> GlanceClient:
    bounds = Bounds(
        calls=settings.glance_calls,
        calls_per_identity=settings.glance_calls_per_identity,
        unproven=settings.glance_calls_unproven,
        waiting=settings.glance_waiting,
        waiting_per_identity=settings.glance_waiting_per_identity,
    )
    return GlanceClient(
        transport,
        settings.glance_url,
        bulkhead=Bulkhead(bounds, hooks=hooks),
        timeout_seconds=settings.glance_timeout_seconds,
    )


def document_maxima(settings: Settings) -> Maxima:
    """Return the limits on one request's document and variables."""
    return Maxima(
        bytes=settings.limit_document_bytes,
        tokens=settings.limit_tokens,
        operations=settings.limit_operations,
        fragments=settings.limit_fragments,
        aliases=settings.limit_aliases,
        directives=settings.limit_directives,
        list_items=settings.limit_list_items,
        root_fields=settings.limit_root_fields,
        depth=settings.limit_depth,
        introspection=settings.limit_introspection,
        variables_bytes=settings.limit_variables_bytes,
        variables_depth=settings.limit_variables_depth,
    )


def _endpoints(
    settings: Settings,
    operations: Operations,
    contexts: Contexts,
    response_cache: ResponseCache,
    admission: Admission,
    hooks: Sequence[Hook],
) -> tuple[GraphQLEndpoint, WebSocketEndpoint]:
    streams = Streams(operations, contexts, admission, hooks=hooks)
    endpoint = GraphQLEndpoint(
        operations,
        contexts,
        response_cache,
        streams,
        Compression(response_cache, min_bytes=settings.compress_min_bytes),
        allowed=Allowed(
            settings.forward_service_token, settings.batch_max_requests, admission
        ),
        hooks=hooks,
    )
    websockets = WebSocketEndpoint(
        streams,
        max_operations=settings.subscriptions_per_connection,
        with_service_token=settings.forward_service_token,
    )
    return endpoint, websockets


def _rates(settings: Settings) -> RateLimits | None:
    """Return the rate limits; None, without any cost per request, if none is set."""
    identity, address = (
        settings.rate_limit_per_identity,
        settings.rate_limit_per_address,
    )
    if identity is None and address is None:
        return None
    is_shared = settings.cache_url not in {"memory://", "none"}
    counters = SharedRateCounts(settings.cache_url) if is_shared else MemoryRateCounts()
    return RateLimits(
        counters,
        per_identity=None if identity is None else parse(identity),
        per_address=None if address is None else parse(address),
    )


def _with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    if not settings.cors_origins:
        return app
    return CrossOrigin(app, origins=settings.cors_origins)


def _watches(settings: Settings, catalog: Catalog, hooks: Sequence[Hook]) -> Watches:
    pace = Pace(
        seconds=settings.poll_seconds,
        transient_seconds=settings.poll_transient_seconds,
        timeout_seconds=settings.request_timeout_seconds,
    )
    limits = SubscriptionLimits(
        settings.subscriptions,
        settings.subscriptions_per_identity,
        settings.subscribed_lists_per_identity,
    )
    return Watches(catalog, pace, limits=limits, hooks=hooks)


def _freshness(settings: Settings) -> Freshness:
    return Freshness(
        images_seconds=settings.cache_ttl_images_seconds,
        image_seconds=settings.cache_ttl_image_seconds,
        moving_image_seconds=settings.cache_ttl_transient_image_seconds,
        tasks_seconds=settings.cache_ttl_tasks_seconds,
        running_tasks_seconds=settings.cache_ttl_running_tasks_seconds,
        stores_seconds=settings.cache_ttl_stores_seconds,
        schemas_seconds=settings.cache_ttl_schemas_seconds,
        revalidate_seconds=settings.stale_while_revalidate_seconds,
        outage_seconds=settings.stale_if_error_seconds,
    )


def _caching(
    settings: Settings,
    freshness: Freshness,
    versions_file: Path | None,
    hooks: Sequence[Hook],
) -> tuple[Reader, ResponseCache]:
    if settings.cache_url == "none":
        return PlainReader(), NoResponseCache()
    memory = MemoryStore(
        VersionTable(versions_file),
        max_entries=settings.cache_max_entries,
        max_bytes=settings.cache_max_bytes,
    )
    store = _store(settings, memory, versions_file, hooks)
    reader = CachingReader(store, freshness, FAILURES, hooks=hooks)
    return reader, MemoryResponseCache(memory, store)


def _store(
    settings: Settings,
    memory: MemoryStore,
    versions_file: Path | None,
    hooks: Sequence[Hook],
) -> Store:
    if settings.cache_url == "memory://":
        return memory

    def observe(*, is_available: bool) -> None:
        tell(hooks, lambda: SharedCacheFacts(is_available=is_available))

    return ValkeyStore(
        settings.cache_url, observe=observe, meanwhile=VersionTable(versions_file)
    )
