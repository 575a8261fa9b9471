"""Whose program is at the other end of a connection within this machine.

Linux tells it of every TCP socket. Source: proc(5), /proc/net/tcp.
"""

import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

TABLES = Path("/proc/net/tcp"), Path("/proc/net/tcp6")
COLUMNS = 10

Address = tuple[str, int]


def knows_owners() -> bool:
    """Return whether this system can say whose connections are."""
    return TABLES[0].exists()


def is_own(client: Address, server: Address) -> bool:
    """Return whether a program of this process's user has opened the connection."""
    return any(
        owner_in(table.read_text().splitlines(), client, server) == os.geteuid()
        for table in TABLES
        if table.exists()
    )


def owner_in(table: Iterable[str], client: Address, server: Address) -> int | None:
    """Return the user id of the client's end, by IPv4 addresses.

    None where the table has no such end, or one that no program holds any more:
    such ends are listed as the administrator's.
    """
    ends = [
        [f"{packed(host)}:{port:04X}", f"{mapped(host)}:{port:04X}"]
        for host, port in (client, server)
    ]
    for line in table:
        columns = line.split()
        if len(columns) < COLUMNS:
            continue
        local, remote, owner, inode = (columns[i] for i in (1, 2, 7, 9))
        if local in ends[0] and remote in ends[1] and inode != "0":
            return int(owner)
    return None


def packed(host: str) -> str:
    """Return an IPv4 address as the table has it, in this machine's byte order."""
    return _words(socket.inet_pton(socket.AF_INET, host))


def mapped(host: str) -> str:
    """Return an IPv4 address as the table of IPv6 has it."""
    return _words(socket.inet_pton(socket.AF_INET6, f"::ffff:{host}"))


def _words(address: bytes) -> str:
    words = struct.unpack(f"={len(address) // 4}I", address)
    return "".join(f"{word:08X}" for word in words)
