"""The command, with all that any part of it has to say in its log."""

import logging
from functools import partial
from typing import Any

from uvicorn.logging import TRACE_LOG_LEVEL

import gateway.cli
from gateway.server.config import server_config

if __name__ == "__main__":

    def talkative(*arguments: Any, log_level: str) -> Any:
        """Return what the server is told, but for the level of its log."""
        del log_level
        return partial(server_config, log_level="trace")(*arguments)

    vars(gateway.cli)["server_config"] = talkative
    logging.getLogger().setLevel(TRACE_LOG_LEVEL)
    gateway.cli.run()
