"""Tells the operator at the start if there is no Glance to serve."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope
from anyio.from_thread import start_blocking_portal

from gateway.glance.first_look import first_look
from gateway.glance.transport import Transport
from gateway.settings import Settings

logger = logging.getLogger(__name__)


@contextmanager
def looking_at_glance(settings: Settings) -> Iterator[None]:
    """Look for Glance once while the block runs, and log if it is not found.

    The look takes some seconds at most, in a thread of its own: nothing waits for it,
    and it ends with the block. With several workers, their parent looks.
    """
    with start_blocking_portal() as portal:
        look = portal.start_task_soon(_look, settings)
        try:
            yield
        finally:
            if not look.cancel():
                look.result()


async def _look(settings: Settings) -> None:
    transport = Transport(
        connections=1, ca_file=settings.glance_ca_file, proxy=settings.glance_proxy
    )
    try:
        problem = await first_look(transport, settings.glance_url)
    finally:
        with CancelScope(shield=True):
            await transport.close()
    if problem is not None:
        logger.warning("%s Check GATEWAY_GLANCE_URL. Serving anyway.", problem)
