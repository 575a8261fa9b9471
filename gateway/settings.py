"""Settings: one table of names, defaults, units and meanings.

Each setting is an environment variable GATEWAY_*; command-line flags override it.
"""

import ssl
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # typeshed lacks one
    getproxies_environment,
    proxy_bypass_environment,
)

from limits import parse_many
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    HttpUrl,
    TypeAdapter,
)
from pydantic_core import from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _http_url(text: str) -> str:
    TypeAdapter(HttpUrl).validate_python(text)
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        reason = "must be an address without user, query or fragment"
        raise ValueError(reason)
    _proxy_for(parts)
    return text


def _proxy_for(address: SplitResult) -> str | None:
    """Return the URL of the environment's proxy for an address, None without one.

    Loopback addresses use no proxy. Raises ValueError if the proxy is not an HTTP
    proxy.
    """
    host, proxies = address.hostname or "", getproxies_environment()
    proxy = proxies.get(address.scheme)
    if not proxy or host == "localhost" or _is_loopback(host):
        return None
    if proxy_bypass_environment(address.netloc, proxies):
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if not _is_proxy(parts):
        name = f"{address.scheme}_proxy".upper()
        reason = f"the proxy of {name} must be like http://user:password@proxy:3128"
        raise ValueError(f"{reason}, special characters percent-encoded")
    return parts.geturl()


def _is_proxy(parts: SplitResult) -> bool:
    """Return whether this is the address of an HTTP proxy, and nothing else."""
    try:
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_address = parts.scheme == "http" and bool(parts.hostname) and has_port
    return is_address and parts.path in {"", "/"} and not parts.query + parts.fragment


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _certificates(file: Path) -> Path:
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        reason = "must be a file of certificates (PEM)"
        raise ValueError(reason) from error
    return file


def _cache_url(text: str) -> str:
    if text in {"memory://", "none"} or _is_redis_url(text):
        return text
    reason = "must be memory://, none, or redis[s]://[:password@]host[:port][/db]"
    raise ValueError(reason)


def _is_redis_url(text: str) -> bool:
    parts = urlsplit(text)
    try:
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    database = parts.path.removeprefix("/")
    is_plain = not parts.query and not parts.fragment
    is_database = not database or database.isdecimal()
    return parts.scheme in {"redis", "rediss"} and has_host and is_plain and is_database


def _listed(given: object) -> object:
    """Return the values of a JSON list or of a comma-separated list."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return from_json(given)
    return [one.strip() for one in given.split(",") if one.strip()]


def _origin(text: str) -> str:
    """Return an origin as browsers send it. Source: RFC 6454, section 6.2."""
    parts = urlsplit(text)
    is_origin = parts.scheme in {"http", "https"} and bool(parts.netloc)
    as_sent = f"{parts.scheme}://{parts.netloc.lower()}"
    if text != "*" and not (is_origin and text == as_sent):
        message = (
            "each must be like https://horizon.example.com, in lower case and without"
            " a path, or *"
        )
        raise ValueError(message)
    return text


def _rate(text: str | None) -> str | None:
    if not text:
        return None
    reason = "must be like 3000/minute"
    try:
        rates = parse_many(text)
    except ValueError as error:
        raise ValueError(reason) from error
    if len(rates) != 1 or not rates[0].amount:
        raise ValueError(reason)
    return text


RateLimit = Annotated[str | None, AfterValidator(_rate)]
PREFIX = "GATEWAY_"
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Limit = Annotated[int, Field(ge=1, le=100_000_000)]
PollSeconds = Annotated[float, Field(ge=0.01, le=3600)]


class Settings(BaseSettings):
    """The settings of one gateway; an error names all invalid values at once."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    glance_url: Annotated[str, AfterValidator(_http_url)] = Field(
        description=(
            "Glance's address as in the service catalog: `http://ip:9292` or"
            " `http://ip/image`, with or without a trailing slash or `/v2`. It is"
            " reached through the proxy of `HTTP_PROXY` or `HTTPS_PROXY`, unless"
            " `NO_PROXY` names it or it is a loopback address."
        )
    )
    host: str = Field(
        "127.0.0.1", min_length=1, description="The address to listen on."
    )
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(
        1, ge=1, le=256, description="Worker processes; one for each core."
    )
    request_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="The longest time for one GraphQL request."
    )
    glance_timeout_seconds: float = Field(
        30, gt=0, le=3600, description="The longest time for one call to Glance."
    )
    connections: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Client connections at once, in each worker.",
    )
    read_timeout_seconds: float = Field(
        30, gt=0, le=3600, description="The longest time for a request to arrive."
    )
    write_timeout_seconds: float = Field(
        20,
        gt=0,
        le=3600,
        description="How long a client may read nothing of a response.",
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        le=3600,
        description=(
            "How long an idle connection is kept for its client's next request. A"
            " proxy in front should close its connections earlier."
        ),
    )
    glance_calls: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Calls to Glance in flight at once, in each worker.",
    )
    glance_calls_per_identity: int = Field(
        16, ge=1, le=10_000, description="The same, for each token."
    )
    glance_calls_unproven: int = Field(
        4,
        ge=1,
        le=10_000,
        description=(
            "The same, for all tokens together that Glance has not accepted yet; a"
            " hundred times as many may wait."
        ),
    )
    glance_waiting: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Calls that may wait for their turn, in each worker.",
    )
    glance_waiting_per_identity: int = Field(
        4000, ge=1, le=1_000_000, description="The same, for each token."
    )
    glance_response_max_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description=(
            "The largest body of a list of images that is read from Glance; other"
            " bodies may have 16 MiB at most."
        ),
    )
    glance_ca_file: Annotated[FilePath, AfterValidator(_certificates)] | None = Field(
        None,
        description=(
            "CA certificates (PEM) to verify Glance's certificate with, instead of"
            " the system's."
        ),
    )
    cache_url: Annotated[str, AfterValidator(_cache_url)] = Field(
        "memory://",
        repr=False,
        description=(
            "Where responses are cached: `memory://` in each worker,"
            " `redis://[:password@]host[:port][/db]` or `rediss://` (TLS) in a Valkey"
            " or Redis that replicas share, `none` nowhere."
        ),
    )
    cache_max_entries: int = Field(
        10_000,
        ge=1,
        description="Cache entries in memory, in each worker.",
    )
    cache_max_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1,
        description="Bytes of cache entries in memory, in each worker.",
    )
    cache_ttl_images_seconds: Seconds = Field(
        5, description="How long a list of images is fresh; 0: not cached."
    )
    cache_ttl_image_seconds: Seconds = Field(
        10, description="How long an image in a final status is fresh."
    )
    cache_ttl_transient_image_seconds: Seconds = Field(
        1,
        description=(
            "How long an image in a transient status (queued, saving, importing) or a"
            " missing one is fresh."
        ),
    )
    cache_ttl_tasks_seconds: Seconds = Field(
        10, description="How long an image's tasks are fresh if none of them runs."
    )
    cache_ttl_running_tasks_seconds: Seconds = Field(
        1, description="How long they are fresh while one runs."
    )
    cache_ttl_stores_seconds: Seconds = Field(
        300, description="How long the list of stores is fresh."
    )
    cache_ttl_schemas_seconds: Seconds = Field(
        300, description="How long one of Glance's JSON schemas is fresh."
    )
    stale_while_revalidate_seconds: Seconds = Field(
        0,
        description=(
            "How long an expired entry is still served while it is revalidated in the"
            " background."
        ),
    )
    stale_if_error_seconds: Seconds = Field(
        60,
        description=(
            "How long an expired entry is still served if Glance is unreachable or"
            " fails."
        ),
    )
    cors_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...],
        NoDecode,
        BeforeValidator(_listed),
    ] = Field(
        (),
        description=(
            "Origins whose pages may send requests, such as"
            " `https://horizon.example.com`, separated by commas or as a JSON list;"
            " `*` for all."
        ),
    )
    compress_min_bytes: int = Field(
        1024,
        ge=0,
        description=(
            "The smallest response that is compressed (zstd, br or gzip); 0: none is."
        ),
    )
    batch_max_requests: int = Field(
        0,
        ge=0,
        le=1000,
        description="GraphQL requests in one batch (a JSON list); 0: no batches.",
    )
    graphiql: bool = Field(
        default=True, description="Whether `/` serves GraphiQL, an IDE in the browser."
    )
    introspection: bool = Field(
        default=True,
        description=(
            "Whether clients may read the schema, and error messages suggest names of"
            " it."
        ),
    )
    limit_document_bytes: Limit = Field(
        65_536, description="Bytes of a request's document."
    )
    limit_tokens: Limit = Field(3_000, description="Lexical tokens of a document.")
    limit_depth: Limit = Field(
        15, description="Levels of fields in a document; introspection needs 15."
    )
    limit_aliases: Limit = Field(150, description="Aliases of a document.")
    limit_root_fields: Limit = Field(150, description="Root fields of an operation.")
    limit_directives: Limit = Field(50, description="Directives of a document.")
    limit_operations: Limit = Field(10, description="Operations of a document.")
    limit_fragments: Limit = Field(100, description="Fragments of a document.")
    limit_list_items: Limit = Field(
        1_000, description="Items of one list among arguments or variables."
    )
    limit_introspection: Limit = Field(
        10_000,
        description=(
            "Values of the schema that introspection may return, estimated; all of it"
            " has about 3,300."
        ),
    )
    limit_result_values: Limit = Field(
        200_000,
        description=(
            "Values of a result, estimated from the sizes of lists: 1000 images with"
            " 20 fields have 21,000."
        ),
    )
    limit_variables_bytes: Limit = Field(
        262_144, description="Bytes of a request's variables."
    )
    limit_variables_depth: Limit = Field(
        32, description="Levels of lists and objects in variables."
    )
    poll_seconds: PollSeconds = Field(
        5, description="Polling interval of a subscription."
    )
    poll_transient_seconds: PollSeconds = Field(
        1,
        description=(
            "Polling interval while one of its images is in a transient status."
        ),
    )
    subscriptions: int = Field(
        10_000, ge=1, le=1_000_000, description="Subscriptions, in each worker."
    )
    subscriptions_per_identity: int = Field(
        1000, ge=1, le=1_000_000, description="The same, for each token."
    )
    subscribed_lists_per_identity: int = Field(
        100,
        ge=1,
        le=10_000,
        description=("Different lists that a token may subscribe to, in each worker."),
    )
    subscriptions_per_connection: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Operations at once on one WebSocket connection.",
    )
    limit_cost: int = Field(
        2_000,
        ge=1,
        description=(
            "Calls to Glance that one HTTP request, or one event of a subscription,"
            " may need."
        ),
    )
    rate_limit_per_identity: RateLimit = Field(
        None,
        description=(
            "Calls to Glance that one token may ask for in a time window, such as"
            " `3000/minute`; each request counts as one at least."
        ),
    )
    rate_limit_per_address: RateLimit = Field(
        None, description="The same, for each client address."
    )
    forward_service_token: bool = Field(
        default=False, description="Whether `X-Service-Token` is forwarded to Glance."
    )

    @property
    def glance_proxy(self) -> str | None:
        """Return the URL of the proxy to Glance; it may contain a password."""
        return _proxy_for(urlsplit(self.glance_url))

    @property
    def glance_proxy_shown(self) -> str | None:
        """Return the URL of the proxy without user and password."""
        proxy = self.glance_proxy
        return proxy and f"http://{urlsplit(proxy).netloc.rpartition('@')[2]}"


def unknown_settings(environment: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each GATEWAY_ variable that is not a setting, and a similar setting.

    The similar setting is None if no name is close enough.
    """
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(environment):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and name not in known:
            similar = get_close_matches(name, known, n=1)
            yield variable, PREFIX + similar[0] if similar else None
