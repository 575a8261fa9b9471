"""The schema, put together once per process."""

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.types.derived import attribute
from gateway.schema.types.scalars import SCALARS


class GatewaySchema(strawberry.Schema):
    """A schema whose errors are logged in `schema.errors` alone."""

    def process_errors(self, errors: object, execution_context: object = None) -> None:
        """Log nothing here: `present` decides what is worth a log line."""


@cache
def build_schema() -> strawberry.Schema:
    """Return the schema; one per process, as its types keep their resolvers."""
    config = StrawberryConfig(default_resolver=attribute, scalar_map=SCALARS)
    return GatewaySchema(query=Query, mutation=Mutation, config=config)
