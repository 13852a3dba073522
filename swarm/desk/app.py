"""The desk as an application: its routes, and nothing of what stands on a page."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from swarm.observe.status import status
from swarm.store.database import Database


def desk(database: Database) -> Starlette:
    """Return the application over ``database``."""

    def home(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(status(database).model_dump_json(indent=1))

    return Starlette(routes=[Route("/", home)])
