"""Tokens with another time of expiry, sealed by Keystone's own code.

Arguments: keystone.conf, the token of a project, times. Prints a token a line.
"""

import sys
from collections.abc import Iterator

import keystone.conf
from keystone.token.token_formatters import ProjectScopedPayload, TokenFormatter


def reissued(configuration: str, token: str, *expiries: str) -> Iterator[str]:
    """Yield the token once for each time of expiry, else as it is."""
    keystone.conf.configure()
    keystone.conf.CONF([], default_config_files=[configuration])
    formatter = TokenFormatter()
    user_id, methods, audit_ids, *scope = formatter.validate_token(token)
    _system, _domain_id, project_id, *_ = scope
    for expires_at in expiries:
        yield formatter.create_token(
            user_id,
            expires_at,
            audit_ids,
            ProjectScopedPayload,
            methods=methods,
            project_id=project_id,
        )


if __name__ == "__main__":
    for line in reissued(*sys.argv[1:]):
        sys.stdout.write(f"{line}\n")
