"""Warns the operator at the start if Glance is not at its configured address."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope
from anyio.from_thread import start_blocking_portal

from gateway.glance.startup_probe import find_problem
from gateway.glance.transport import Transport
from gateway.settings import Settings

logger = logging.getLogger(__name__)


@contextmanager
def checking_glance(settings: Settings) -> Iterator[None]:
    """Check for Glance once while the block runs, and log if it is not found.

    The check takes a few seconds at most and runs in a thread of its own. Nothing
    waits for it, and it is cancelled at the end of the block. With several workers,
    their parent process runs the check.
    """
    with start_blocking_portal() as portal:
        check = portal.start_task_soon(_check, settings)
        try:
            yield
        finally:
            if not check.cancel():
                check.result()


async def _check(settings: Settings) -> None:
    transport = Transport(
        connections=1, ca_file=settings.glance_ca_file, proxy=settings.glance_proxy
    )
    try:
        problem = await find_problem(transport, settings.glance_url)
    finally:
        with CancelScope(shield=True):
            await transport.close()
    if problem is not None:
        logger.warning("%s Check GATEWAY_GLANCE_URL. Serving anyway.", problem)
