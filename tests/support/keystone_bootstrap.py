"""What makes an empty folder a Keystone's, in one process: it starts slowly.

Arguments: keystone.conf, the address of the Keystone to be, a password.
"""

import sys

from keystone.cmd import cli
from keystone.conf import CONF


def bootstrap(configuration: str, url: str, password: str) -> None:
    """Make the database, and in it `admin`, who administers the project `admin`."""
    manage(configuration, "db_sync")
    manage(
        configuration,
        "bootstrap",
        f"--bootstrap-password={password}",
        "--bootstrap-region-id=RegionOne",
        f"--bootstrap-public-url={url}",
        f"--bootstrap-internal-url={url}",
    )


def manage(configuration: str, *command: str) -> None:
    """Run keystone-manage, which expects a process of its own each time."""
    CONF.reset()
    cli.main(["keystone-manage", "--config-file", configuration, *command])


if __name__ == "__main__":
    bootstrap(*sys.argv[1:])
