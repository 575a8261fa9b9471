"""A server without a framework: what uvicorn itself costs for an answer.

Run by `execution` under uvicorn. `BARE_ANSWERS` is a folder with a file for
each load, which is sent as it is for a request to the path of its name.
"""

import os
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

ANSWERS = {
    f"/{file.name}": file.read_bytes()
    for file in Path(os.environ["BARE_ANSWERS"]).iterdir()
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request's body and send the answer of its path."""
    assert scope["type"] == "http"
    message: dict[str, Any] = {"more_body": True}
    while message.get("more_body"):
        message = dict(await receive())
    body = ANSWERS[scope["path"]]
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
