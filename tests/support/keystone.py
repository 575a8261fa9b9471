"""A real Keystone as a child process, and a Glance that believes its tokens."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from uuid import uuid4

import httpx
from cryptography.fernet import Fernet

from gateway.demo.glance import (
    Service,
    configure,
    create_database,
    glance,
    run,
    service,
)
from gateway.listening import HOST, free_port

APPLICATION = "keystone.wsgi.api"
PASSWORD = "secret"
DOMAIN = {"id": "default"}

# Without the cache a validation takes 600 ms instead of 6.
CONFIGURATION = Template("""\
[DEFAULT]
log_file = $data/keystone.log

[cache]
enabled = True
backend = oslo_cache.dict

[database]
connection = sqlite:///$data/keystone.sqlite
sqlite_synchronous = false

[fernet_tokens]
key_repository = $data/keys

[fernet_receipts]
key_repository = $data/keys

[identity]
password_hash_rounds = 4
""")

AUTH_TOKEN_FILTER = "keystonemiddleware.auth_token:filter_factory"
AUTH_TOKEN_SECTION = Template("""\
[keystone_authtoken]
auth_type = password
auth_url = $url
www_authenticate_uri = $url
username = admin
password = $password
project_name = admin
user_domain_id = default
project_domain_id = default
# Else it believes a token for five minutes, whatever becomes of it.
token_cache_time = -1
""")


@dataclass(frozen=True)
class User:
    """A user of the default domain and the project they work in, by name."""

    name: str
    project: str


ADMIN = User("admin", "admin")


class Keystone:
    """A running Keystone, asked as its administrator."""

    def __init__(self, client: httpx.Client, configuration: Path) -> None:
        """Ask through `client`, which gets the administrator's token."""
        self.client = client
        self.configuration = configuration
        self.url = str(client.base_url).rstrip("/")
        client.headers["X-Auth-Token"] = self.project_token(ADMIN)

    def create_member(self) -> User:
        """Create a member of a project, both new."""
        user = User(f"user-{uuid4()}", f"project-{uuid4()}")
        project_id = self._create("project", name=user.project)
        user_id = self._create("user", name=user.name, password=PASSWORD)
        [role] = self._sent("GET", "/roles?name=member").json()["roles"]
        grant = f"/projects/{project_id}/users/{user_id}/roles/{role['id']}"
        self._sent("PUT", grant)
        return user

    def create_application_credential(self, user: User) -> tuple[str, str]:
        """Create a credential of the user's for a program: its id and secret."""
        own = {"X-Auth-Token": self.project_token(user)}
        me = self.client.get(
            "/auth/tokens", headers=own | {"X-Subject-Token": own["X-Auth-Token"]}
        )
        user_id = me.json()["token"]["user"]["id"]
        created = self.client.post(
            f"/users/{user_id}/application_credentials",
            headers=own,
            json={"application_credential": {"name": "explore"}},
        ).raise_for_status()
        credential = created.json()["application_credential"]
        return credential["id"], credential["secret"]

    def project_token(self, user: User) -> str:
        """Issue a token for the user's project."""
        project = {"name": user.project, "domain": DOMAIN}
        return self._issue(user, {"project": project})

    def unscoped_token(self, user: User) -> str:
        """Issue a token for no project at all."""
        return self._issue(user, "unscoped")

    def reissue(self, token: str, *lifetimes: timedelta) -> list[str]:
        """Return the token of a project anew, with other times of expiry.

        Keystone's own code seals them, with the keys of this Keystone.
        """
        now = datetime.now(UTC)
        expiries = [(now + lifetime).isoformat() for lifetime in lifetimes]
        module, configuration = (
            "tests.support.keystone_reissue",
            str(self.configuration),
        )
        return run(module, configuration, token, *expiries).split()

    def register_glance(self, url: str) -> None:
        """Put Glance into the catalog, for administrators in two regions.

        The address of a region's administrators has a path before `/v2`.
        """
        service_id = self._create("service", type="image", name="glance")
        self._sent("PUT", "/regions/RegionTwo", {"region": {}})
        for interface, region, path in (
            ("public", "RegionOne", ""),
            ("internal", "RegionOne", "/image"),
            ("admin", "RegionOne", "/image/"),
            ("admin", "RegionTwo", "/image/v2"),
        ):
            self._create(
                "endpoint",
                service_id=service_id,
                interface=interface,
                region_id=region,
                url=url + path,
            )

    def revoke(self, token: str) -> None:
        """Let nobody believe the token any more."""
        headers = {"X-Subject-Token": token}
        self.client.delete("/auth/tokens", headers=headers).raise_for_status()

    def _issue(self, user: User, scope: object) -> str:
        credentials = {"name": user.name, "domain": DOMAIN, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": credentials}}
        body = {"auth": {"identity": identity, "scope": scope}}
        issued = self._sent("POST", "/auth/tokens", body)
        return str(issued.headers["X-Subject-Token"])

    def _create(self, kind: str, **attributes: str) -> str:
        created = self._sent("POST", f"/{kind}s", {kind: attributes})
        return str(created.json()[kind]["id"])

    def _sent(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.client.request(method, path, json=body).raise_for_status()


@dataclass(frozen=True)
class Cloud:
    """A running Keystone and the address of the Glance that asks it."""

    keystone: Keystone
    glance_url: str


@contextmanager
def running_cloud(data: Path) -> Iterator[Cloud]:
    """Run a Keystone and its Glance, started side by side."""
    port = free_port()
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            waiting = _glance(data / "glance", keystone_port=port)
            starting = pool.submit(stack.enter_context, waiting)
            keystone = stack.enter_context(_keystone(data / "keystone", port=port))
        glance_url = starting.result().url
        keystone.register_glance(glance_url)
        yield Cloud(keystone, glance_url)


@contextmanager
def _keystone(data: Path, *, port: int) -> Iterator[Keystone]:
    (data / "keys").mkdir(parents=True)
    (data / "keys/0").write_bytes(Fernet.generate_key())
    configuration = data / "keystone.conf"
    configuration.write_text(CONFIGURATION.substitute(data=data))
    url = _keystone_url(port)
    run("tests.support.keystone_bootstrap", str(configuration), url, PASSWORD)
    environment = {"OS_KEYSTONE_CONFIG_DIR": str(data)}
    with (
        service("Keystone", APPLICATION, port=port, environment=environment, log=data),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield Keystone(client, configuration)


@contextmanager
def short_lived(keystone: Keystone, lifetime: timedelta) -> Iterator[Service]:
    """Run one more server of the same Keystone, whose new tokens end soon."""
    folder, seconds = keystone.configuration.parent, int(lifetime.total_seconds())
    own = folder / f"short-lived-{uuid4()}"
    own.mkdir()
    text = keystone.configuration.read_text() + f"\n[token]\nexpiration = {seconds}\n"
    (own / "keystone.conf").write_text(text)
    environment = {"OS_KEYSTONE_CONFIG_DIR": str(own)}
    with service(
        *("Keystone", APPLICATION),
        port=free_port(),
        environment=environment,
        log=own,
    ) as running:
        yield running


@contextmanager
def _glance(data: Path, *, keystone_port: int) -> Iterator[Service]:
    port, url = free_port(), _keystone_url(keystone_port)
    section = AUTH_TOKEN_SECTION.substitute(url=url, password=PASSWORD)
    configure(data, port=port, token_filter=AUTH_TOKEN_FILTER, sections=section)
    create_database(data)
    with glance(data, port=port) as running:
        yield running


def _keystone_url(port: int) -> str:
    return f"http://{HOST}:{port}/v3"
