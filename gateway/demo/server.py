"""The child process: a WSGI application of OpenStack's, served by cheroot.

It is served at `/` and, as clouds with one address for all services do,
at `/image`; it says `ready` on standard output once it listens, and ends when
its standard input does, so that it never outlives its parent.
"""

import argparse
import signal
import sys
import threading
from importlib import import_module

from cheroot.wsgi import PathInfoDispatcher, Server
from sqlalchemy import Engine, event

from gateway.stop_signals import STOP_SIGNALS


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--application", required=True)
    options = parser.parse_args()
    # Our parent held them while it started us.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    event.listen(Engine, "before_cursor_execute", begin_to_write, retval=True)
    # Keystone takes what is left for arguments of its own.
    del sys.argv[1:]
    application = import_module(options.application).application
    server = Server(
        (options.host, options.port),
        # cheroot's stubs leave it untyped.
        PathInfoDispatcher({"/": application, "/image": application}),  # type: ignore[no-untyped-call]
        numthreads=8,
        request_queue_size=128,
    )
    server.prepare()
    print("ready", flush=True)
    threading.Thread(target=stop_at_end_of_input, args=[server], daemon=True).start()
    server.serve()


def begin_to_write(
    _connection: object, _cursor: object, statement: str, parameters: object, *_: object
) -> tuple[str, object]:
    """Let every transaction wait for its turn to write before it begins.

    SQLite refuses at once one that has read and wants to write while another
    writes: of equal requests some would fail, and imports would never end.
    """
    return "BEGIN IMMEDIATE" if statement == "BEGIN" else statement, parameters


def stop_at_end_of_input(server: Server) -> None:
    """Wait for the parent to close our standard input, then stop."""
    sys.stdin.buffer.read()
    server.stop()


if __name__ == "__main__":
    main()
