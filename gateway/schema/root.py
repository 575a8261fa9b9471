"""The schema, put together once per process."""

from collections.abc import Iterator
from functools import cache

import strawberry
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.types.derived import attribute
from gateway.schema.types.scalars import SCALARS


class OneOperation(SchemaExtension):
    """Refuses a request that does not say which of its operations it means.

    Strawberry would execute the first one. Source: GraphQL specification,
    section 6.1, GetOperation.
    """

    def on_validate(self) -> Iterator[None]:
        """Refuse it as validation would."""
        context = self.execution_context
        document = context.graphql_document
        operations = [
            definition
            for definition in (document.definitions if document else ())
            if isinstance(definition, OperationDefinitionNode)
        ]
        if len(operations) > 1 and context._provided_operation_name is None:  # noqa: SLF001
            message = "The document has several operations: say which by operationName."
            context.pre_execution_errors = [GraphQLError(message)]
        yield


class GatewaySchema(strawberry.Schema):
    """A schema whose errors are logged in `schema.errors` alone."""

    def process_errors(self, errors: object, execution_context: object = None) -> None:
        """Log nothing here: `present` decides what is worth a log line."""


@cache
def build_schema() -> strawberry.Schema:
    """Return the schema; one per process, as its types keep their resolvers."""
    config = StrawberryConfig(default_resolver=attribute, scalar_map=SCALARS)
    return GatewaySchema(
        query=Query, mutation=Mutation, config=config, extensions=[OneOperation]
    )
