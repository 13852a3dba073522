"""The Graph double: routes, authorisation, throttling, errors. It has no way to send.

A request to send is answered 403 and counted: Mail.Send is never consented, and a test may ask
whether anybody tried. Fault kinds of ``graph`` beside the common ones: ``delta_expired``,
``delta_duplicates``, ``string_booleans``, ``no_preference_applied``, ``foreign_next_link``.
"""

import base64
import json
import re
import sqlite3
import uuid
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from swarm.sandbox.faults import Faults
from swarm.sandbox.graph import odata
from swarm.sandbox.graph.delta import Delta, DeltaGoneError
from swarm.sandbox.graph.mailbox import FOLDERS, Mailboxes, Message, graph_time
from swarm.sandbox.graph.people import People
from swarm.sandbox.graph.rendering import Preferences, message_id, rendered
from swarm.sandbox.graph.replies import reply_draft
from swarm.sandbox.graph.tokens import Tokens
from swarm.sandbox.state import Json, State, dumps
from swarm.sandbox.wire import Reply, Request, json_reply

MOST_CONCURRENT = 4
_MOST_BATCHED = 20
_TRANSLATED = {"restImmutableEntryId", "restId"}
_ERRORS = 400
_WRITABLE = {"subject": "subject", "toRecipients": "toRecipients", "ccRecipients": "ccRecipients"}

Handler = Callable[..., Reply]


class GraphDouble:
    """Everything below ``/graph/v1.0``."""

    def __init__(self, state: State, faults: Faults) -> None:
        self.mailboxes = Mailboxes(state)
        self.people = People(self.mailboxes)
        self.tokens = Tokens()
        self.delta = Delta(state, self.mailboxes, faults)
        self.send_attempts = 0
        self._faults = faults
        user, message = r"/users/(?P<mailbox>[^/]+)", r"/messages/(?P<given>[^/]+)"
        folder = r"/mailFolders/(?P<folder>[^/]+)"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", rf"{user}/messages", self._list),
            ("GET", rf"{user}{folder}/messages", self._list),
            ("GET", rf"{user}{folder}/messages/delta", self._delta),
            ("GET", rf"{user}/mailFolders", self._folders),
            ("GET", rf"{user}{folder}", self._folder),
            ("GET", rf"{user}{message}/attachments", self._attachments),
            ("GET", rf"{user}{message}/attachments/(?P<attached>[^/]+)", self._attachment),
            ("GET", rf"{user}{message}/attachments/(?P<attached>[^/]+)/\$value", self._value),
            ("GET", rf"{user}{message}", self._get),
            ("PATCH", rf"{user}{message}", self._patch),
            ("DELETE", rf"{user}{message}", self._delete),
            ("POST", rf"{user}{message}/(?P<action>createReply|createReplyAll)", self._reply),
            ("POST", rf"{user}/translateExchangeIds", self._translate),
            ("POST", r"/users/[^/]+/sendMail", self._refuse_to_send),
            (
                "POST",
                r"/users/[^/]+/messages/[^/]+/(send|reply|replyAll|forward)",
                self._refuse_to_send,
            ),
            ("POST", r"/\$batch", self._batch),
        ]
        self._routes = [(method, re.compile(path), handler) for method, path, handler in routes]

    def handle(self, request: Request) -> Reply:
        """Answer one request, ids and errors as Graph gives them."""
        self.mailboxes.arrive()
        if not self.tokens.accepts(request.headers.get("authorization", "")):
            reply = error(401, "InvalidAuthenticationToken", "Access token is invalid or expired.")
        else:
            reply = self._routed(request)
        return _labelled(request, reply)

    def _routed(self, request: Request) -> Reply:
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return self._answered(handler, request, found.groupdict())
        return error(404, "UnknownError", "Resource not found for the segment.")

    def _answered(self, handler: Handler, request: Request, parts: dict[str, str]) -> Reply:
        try:
            reply = handler(request, **{name: unquote(part or "") for name, part in parts.items()})
        except odata.QueryError as refused:
            return error(400, refused.code, str(refused))
        except DeltaGoneError:
            return error(410, "syncStateNotFound", "The sync state generation is not found.")
        except LookupError:
            return error(404, "ErrorItemNotFound", "The specified object was not found.")
        if self._faults.take("graph", "no_preference_applied"):
            headers = {k: v for k, v in reply.headers.items() if k != "preference-applied"}
            return Reply(reply.status, reply.body, headers)
        return reply

    # --- reading ---------------------------------------------------------------------------------

    def _list(self, request: Request, mailbox: str, folder: str = "") -> Reply:
        query, preferences = odata.parse(request.query), Preferences.read(request.headers)
        where, values = query.where, [*query.values]
        if folder:
            where, values = f"({where}) AND folder = ?", [*values, self._folder_id(mailbox, folder)]
        ordered = f"m.pk IN (SELECT pk FROM messages m WHERE m.mailbox = ? AND {where}"
        ordered += f" ORDER BY {query.order} LIMIT {query.top + 1} OFFSET {query.skip})"
        found = self.mailboxes.find(mailbox, ordered, [mailbox.lower(), *values], query.top + 1)
        if query.order != "m.pk DESC":
            found.sort(key=lambda each: each.received, reverse=query.order.endswith("DESC"))
        body: Json = {
            "value": [self._expanded(each, query, preferences) for each in found[: query.top]]
        }
        if len(found) > query.top:
            body["@odata.nextLink"] = self._next_link(request, query.skip + query.top)
        return json_reply(200, body, preferences.applied())

    def _next_link(self, request: Request, skip: int) -> str:
        address = request.url.partition("?")[0]
        if self._faults.take("graph", "foreign_next_link"):
            address = "http://foreign.example.net/v1.0/messages"
        return f"{address}?{urlencode({**request.query, '$skip': str(skip)})}"

    def _expanded(self, message: Message, query: odata.Query, preferences: Preferences) -> Json:
        body = rendered(message, preferences, query.select)
        if query.expand_property:
            own = self.mailboxes.properties(message)
            value = own.get(query.expand_property)
            listed = [{"id": query.expand_property, "value": value}] if value is not None else []
            body["singleValueExtendedProperties"] = listed
        return body

    def _get(self, request: Request, mailbox: str, given: str) -> Reply:
        preferences = Preferences.read(request.headers)
        message = self._message(mailbox, given)
        odata.only(request.query, "$select", "$expand")
        query = odata.parse(request.query)
        return json_reply(200, self._expanded(message, query, preferences), preferences.applied())

    def _delta(self, request: Request, mailbox: str, folder: str) -> Reply:
        return self.delta.handle(request, mailbox, self._folder_id(mailbox, folder))

    def _folders(self, request: Request, mailbox: str) -> Reply:
        preferences = Preferences.read(request.headers)
        odata.only(request.query, "$select", "$top", "$skip")
        query = odata.parse(request.query)
        found = [_folder_json(each, query.select) for each in self.mailboxes.folders(mailbox)]
        return self._page(request, found, query, preferences)

    def _page(
        self, request: Request, found: list[Json], query: odata.Query, preferences: Preferences
    ) -> Reply:
        until = query.skip + query.top
        body: Json = {"value": found[query.skip : until]}
        if len(found) > until:
            body["@odata.nextLink"] = self._next_link(request, until)
        return json_reply(200, body, preferences.applied())

    def _folder(self, request: Request, mailbox: str, folder: str) -> Reply:
        wanted = self._folder_id(mailbox, folder)
        found = next(each for each in self.mailboxes.folders(mailbox) if each["id"] == wanted)
        odata.only(request.query, "$select")
        shown = _folder_json(found, odata.names(request.query.get("$select", "")))
        return json_reply(200, shown, Preferences.read(request.headers).applied())

    def _attachments(self, request: Request, mailbox: str, given: str) -> Reply:
        odata.only(request.query, "$select", "$top", "$skip")
        query = odata.parse(request.query)
        kind = {"@odata.type": "#microsoft.graph.fileAttachment"}
        found = [
            {**kind, **_selected(each, query.select)}
            for each in self._message(mailbox, given).texts("attachments")
        ]
        return self._page(request, found, query, Preferences.read(request.headers))

    def _attachment(self, request: Request, mailbox: str, given: str, attached: str) -> Reply:
        odata.only(request.query, "$select")
        found = self._attached(mailbox, given, attached)
        shown = _selected(found, odata.names(request.query.get("$select", "")))
        kind = {"@odata.type": "#microsoft.graph.fileAttachment"}
        return json_reply(200, {**kind, **shown}, Preferences.read(request.headers).applied())

    def _value(self, request: Request, mailbox: str, given: str, attached: str) -> Reply:
        odata.only(request.query)
        found = self._attached(mailbox, given, attached)
        headers = {
            "content-type": str(found.get("contentType") or "application/octet-stream"),
            **Preferences.read(request.headers).applied(),
        }
        return Reply(200, base64.b64decode(str(found.get("contentBytes") or "")), headers)

    def _attached(self, mailbox: str, given: str, attached: str) -> Json:
        listed = self._message(mailbox, given).texts("attachments")
        found = next((each for each in listed if each.get("id") == attached), None)
        if found is None:
            raise LookupError(attached)
        return found

    def _translate(self, request: Request, mailbox: str) -> Reply:
        wanted = request.json()
        ids = wanted.get("inputIds")
        if {wanted.get("sourceIdType"), wanted.get("targetIdType")} != _TRANSLATED:
            return error(400, "ErrorInvalidRequest", "Only between immutable and REST ids.")
        rest = wanted.get("targetIdType") == "restId"
        value = []
        for each in ids if isinstance(ids, list) else []:
            message = self._message(mailbox, str(each))
            target = message.rest_id if rest else message.immutable_id
            value.append({"sourceId": each, "targetId": target})
        return json_reply(200, {"value": value}, Preferences.read(request.headers).applied())

    # --- writing ---------------------------------------------------------------------------------

    def _patch(self, request: Request, mailbox: str, given: str) -> Reply:
        message = self._message(mailbox, given)
        if not message.is_draft:
            return error(403, "ErrorAccessDenied", "Access is denied: not a draft.")
        wanted, preferences = request.json(), Preferences.read(request.headers)
        content = {ours: wanted[name] for name, ours in _WRITABLE.items() if name in wanted}
        body = wanted.get("body")
        if isinstance(body, dict):
            content["html"] = content["uniqueHtml"] = str(body.get("content") or "")
        self.mailboxes.set_properties(message, _properties(wanted))
        changed = self.mailboxes.change(message, content)
        return json_reply(200, rendered(changed, preferences), preferences.applied())

    def _delete(self, request: Request, mailbox: str, given: str) -> Reply:
        self.mailboxes.purge(self._message(mailbox, given))
        return Reply(204)

    def _reply(self, request: Request, mailbox: str, given: str, action: str) -> Reply:
        wanted = {name.lower(): value for name, value in request.json().items()}
        new, comment = wanted.get("message"), wanted.get("comment")
        new = new if isinstance(new, dict) else {}
        body = new.get("body")
        if comment is not None and isinstance(body, dict):
            return error(400, "ErrorInvalidRequest", "Comment and Message.Body are exclusive.")
        own = str(body.get("content") or "") if isinstance(body, dict) else str(comment or "")
        draft = reply_draft(
            self.mailboxes,
            self._message(mailbox, given),
            own,
            reply_all=action == "createReplyAll",
            subject=str(new["subject"]) if "subject" in new else None,
            quote=not isinstance(body, dict),
        )
        self.mailboxes.set_properties(draft, _properties(new))
        preferences = Preferences.read(request.headers)
        return json_reply(201, rendered(draft, preferences), preferences.applied())

    def _refuse_to_send(self, _request: Request, **_parts: str) -> Reply:
        self.send_attempts += 1
        return error(403, "ErrorAccessDenied", "Access is denied. Mail.Send was never consented.")

    # --- batch -----------------------------------------------------------------------------------

    def _batch(self, request: Request) -> Reply:
        wanted = request.json().get("requests")
        listed = wanted if isinstance(wanted, list) else []
        parts = [each for each in listed if isinstance(each, dict)]
        if not 1 <= len(parts) <= _MOST_BATCHED:
            return error(400, "BadRequest", "A batch holds from 1 to 20 requests.")
        answers: dict[str, Json] = {}
        for part in parts:
            answers[str(part.get("id"))] = self._batched(request, part, answers)
        return json_reply(200, {"responses": list(reversed(answers.values()))})

    def _batched(self, outer: Request, part: Json, answers: dict[str, Json]) -> Json:
        identifier, depends = str(part.get("id")), part.get("dependsOn")
        before = [answers.get(str(each)) for each in depends] if isinstance(depends, list) else []
        if any(each is None or int(str(each["status"])) >= _ERRORS for each in before):
            failed = error(424, "FailedDependency", "A request this one depends on failed.")
            return _batch_answer(identifier, failed)
        split = urlsplit(str(part.get("url")))
        headers = part.get("headers")
        own = {k.lower(): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}
        inner = Request(
            method=str(part.get("method")),
            path=split.path,
            query=dict(parse_qsl(split.query)),
            headers={**own, "authorization": outer.headers.get("authorization", "")},
            body=dumps(part.get("body") or {}).encode(),
            url=outer.url.removesuffix("/$batch") + str(part.get("url")),
        )
        return _batch_answer(identifier, self.handle(inner))

    # --- looking up ------------------------------------------------------------------------------

    def _message(self, mailbox: str, given: str) -> Message:
        message = self.mailboxes.get(mailbox, given)
        if message is None:
            raise LookupError(given)
        return message

    def _folder_id(self, mailbox: str, folder: str) -> str:
        if folder.lower() in FOLDERS:
            return self.mailboxes.folder_id(mailbox, folder.lower())
        if any(each["id"] == folder for each in self.mailboxes.folders(mailbox)):
            return folder
        raise LookupError(folder)

    # --- for Zapier and the control API ----------------------------------------------------------

    def shown(self, message: Message) -> Json:
        """Return a message with everything a test may want to see."""
        seen = rendered(message, Preferences(immutable=True))
        return {
            **seen,
            "restId": message_id(message, Preferences()),
            "folder": self.mailboxes.folder_name(message.folder),
            "properties": self.mailboxes.properties(message),
            "uniqueHtml": message.content.get("uniqueHtml"),
            "internetMessageHeaders": message.texts("headers"),
        }


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    """Return an OData error; ids and date are put into ``innerError`` by the caller's label."""
    return json_reply(status, {"error": {"code": code, "message": message}}, headers)


def _labelled(request: Request, reply: Reply) -> Reply:
    """Give the reply its request ids, in the headers and inside an error."""
    own, theirs = str(uuid.uuid4()), request.headers.get("client-request-id", "")
    headers = {**reply.headers, "request-id": own}
    if theirs:
        headers["client-request-id"] = theirs
    body = reply.body
    if reply.status >= _ERRORS and body.endswith(b"}}"):
        inner = {"date": graph_time()[:-1], "request-id": own, "client-request-id": theirs or own}
        body = body[:-2] + b',"innerError":' + dumps(inner).encode() + b"}}"
    return Reply(reply.status, body, headers, reply.cut)


def _properties(wanted: Json) -> list[Json]:
    value = wanted.get("singleValueExtendedProperties")
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _selected(shown: Json, select: tuple[str, ...]) -> Json:
    return {name: each for name, each in shown.items() if not select or name in ("id", *select)}


def _folder_json(found: sqlite3.Row, select: tuple[str, ...]) -> Json:
    shown: Json = {
        "id": found["id"],
        "displayName": found["display"],
        "childFolderCount": 0,
        "totalItemCount": found["items"],
        "unreadItemCount": 0,
        "isHidden": False,
    }
    return _selected(shown, select)


def _batch_answer(identifier: str, reply: Reply) -> Json:
    return {
        "id": identifier,
        "status": reply.status,
        "headers": dict(reply.headers),
        "body": json.loads(reply.body) if reply.body else None,
    }
