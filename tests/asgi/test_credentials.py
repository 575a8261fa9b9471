"""Where a token is looked for, and which are refused."""

import pytest

from gateway.identity import Identity, InvalidToken
from tests.support.gateway import Gateway
from tests.support.glance_double import GlanceDouble, json_reply

SHOW = "{ image(id: 1) { id } }"
BIG = "t" * (8 * 1024)

SPELLINGS = [
    pytest.param({"X-Auth-Token": "t"}, id="X-Auth-Token"),
    pytest.param({"x-auth-token": "t"}, id="lower case"),
    pytest.param({"X-AUTH_TOKEN": "t"}, id="X-AUTH_TOKEN"),
    pytest.param({"Authorization": "Bearer t"}, id="Bearer"),
    pytest.param({"Authorization": "bearer t"}, id="bearer"),
    pytest.param({"X-Auth-Token": "t", "X-AUTH_TOKEN": "x"}, id="canonical wins"),
    pytest.param({"X-AUTH_TOKEN": "t", "Authorization": "Bearer x"}, id="header wins"),
]


@pytest.mark.parametrize("headers", SPELLINGS)
def test_token_is_found_in_every_spelling(
    gateway: Gateway, double: GlanceDouble, headers: dict[str, str]
) -> None:
    """However the client sends it, Glance gets it as X-Auth-Token."""
    double.always(json_reply({"id": "1"}))

    gateway.post(SHOW, headers=headers)

    assert double.calls[0].headers["x-auth-token"] == "t"
    assert "authorization" not in double.calls[0].headers


@pytest.mark.parametrize(
    "headers", [{}, {"X-Auth-Token": ""}, {"Authorization": "Basic dTpw"}]
)
def test_request_without_a_token_asks_glance_nothing(
    gateway: Gateway, double: GlanceDouble, headers: dict[str, str]
) -> None:
    """Without a token a request is UNAUTHENTICATED before any call."""
    answer = gateway.post(SHOW, headers=headers).json()

    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert (codes, "data" in answer) == (["UNAUTHENTICATED"], False)
    assert double.calls == []


def test_introspection_needs_no_token(gateway: Gateway) -> None:
    """The schema is no secret."""
    data = gateway.data("{ __schema { queryType { name } } }", token=None)

    assert data == {"__schema": {"queryType": {"name": "Query"}}}


REFUSED = [
    pytest.param(b"a\tb", id="control character"),
    pytest.param("tokén".encode(), id="not ASCII"),
    pytest.param(BIG.encode() + b"t", id="over 8 KiB"),
]


@pytest.mark.parametrize("token", REFUSED)
def test_token_that_no_header_may_carry_is_refused(
    gateway: Gateway, double: GlanceDouble, token: bytes
) -> None:
    """Such a token is refused before any call, and not repeated."""
    response = gateway.client.post(
        "/graphql", json={"query": SHOW}, headers={b"X-Auth-Token": token}
    )

    assert response.status_code == 401
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert token.decode() not in error["message"]
    assert double.calls == []


def test_token_of_8_kib_is_forwarded(gateway: Gateway, double: GlanceDouble) -> None:
    """PKI-like tokens are long."""
    double.always(json_reply({"id": "1"}))

    gateway.data(SHOW, token=BIG)

    assert double.calls[0].headers["x-auth-token"] == BIG


@pytest.mark.parametrize("token", ["a\nb", "a\rb", "a\0b", "é", BIG + "t"])
def test_identity_refuses_what_is_no_token(token: str) -> None:
    """The type itself keeps out what a header may not carry."""
    with pytest.raises(InvalidToken) as caught:
        Identity(token)

    assert token not in str(caught.value)


def test_identity_hides_its_tokens() -> None:
    """Neither token is in the repr; the scope is a digest."""
    identity = Identity("very-secret", "service-secret")

    assert "secret" not in repr(identity)
    assert len(identity.scope) == 64


def test_scope_tells_identities_apart() -> None:
    """Every difference in who asks is a difference in scope."""
    identities = [
        Identity("a"),
        Identity("b"),
        Identity("a", "b"),
        Identity("b", "a"),
        Identity("ab"),
    ]

    assert len({identity.scope for identity in identities}) == 5
    assert Identity("a").scope == Identity("a").scope
