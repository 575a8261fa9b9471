"""Where the parts meet: settings in, an ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from gateway.asgi.graphql_endpoint import GraphQLEndpoint
from gateway.catalog import Catalog
from gateway.glance.client import GlanceClient
from gateway.glance.transport import open_client
from gateway.schema.root import build_schema
from gateway.settings import Settings

GRAPHQL_PATH = "/graphql"


def build_app(settings: Settings) -> Starlette:
    """Return the gateway; it closes what it opened when its lifespan ends."""
    http = open_client(
        connections=settings.glance_connections, ca_file=settings.glance_ca_file
    )
    client = GlanceClient(
        http, settings.glance_url, timeout_seconds=settings.glance_timeout_seconds
    )
    endpoint = GraphQLEndpoint(
        build_schema(),
        Catalog(client),
        timeout_seconds=settings.request_timeout_seconds,
        fan_out=settings.fan_out,
        with_service_token=settings.forward_service_token,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    return Starlette(routes=[Route(GRAPHQL_PATH, endpoint)], lifespan=lifespan)
