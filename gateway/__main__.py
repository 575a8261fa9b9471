"""`python -m gateway` is `glance-gateway`."""

from gateway.cli import run

run()
