"""What the reference's audits of GraphQL over HTTP say."""

import json
from pathlib import Path

from tests.support.gateway import Gateway
from tests.support.node import installed, run_node

AUDITS = 61


def test_all_audits_of_graphql_http_pass(gateway: Gateway, tmp_path: Path) -> None:
    """MUST, SHOULD and MAY."""
    folder = installed(Path(__file__).parent / "audits", tmp_path)
    url = str(gateway.client.base_url.join("/graphql"))

    results = json.loads(run_node(folder, "audit.js", url))

    assert [one for one in results if one["status"] != "ok"] == []
    assert len(results) == AUDITS
