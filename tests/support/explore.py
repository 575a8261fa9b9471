"""`glance-gateway explore` as its user starts it, and the clouds it is for."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.command import Command, piped
from tests.support.gateway import Gateway
from tests.support.keystone import PASSWORD, Keystone, User

COMMAND_LINE = ("explore", "--no-open", "--port", "0")
# Whoever runs the tests may have a cloud of their own.
NO_FILES = {"HOME": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"}
READY = "Ctrl-C stops it.\n"
CREATE = """mutation ($name: String!) {
    createImage(input: {name: $name, visibility: PRIVATE}) { image { name } } }"""
IMAGES = "{ images(filter: {visibility: PRIVATE}) { nodes { name } } }"


@dataclass(frozen=True)
class Explore:
    """A running explore: what it said, and its gateway."""

    command: Command
    text: str
    gateway: Gateway

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        port = self.gateway.client.base_url.port
        assert port is not None
        return port


def openrc(keystone: Keystone, user: User) -> dict[str, str]:
    """Return the variables that a user's openrc sets."""
    return {
        "OS_AUTH_URL": keystone.url,
        "OS_USERNAME": user.name,
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": user.project,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }


def clouds_yaml(
    folder: Path, keystone: Keystone, user: User, **more: object
) -> dict[str, str]:
    """Write `mine` to clouds.yaml and its password to secure.yaml.

    Both are JSON, which is YAML. Return the variables that say where they are.
    """
    auth = {
        "auth_url": keystone.url,
        "username": user.name,
        "project_name": user.project,
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    files: Mapping[str, object] = {
        "clouds": {"mine": {"auth": auth, **more}, "other": {}},
        "secure": {"mine": {"auth": {"password": PASSWORD}}},
    }
    for name, clouds in files.items():
        (folder / f"{name}.yaml").write_text(json.dumps({"clouds": clouds}))
    return {
        "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
        "OS_CLIENT_SECURE_FILE": str(folder / "secure.yaml"),
    }


@contextmanager
def exploring(*flags: str, **environment: str) -> Iterator[Explore]:
    """Run it on a free port, with no browser."""
    with piped(*COMMAND_LINE, *flags, **NO_FILES | environment) as command:
        text = command.until(READY)
        url = text.partition("GraphiQL  ")[2].partition("/\n")[0]
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Explore(command, text, Gateway(client))
