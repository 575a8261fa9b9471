"""One's own cloud, served to oneself: no token to copy, no address to find."""

from starlette.types import ASGIApp

from gateway.app import GRAPHQL_PATH, build_app
from gateway.explore.cloud import Cloud, CloudChoice, CloudFailed, connect
from gateway.explore.connection_owner import knows_owners
from gateway.explore.lent_token import LentToken
from gateway.listening import HOST, ServiceFailed, listen, url_at
from gateway.server.config import server_config
from gateway.server.running import Server
from gateway.settings import Settings

QUERY = '{"query": "{ images { nodes { id name status size } } }"}'


def explore(choice: CloudChoice, *, port: int, opens_browser: bool) -> None:
    """Serve the cloud on a loopback address until stopped; raises ServiceFailed."""
    with listen(HOST, port, flag="--port") as listening:
        actual_port = int(listening.getsockname()[1])
        cloud = _connected(choice)
        settings = _settings(cloud, actual_port)
        url = url_at(HOST, actual_port)

        def app() -> ASGIApp:
            gateway = build_app(settings)
            return LentToken(gateway, cloud, path=GRAPHQL_PATH, port=actual_port)

        config = server_config(app, settings, log_level="warning")
        page_url = f"{url}/" if opens_browser else None
        server = Server(config, banner(cloud, url), page_url=page_url)
        server.run(sockets=[listening])


def banner(cloud: Cloud, url: str) -> str:
    """Return what is said once it listens: where everything is, and for whom."""
    region = f", region {cloud.image.region_name}" if cloud.image.region_name else ""
    whom = "of yours" if knows_owners() else "of ANY user of this machine"
    return f"""\
Cloud     {cloud.name}{region}
Glance    {cloud.image.url}
GraphiQL  {url}/
GraphQL   {url}{GRAPHQL_PATH}

Requests {whom} that bring no token get this cloud's:
  curl {url}{GRAPHQL_PATH} -H 'Content-Type: application/json' \\
    -d '{QUERY}'

Ctrl-C stops it."""


def _connected(choice: CloudChoice) -> Cloud:
    try:
        return connect(choice)
    except CloudFailed as error:
        raise ServiceFailed(str(error)) from error


def _settings(cloud: Cloud, port: int) -> Settings:
    """Return the environment's settings, but for what the cloud and we decide.

    No foreign page has a place here.
    """
    given: dict[str, object] = {
        "glance_url": cloud.image.url,
        "host": HOST,
        "port": port,
        "workers": 1,
        "cors_origins": "",
        "graphiql": True,
    }
    if cloud.ca_file is not None:
        given["glance_ca_file"] = cloud.ca_file
    return Settings.model_validate(given)
