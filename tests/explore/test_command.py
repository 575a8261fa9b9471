"""`glance-gateway explore`: one's own cloud in one command."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from typer.testing import CliRunner

from gateway.cli import run as cli
from gateway.listening import free_port
from tests.cache.tls import certificate, terminated
from tests.support.command import Ended, piped, run, taken_line
from tests.support.event_stream import stream
from tests.support.explore import (
    COMMAND_LINE,
    CREATE,
    IMAGES,
    NO_FILES,
    READY,
    Explore,
    clouds_yaml,
    exploring,
    openrc,
)
from tests.support.gateway import Json
from tests.support.glance_double import GlanceDouble, Reply, glance_double
from tests.support.keystone import PASSWORD, Cloud, Keystone, User, short_lived
from tests.support.websocket import socket as websocket

GOLDEN = {"images": {"nodes": [{"name": "golden"}]}}
NO_IMAGES: Json = {"images": {"nodes": []}}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - which is refused
REFUSED = (
    "Keystone at {keystone} rejects these credentials: check user, password or secret,"
    " project, and their domains."
)
WATCH = 'subscription { imageChanged(id: "no-such-image") { kind } }'
SOON = timedelta(seconds=60)


@dataclass(frozen=True)
class Tls:
    """What serves through TLS, with the certificate in `file`."""

    file: Path
    portal: BlockingPortal
    stack: ExitStack

    def before(self, url: str) -> str:
        """Return an address that reaches another one through TLS."""
        parts = urlsplit(url)
        serving = terminated(parts.port or 80, self.file)
        port = self.stack.enter_context(self.portal.wrap_async_context_manager(serving))
        return f"https://{parts.hostname}:{port}{parts.path}"


@pytest.fixture
def variables(keystone: Keystone, alice: User) -> dict[str, str]:
    """Return what Alice's openrc sets."""
    return openrc(keystone, alice)


@pytest.fixture
def glance(cloud: Cloud) -> Iterator[GlanceDouble]:
    """Record what the cloud's Glance is asked."""
    with glance_double(int(cloud.glance_url.rpartition(":")[2])) as double:
        yield double


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    """Serve through TLS what has none, until the test ends."""
    with start_blocking_portal() as portal, ExitStack() as stack:
        yield Tls(certificate(tmp_path), portal, stack)


def ended_explore(*flags: str, **environment: str) -> Ended:
    """Run it to its end, which it must find by itself."""
    return run(*COMMAND_LINE, *flags, **NO_FILES | environment)


def use_and_read(explore: Explore) -> Json:
    """Create an image and return the list of images, without a token."""
    explore.gateway.data(CREATE, token=None, name="golden")
    return explore.gateway.data(IMAGES, token=None)


def lent_tokens(glance: GlanceDouble) -> list[str]:
    """Return the tokens that Glance was asked with, in order."""
    return [call.headers["x-auth-token"] for call in glance.calls]


def test_openrc_is_enough_for_the_first_query(variables: dict[str, str]) -> None:
    """After `source openrc`, requests need no token."""
    with exploring(**variables) as explore:
        listed = use_and_read(explore)

    assert listed == GOLDEN


def test_changes_are_told_with_the_lent_token(variables: dict[str, str]) -> None:
    """As events, and over a WebSocket of our own page; Glance knows no such image."""
    with exploring(**variables) as explore:
        page = str(explore.gateway.client.base_url).rstrip("/")
        with stream(explore.gateway, None, WATCH) as events:
            _, answer = events.event()
        with websocket(explore.gateway, Origin=page) as opened:
            opened.init()
            opened.subscribe(WATCH)
            error = opened.error()

    for each in (*answer["errors"], error):
        assert each["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        pytest.param(["--os-cloud", "mine"], {}, id="flag"),
        pytest.param([], {"OS_CLOUD": "mine"}, id="variable"),
    ],
)
def test_cloud_of_clouds_yaml_is_enough_for_the_first_query(
    keystone: Keystone,
    alice: User,
    tmp_path: Path,
    flags: list[str],
    variables: dict[str, str],
) -> None:
    """clouds.yaml has the cloud, secure.yaml the password."""
    files = clouds_yaml(tmp_path, keystone, alice)

    with exploring(*flags, **files, **variables) as explore:
        listed = use_and_read(explore)

    assert (listed, explore.text.splitlines()[0]) == (
        GOLDEN,
        "Cloud     mine, region RegionOne",
    )


def test_application_credential_is_enough(keystone: Keystone, alice: User) -> None:
    """Every kind of credential that openstackclient takes will do."""
    credential_id, secret = keystone.create_application_credential(alice)

    with exploring(
        OS_AUTH_TYPE="v3applicationcredential",
        OS_AUTH_URL=keystone.url,
        OS_APPLICATION_CREDENTIAL_ID=credential_id,
        OS_APPLICATION_CREDENTIAL_SECRET=secret,
    ) as explore:
        listed = use_and_read(explore)

    assert listed == GOLDEN


@pytest.mark.parametrize(
    ("flags", "more", "region", "path"),
    [
        pytest.param([], {}, "RegionOne", "", id="nothing-said"),
        pytest.param(
            ["--os-interface", "internal"], {}, "RegionOne", "/image", id="flag"
        ),
        pytest.param(
            [], {"OS_INTERFACE": "internal"}, "RegionOne", "/image", id="variable"
        ),
        pytest.param(
            ["--os-interface", "public"],
            {"OS_INTERFACE": "internal"},
            "RegionOne",
            "",
            id="flag-over-variable",
        ),
        pytest.param(
            ["--os-region-name", "RegionTwo"],
            {"OS_ENDPOINT_TYPE": "adminURL"},
            "RegionTwo",
            "/image/v2",
            id="region-and-old-words",
        ),
        pytest.param(
            ["--os-interface", "admin"],
            {"OS_REGION_NAME": "RegionOne"},
            "RegionOne",
            "/image/",
            id="region-of-variable",
        ),
    ],
)
def test_address_of_glance_is_the_catalogs(
    cloud: Cloud,
    variables: dict[str, str],
    flags: list[str],
    more: dict[str, str],
    region: str,
    path: str,
) -> None:
    """Region and interface choose of several, and each address works."""
    with exploring(*flags, **variables, **more) as explore:
        listed = explore.gateway.data(IMAGES, token=None)

    assert explore.text.splitlines()[:2] == [
        f"Cloud     of OS_*, region {region}",
        f"Glance    {cloud.glance_url}{path}",
    ]
    assert listed == NO_IMAGES


@pytest.mark.parametrize(
    ("flags", "more", "reason"),
    [
        pytest.param(
            ["--os-interface", "admin"],
            {},
            "Glance is in several regions, name one with --os-region-name:"
            " RegionOne, RegionTwo.",
            id="several-regions",
        ),
        pytest.param(
            ["--os-region-name", "RegionTwo"],
            {},
            "The catalog has no Glance public in RegionTwo; it has:"
            " public in RegionOne, internal in RegionOne, admin in RegionOne,"
            " admin in RegionTwo.",
            id="not-in-this-region",
        ),
        pytest.param(
            [],
            {"OS_PROJECT_NAME": ""},
            "Keystone's token has no catalog: name a project, as OS_PROJECT_NAME.",
            id="no-project",
        ),
        pytest.param(
            [],
            {"OS_PASSWORD": "wrong-secret"},
            REFUSED,
            id="wrong-password",
        ),
        pytest.param([], {"OS_USER_DOMAIN_ID": ""}, REFUSED, id="no-domain"),
        pytest.param(
            [],
            {"OS_AUTH_URL": "http://user:secret@127.0.0.1:9/v3"},
            "Keystone at http://127.0.0.1:9/v3 can't be reached.",
            id="no-keystone",
        ),
        pytest.param(
            [],
            {"OS_AUTH_URL": "{keystone}/nothing"},
            "Keystone at {keystone}/nothing can't be found: check OS_AUTH_URL, or"
            " auth_url.",
            id="not-keystone",
        ),
        pytest.param(
            [],
            {"OS_AUTH_TYPE": "none"},
            "The configuration makes no sense, such as options of another auth_type"
            " (there is no clouds.yaml, or none that can be read).",
            id="options-of-another-kind",
        ),
        pytest.param(
            [],
            {"OS_CACERT": "/nowhere/ca.pem"},
            "There is no file /nowhere/ca.pem (OS_CACERT, cacert).",
            id="no-certificates",
        ),
        pytest.param(
            [],
            {"OS_INSECURE": "true"},
            "Passwords and tokens go to no server that has not proved who it is:"
            " name its certificates (OS_CACERT, or cacert in clouds.yaml) instead"
            " of insecure or verify: false.",
            id="insecure",
        ),
        pytest.param(
            ["--os-cloud", "missing"],
            {"OS_CLIENT_CONFIG_FILE": "/nowhere.yaml"},
            "Cloud missing was not found (there is no clouds.yaml, or none that can"
            " be read).",
            id="no-clouds-yaml",
        ),
    ],
)
def test_cloud_that_can_not_be_used_is_one_line(
    keystone: Keystone,
    variables: dict[str, str],
    flags: list[str],
    more: dict[str, str],
    reason: str,
) -> None:
    """The line says what to set and holds no secret; nothing is served."""
    given = {name: text.format(keystone=keystone.url) for name, text in more.items()}

    ended = ended_explore(*flags, **variables | given)

    assert ended == Ended(1, "", reason.format(keystone=keystone.url) + "\n")


def test_nothing_configured_is_one_line() -> None:
    """Who has sourced nothing is told to."""
    ended = ended_explore()

    assert ended == Ended(
        1,
        "",
        "No cloud to ask, auth_url is missing: source an openrc, or name a cloud"
        " with --os-cloud (there is no clouds.yaml, or none that can be read).\n",
    )


def test_credentials_without_keystone_are_one_line() -> None:
    """Where no Keystone is asked, there is no token to lend."""
    ended = ended_explore(OS_AUTH_TYPE="none", OS_ENDPOINT="http://127.0.0.1:9")

    reason = "The auth_type none asks no Keystone for a token."
    assert ended == Ended(1, "", f"{reason}\n")


@pytest.mark.parametrize("text", ["[]", "clouds: [mine]", "clouds: {mine: 5}"])
def test_clouds_yaml_of_another_shape_is_one_line(tmp_path: Path, text: str) -> None:
    """It takes no traceback to say that a file is wrong."""
    file = tmp_path / "clouds.yaml"
    file.write_text(text)

    ended = ended_explore("--os-cloud", "mine", OS_CLIENT_CONFIG_FILE=str(file))

    assert (ended.status, ended.errors.count("\n")) == (1, 1)
    assert "clouds.yaml" in ended.errors


def test_clouds_are_named_where_none_is_chosen(
    keystone: Keystone, alice: User, tmp_path: Path
) -> None:
    """Of two clouds of clouds.yaml neither is taken by chance."""
    ended = ended_explore(**clouds_yaml(tmp_path, keystone, alice))

    assert ended == Ended(
        1,
        "",
        "No cloud to ask, auth_url is missing: source an openrc, or name a cloud"
        f" with --os-cloud ({tmp_path}/clouds.yaml has: mine, other).\n",
    )


def test_secrets_of_a_broken_clouds_yaml_are_not_shown(tmp_path: Path) -> None:
    """What can't be read may be a password."""
    file = tmp_path / "clouds.yaml"
    file.write_text('clouds: {mine: {auth: {password: "hunter2')

    ended = ended_explore("--os-cloud", "mine", OS_CLIENT_CONFIG_FILE=str(file))

    assert (ended.status, "hunter2" in ended.output + ended.errors) == (1, False)


def test_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openstacksdk the command says how to get it."""
    monkeypatch.setattr("gateway.cli.find_spec", lambda _: None)

    ended = CliRunner().invoke(cli, ["explore"])

    line = "explore needs openstacksdk: pip install 'glance-gateway[cloud]'.\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", line)


def test_no_other_host_can_be_asked_for() -> None:
    """There is no flag that would show the cloud to a network."""
    ended = ended_explore("--host", EVERYWHERE)

    assert ended.status == 2
    assert "No such option" in ended.errors


def test_only_the_loopback_address_listens(variables: dict[str, str]) -> None:
    """The settings of `serve` move nothing either."""
    with exploring(
        **variables, GATEWAY_HOST=EVERYWHERE, GATEWAY_WORKERS="2"
    ) as explore:
        with socket.socket() as other:
            refused = other.connect_ex(("127.0.0.2", explore.port))
        answered = explore.gateway.data(IMAGES, token=None)

    assert (refused != 0, answered) == (True, NO_IMAGES)


def test_taken_port_is_one_line(variables: dict[str, str]) -> None:
    """Keystone is not even asked."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = ended_explore("--port", str(port), **variables)

    assert ended.errors == taken_line(port, "--port")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_when_asked_to(variables: dict[str, str], stop: signal.Signals) -> None:
    """Ctrl-C ends it in order, and neither text nor errors hold a secret."""
    with exploring(**variables) as explore:
        explore.gateway.data(IMAGES, token=None)
        ended = explore.command.stop(stop)

    assert (ended.status, ended.output, ended.errors) == (0, explore.text, "")
    assert PASSWORD not in ended.output


def test_browser_is_opened_once_it_listens(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """The browser finds a gateway that answers."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    os.mkfifo(opened)
    browser.write_text(f"#!/bin/sh\necho $1 > {opened}\n")
    browser.chmod(0o755)
    port = free_port()

    with piped(
        *("explore", "--port", str(port)), BROWSER=str(browser), **variables
    ) as command:
        command.until(READY)
        address = opened.read_text()

    assert address == f"http://127.0.0.1:{port}/\n"


def test_certificates_of_the_cloud_vouch_for_glance_too(
    cloud: Cloud, variables: dict[str, str], tls: Tls
) -> None:
    """OS_CACERT is believed for Keystone and for Glance."""
    more = {
        "OS_AUTH_URL": tls.before(cloud.keystone.url),
        "OS_IMAGE_ENDPOINT_OVERRIDE": tls.before(cloud.glance_url),
        "OS_CACERT": str(tls.file),
    }

    with exploring(**variables | more) as explore:
        listed = use_and_read(explore)

    assert listed == GOLDEN


def test_unproved_keystone_is_one_line(
    keystone: Keystone, variables: dict[str, str], tls: Tls
) -> None:
    """A password goes to no server whose certificate nobody vouches for."""
    url = tls.before(keystone.url)

    ended = ended_explore(**variables | {"OS_AUTH_URL": url})

    reason = "has not proved who it is: name its certificates"
    where = "(OS_CACERT, or cacert in clouds.yaml)"
    assert ended == Ended(1, "", f"Keystone at {url} {reason} {where}.\n")


def test_token_that_lasts_is_lent_again(
    glance: GlanceDouble, variables: dict[str, str]
) -> None:
    """Keystone is asked for one token, not for one a request."""
    override = {"OS_IMAGE_ENDPOINT_OVERRIDE": glance.url, "GATEWAY_CACHE_URL": "none"}
    with exploring(**variables, **override) as explore:
        for _ in range(3):
            explore.gateway.data(IMAGES, token=None)

    tokens = lent_tokens(glance)
    assert (len(tokens), len(set(tokens))) == (3, 1)


def test_token_that_ends_soon_is_renewed(
    keystone: Keystone, glance: GlanceDouble, variables: dict[str, str]
) -> None:
    """No token is lent that ends within two minutes, where there is another."""
    with short_lived(keystone, SOON) as service:
        more = {
            "OS_AUTH_URL": f"{service.url}/v3",
            "OS_IMAGE_ENDPOINT_OVERRIDE": glance.url,
            "GATEWAY_CACHE_URL": "none",
        }
        with exploring(**variables | more) as explore:
            for _ in range(3):
                explore.gateway.data(IMAGES, token=None)

    assert len(set(lent_tokens(glance))) == 3


def test_renewal_that_fails_is_logged_and_the_last_token_lent(
    keystone: Keystone, variables: dict[str, str]
) -> None:
    """While it lasts, a token does without Keystone; each request tries again."""
    with ExitStack() as stack:
        with short_lived(keystone, SOON) as service:
            url = f"{service.url}/v3"
            given = variables | {"OS_AUTH_URL": url}
            explore = stack.enter_context(exploring(**given))
        listed = explore.gateway.data(IMAGES, token=None)
        ended = explore.command.stop(signal.SIGINT)

    reason = f"Keystone at {url} can't be reached."
    problem = f"The token ends soon and is not renewed: {reason}"
    line = f" WARNING gateway.explore.cloud: {problem}\n"
    assert listed == NO_IMAGES
    assert ended.errors.endswith(line)
    assert ended.errors.count("\n") == 1


@pytest.mark.parametrize("times", [1, 8], ids=["short answer", "long answer"])
def test_token_that_glance_refuses_is_replaced(
    glance: GlanceDouble, variables: dict[str, str], times: int
) -> None:
    """A token that was revoked costs one request, not all."""
    override = {"OS_IMAGE_ENDPOINT_OVERRIDE": glance.url, "GATEWAY_CACHE_URL": "none"}
    document = "{ %s }" % " ".join(
        f'i{n}: image(id: "{n}") {{ id }}' for n in range(times)
    )
    glance.always(Reply(HTTPStatus.UNAUTHORIZED))
    with exploring(**variables, **override) as explore:
        errors = explore.gateway.answer(document, token=None)["errors"]
        glance.script = lambda _: None
        listed = explore.gateway.data(IMAGES, token=None)

    assert {error["extensions"]["code"] for error in errors} == {"UNAUTHENTICATED"}
    assert listed == NO_IMAGES
    assert len(set(lent_tokens(glance))) == 2
