"""Our query texts and the double's schema against monday's published SDL."""

from importlib import resources
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)

from swarm.clients.monday_http import document
from swarm.sandbox.monday.resolvers import schema as sandbox_schema

pytestmark = pytest.mark.integration


def names() -> list[str]:
    """Every document we send, fragments apart."""
    folder = resources.files("swarm.clients") / "queries"
    stems = [each.name.removesuffix(".graphql") for each in folder.iterdir()]
    return sorted(stem for stem in stems if stem != "item.fragment")


@pytest.fixture(scope="module")
def monday_schema(monday_contract: Path) -> GraphQLSchema:
    return build_schema(monday_contract.read_text("utf-8"))


@pytest.mark.parametrize("name", names())
def test_each_document_of_ours_is_valid_for_monday(monday_schema: GraphQLSchema, name: str) -> None:
    assert validate(monday_schema, parse(document(name))) == []


@pytest.mark.parametrize("name", names())
def test_each_document_of_ours_is_valid_for_the_double(name: str) -> None:
    assert validate(sandbox_schema(), parse(document(name))) == []


def test_the_double_knows_no_type_field_or_argument_that_monday_does_not(
    monday_schema: GraphQLSchema,
) -> None:
    strange = []
    for name, ours in sandbox_schema().type_map.items():
        if name.startswith("__"):
            continue
        theirs = monday_schema.type_map.get(name)
        if type(theirs) is not type(ours):
            strange.append(name)
        elif isinstance(ours, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
            strange += [f"{name}.{value}" for value in set(ours.values) - set(theirs.values)]
        elif isinstance(ours, _FIELDED) and isinstance(theirs, _FIELDED):
            strange += _strange_fields(name, ours, theirs)
    assert strange == []


_FIELDED = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)
_Fielded = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


def _strange_fields(name: str, ours: _Fielded, theirs: _Fielded) -> list[str]:
    strange = []
    for field_name, field in ours.fields.items():
        real = theirs.fields.get(field_name)
        if real is None or str(real.type) != str(field.type):
            strange.append(f"{name}.{field_name}")
            continue
        own_arguments, real_arguments = getattr(field, "args", {}), getattr(real, "args", {})
        strange += [
            f"{name}.{field_name}({argument})"
            for argument, value in own_arguments.items()
            if argument not in real_arguments
            or str(real_arguments[argument].type) != str(value.type)
        ]
    return strange


def test_input_objects_lack_nothing_that_monday_requires(monday_schema: GraphQLSchema) -> None:
    for name, ours in sandbox_schema().type_map.items():
        theirs = monday_schema.type_map[name]
        if isinstance(ours, GraphQLInputObjectType) and isinstance(theirs, GraphQLInputObjectType):
            required = {field for field, each in theirs.fields.items() if str(each.type)[-1] == "!"}
            assert required <= set(ours.fields)
