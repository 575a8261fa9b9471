"""One's own cloud: who one is at its Keystone, and where its Glance is.

openstacksdk reads clouds.yaml, secure.yaml and the variables OS_*; keystoneauth
asks Keystone. Both block, and both may show secrets in what they say: their
words are never passed on.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from keystoneauth1.access import AccessInfo
from keystoneauth1.access.service_catalog import ServiceCatalog
from keystoneauth1.discover import EndpointData
from keystoneauth1.exceptions import (
    BadRequest,
    ClientException,
    ConnectFailure,
    ConnectTimeout,
    DiscoveryFailure,
    HttpError,
    MissingRequiredOptions,
    NotFound,
    SSLError,
    Unauthorized,
)
from keystoneauth1.identity import BaseIdentityPlugin
from keystoneauth1.session import Session
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import ConfigException

NAME = "glance-gateway"
KEYSTONE_TIMEOUT_SECONDS = 10
SERVICE_TYPE = "image"
# What openstacksdk calls the cloud of the variables OS_*.
ENVIRONMENT = "envvars"

logger = logging.getLogger(__name__)


class CloudFailed(Exception):
    """A cloud that can't be used; the reason in one line, without secrets."""


@dataclass(frozen=True, slots=True)
class CloudChoice:
    """Which cloud, and where in it; None leaves it to clouds.yaml and OS_*."""

    name: str | None = None
    region_name: str | None = None
    interface: str | None = None


@dataclass(frozen=True, slots=True)
class ImageEndpoint:
    """Where the catalog has Glance; the region's name may be unknown."""

    url: str
    region_name: str | None


class Cloud:
    """A cloud that has let us in.

    `ca_file` holds the certificates (PEM) that vouch for its services, None
    where the system's do.
    """

    def __init__(self, region: CloudRegion, ca_file: Path | None) -> None:
        """Ask Keystone for a token and its catalog; raises CloudFailed."""
        session = region.get_session()
        session.timeout = session.timeout or KEYSTONE_TIMEOUT_SECONDS
        if not isinstance(session.auth, BaseIdentityPlugin):
            kind = region.config["auth_type"]
            raise CloudFailed(f"The auth_type {kind} asks no Keystone for a token.")
        self.name = "of OS_*" if region.name == ENVIRONMENT else region.name
        self.ca_file = ca_file
        self._session: Session = session
        self._auth: BaseIdentityPlugin = session.auth
        self._keystone = f"Keystone at {_shown(self._auth.auth_url or '')}"
        self.image = _image_endpoint(region, self._access())

    def token(self) -> str:
        """Return a token that lasts for two minutes more; waits for Keystone.

        One that ends before is returned where Keystone can't renew it, which is
        logged. Raises CloudFailed once there is none.
        """
        try:
            access = self._access()
        except CloudFailed as failure:
            last = self._auth.auth_ref
            if last is None or last.will_expire_soon(stale_duration=0):
                raise
            logger.warning("The token ends soon and is not renewed: %s", failure)
            access = last
        return access.auth_token or ""

    def forget(self, token: str) -> None:
        """Let the next request get another token; a no-op for an earlier one."""
        last = self._auth.auth_ref
        if last is not None and last.auth_token == token:
            self._auth.invalidate()

    def _access(self) -> AccessInfo:
        try:
            return self._auth.get_access(self._session)
        except ClientException as error:
            raise CloudFailed(_reason(error, self._keystone)) from error


def connect(choice: CloudChoice) -> Cloud:
    """Return the cloud chosen, once Keystone has let us in; raises CloudFailed."""
    for library in "keystoneauth", "openstack":
        logging.getLogger(library).setLevel(logging.ERROR)
    with _configuration_failures("see clouds.yaml, secure.yaml and OS_*"):
        config = OpenStackConfig(app_name=NAME, app_version=version(NAME))
    with _configuration_failures(_known_clouds(config)):
        region = config.get_one(
            cloud=choice.name,
            region_name=choice.region_name,
            interface=choice.interface,
        )
    return Cloud(region, _ca_file(region))


@contextmanager
def _configuration_failures(known: str) -> Iterator[None]:
    """Say what of the configuration is missing or wrong, and what is known."""
    try:
        yield
    except MissingRequiredOptions as error:
        missing = ", ".join(option.dest for option in error.options)
        reason = (
            f"No cloud to ask, {missing} is missing: source an openrc, or name a"
            " cloud with --os-cloud"
        )
        raise CloudFailed(f"{reason} ({known}).") from error
    except (ConfigException, ClientException) as error:
        raise CloudFailed(f"{str(error).rstrip('.')} ({known}).") from error
    # What openstacksdk says to values that it has not expected.
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = (
            "The configuration makes no sense, such as options of another auth_type"
        )
        raise CloudFailed(f"{reason} ({known}).") from error


def _known_clouds(config: OpenStackConfig) -> str:
    if config.config_filename is None:
        return "there is no clouds.yaml, or none that can be read"
    names = [n for n in config.get_cloud_names() if n != ENVIRONMENT]
    return f"{config.config_filename} has: {', '.join(names)}"


def _ca_file(region: CloudRegion) -> Path | None:
    """Return who vouches for the cloud; raises CloudFailed where nobody shall."""
    verify, _ = region.get_requests_verify_args()
    if verify is False:
        raise CloudFailed(
            "Passwords and tokens go to no server that has not proved who it is:"
            " name its certificates (OS_CACERT, or cacert in clouds.yaml) instead of"
            " insecure or verify: false."
        )
    if not isinstance(verify, str):
        return None
    if not Path(verify).is_file():
        raise CloudFailed(f"There is no file {verify} (OS_CACERT, cacert).")
    return Path(verify)


def _image_endpoint(region: CloudRegion, access: AccessInfo) -> ImageEndpoint:
    """Return the one endpoint that is meant; raises CloudFailed."""
    wanted = region.get_region_name(SERVICE_TYPE) or None
    override = region.get_endpoint(SERVICE_TYPE)
    if override is not None:
        return ImageEndpoint(override, wanted)
    if not access.has_service_catalog():
        raise CloudFailed(
            "Keystone's token has no catalog: name a project, as OS_PROJECT_NAME."
        )
    interface = region.get_interface(SERVICE_TYPE)
    endpoints = _endpoints(access.service_catalog, interface, wanted)
    regions = sorted({str(endpoint.region_name) for endpoint in endpoints})
    if not endpoints:
        raise CloudFailed(_no_endpoint(access.service_catalog, interface, wanted))
    if len(regions) > 1:
        raise CloudFailed(
            "Glance is in several regions, name one with --os-region-name:"
            f" {', '.join(regions)}."
        )
    return ImageEndpoint(str(endpoints[0].url), endpoints[0].region_name)


def _endpoints(
    catalog: ServiceCatalog,
    interface: list[str] | str | None = None,
    region_name: str | None = None,
) -> list[EndpointData]:
    offered = catalog.get_endpoints_data(
        SERVICE_TYPE, interface=interface, region_name=region_name
    )
    return [endpoint for endpoints in offered.values() for endpoint in endpoints]


def _no_endpoint(
    catalog: ServiceCatalog, interface: list[str] | str | None, region: str | None
) -> str:
    offered = ", ".join(
        f"{endpoint.interface} in {endpoint.region_name}"
        for endpoint in _endpoints(catalog)
    )
    place = f"{interface} in {region}" if region else f"{interface}"
    return f"The catalog has no Glance {place}; it has: {offered or 'none at all'}."


def _reason(error: ClientException, keystone: str) -> str:
    """Return what has failed, and what to look at."""
    match error:
        case Unauthorized() | BadRequest():
            return (
                f"{keystone} rejects these credentials: check user, password or"
                " secret, project, and their domains."
            )
        case SSLError():
            return (
                f"{keystone} has not proved who it is: name its certificates"
                " (OS_CACERT, or cacert in clouds.yaml)."
            )
        case ConnectFailure() | ConnectTimeout():
            return f"{keystone} can't be reached."
        case NotFound() | DiscoveryFailure():
            return f"{keystone} can't be found: check OS_AUTH_URL, or auth_url."
        case HttpError():
            return f"{keystone} gives no token, but HTTP status {error.http_status}."
        case _:
            return f"{keystone} gives no token: {type(error).__name__}."


def _shown(url: str) -> str:
    """Return an address without what may be a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
