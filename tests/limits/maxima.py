"""The limits on documents, as they are set by default."""

from dataclasses import replace

from gateway.app import document_maxima
from gateway.limits.document import Maxima
from gateway.settings import Settings


def default_maxima(**others: int) -> Maxima:
    """Return the defaults of the settings, but for `others`."""
    return replace(document_maxima(Settings(glance_url="http://glance")), **others)
