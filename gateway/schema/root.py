"""The schema, put together once per process."""

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from gateway.execution.derived import attribute
from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.subscription import Subscription
from gateway.schema.types.scalars import SCALARS


@cache
def build_schema() -> strawberry.Schema:
    """Return the schema; one per process, as its types keep their resolvers."""
    config = StrawberryConfig(default_resolver=attribute, scalar_map=SCALARS)
    return strawberry.Schema(
        query=Query, mutation=Mutation, subscription=Subscription, config=config
    )
