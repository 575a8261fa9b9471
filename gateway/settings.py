"""Settings: one table of names, defaults, units and meanings.

Each is an environment variable GATEWAY_*; flags of the command override them.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, FilePath, HttpUrl, TypeAdapter
from pydantic_settings import BaseSettings, SettingsConfigDict


def _http_url(text: str) -> str:
    TypeAdapter(HttpUrl).validate_python(text)
    return text


class Settings(BaseSettings):
    """What one gateway runs with; wrong values are all named at once."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", frozen=True, extra="forbid"
    )

    glance_url: Annotated[str, AfterValidator(_http_url)] = Field(
        description=(
            "Glance's address, as the service catalog has it: `http://ip:9292` or"
            " `http://ip/image`, with or without a slash or `/v2` at the end."
        )
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=256, description="Processes, one per core.")
    request_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="The longest one GraphQL request may take."
    )
    glance_timeout_seconds: float = Field(
        30, gt=0, le=3600, description="The longest one call to Glance may take."
    )
    glance_connections: int = Field(
        64, ge=1, le=10_000, description="Connections to Glance, for each worker."
    )
    glance_ca_file: FilePath | None = Field(
        None,
        description=(
            "Certificates (PEM) that vouch for Glance, instead of the system's."
        ),
    )
    fan_out: int = Field(
        16, ge=1, le=1000, description="Calls to Glance at once for one request."
    )
    forward_service_token: bool = Field(
        default=False, description="Whether X-Service-Token travels on to Glance."
    )
