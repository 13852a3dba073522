"""The control API: seed data, play the human, switch faults, look at what happened.

For tests and for ``swarm up`` only; no client of ours knows these paths. Each operation is a POST
of one JSON object to ``/_sandbox/<name>`` and answers JSON.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime

from swarm.sandbox.addresses import CONTACTS_BOARD, DEALS_BOARD, MAILBOX
from swarm.sandbox.automatic import Automatic
from swarm.sandbox.faults import SERVICES, Faults
from swarm.sandbox.forgetting import forget, forgotten
from swarm.sandbox.graph.mailbox import Message, graph_time, recipient
from swarm.sandbox.graph.people import AGENT
from swarm.sandbox.graph.rendering import text_to_html
from swarm.sandbox.graph.service import GraphDouble
from swarm.sandbox.model import ModelDouble
from swarm.sandbox.monday.service import MondayDouble
from swarm.sandbox.samples import load_samples
from swarm.sandbox.state import Json, State, token
from swarm.sandbox.wire import Reply, Request, json_reply
from swarm.sandbox.zapier import ZapierDouble

Operation = Callable[[Json], object]

# What each operation knows; an argument that would be passed over is refused.
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    name: frozenset(arguments.split())
    for name, arguments in {
        "mail": "sender sender_name subject body_text body_html quoted_html received_at from_us"
        " conversation_id internet_message_id reply_to to cc headers attachments folder is_draft"
        " mailbox",
        "messages": "mailbox folder conversation_id drafts limit",
        "human": "operation message_id mailbox body_html folder copy_after agent to keep",
        "human/auto": "seed odds delay_seconds unanswered unanswered_after",
        "contact": "name email phone company state",
        "deal": "name contact links status delivery_date amount notes",
        "update": "item text author parent",
        "faults": "service kind times options",
        "faults/clear": "service",
        "configure": "settle_seconds token_seconds cursor_seconds monday_daily_limit"
        " revoke_tokens expire_delta arrive",
        "replay": "delivery",
        "model/answers": "content contains times",
    }.items()
}


class ControlApi:
    """Everything below ``/_sandbox``."""

    def __init__(
        self,
        state: State,
        faults: Faults,
        *,
        graph: GraphDouble,
        monday: MondayDouble,
        zapier: ZapierDouble,
        model: ModelDouble,
    ) -> None:
        self._state, self._faults = state, faults
        self._graph, self._monday, self._zapier, self._model = graph, monday, zapier, model
        self.automatic = Automatic(graph.people, graph.mailboxes)
        self.calls = dict.fromkeys(SERVICES, 0)
        self.most_concurrent = dict.fromkeys(SERVICES, 0)
        self._operations: dict[str, Operation] = {
            "health": lambda _: {"status": "ok"},
            "mail": self._mail,
            "messages": self._messages,
            "human": self._human,
            "human/auto": self.automatic.configure,
            "contact": self._contact,
            "deal": self._deal,
            "update": self._update,
            "samples": lambda _: {"loaded": load_samples(self._monday.boards)},
            "faults": self._fault,
            "faults/clear": self._clear,
            "configure": self._configure,
            "deliveries": lambda _: self._zapier.deliveries(),
            "replay": self._replay,
            "forget": self._forget,
            "model/answers": self._can,
            "model/calls": lambda _: self._model.calls(),
            "calls": lambda _: self._counted(),
        }

    def handle(self, request: Request) -> Reply:
        """Answer one operation; 404 for an unknown one, 400 for a missing or bad argument."""
        operation = self._operations.get(request.path.strip("/"))
        if operation is None:
            return json_reply(404, {"error": "unknown operation", "known": [*self._operations]})
        self._graph.mailboxes.arrive()
        wanted, name = request.json(), request.path.strip("/")
        strange = sorted(set(wanted) - _ARGUMENTS.get(name, frozenset(wanted)))
        if strange:
            return json_reply(400, {"error": f"unknown argument of {name}: {strange[0]}"})
        try:
            return json_reply(200, operation(wanted))
        except (KeyError, LookupError, ValueError) as error:
            return json_reply(400, {"error": f"{type(error).__name__}: {error}"})

    # --- mailbox ---------------------------------------------------------------------------------

    def _mail(self, wanted: Json) -> Json:
        """Put a mail into the mailbox: an inbound one, or with ``from_us`` one that we sent."""
        mailbox, from_us = str(wanted.get("mailbox") or MAILBOX), bool(wanted.get("from_us"))
        text = str(wanted.get("body_text") or "")
        markup = str(wanted.get("body_html") or "") or text_to_html(text)
        sender = recipient(str(wanted["sender"]), str(wanted.get("sender_name") or ""))
        to = wanted.get("to")
        content: Json = {
            "subject": str(wanted.get("subject") or ""),
            "from": recipient(mailbox) if from_us else sender,
            "replyTo": _recipients(wanted.get("reply_to")),
            "toRecipients": [sender] if from_us else _recipients(to) or [recipient(mailbox)],
            "ccRecipients": _recipients(wanted.get("cc")),
            "isRead": from_us,
            "html": markup + str(wanted.get("quoted_html") or ""),
            "uniqueHtml": markup,
            "headers": _headers(wanted.get("headers")),
            "attachments": _attachments(wanted.get("attachments")),
        }
        message = self._graph.mailboxes.add(
            mailbox,
            str(wanted.get("folder") or ("sentitems" if from_us else "inbox")),
            content,
            is_draft=bool(wanted.get("is_draft")),
            conversation_id=_text(wanted, "conversation_id"),
            internet_message_id=_text(wanted, "internet_message_id"),
            received=_moment(wanted, "received_at"),
        )
        return self._graph.shown(message)

    def _messages(self, wanted: Json) -> list[Json]:
        mailbox = str(wanted.get("mailbox") or MAILBOX)
        where, values = "1", list[object]()
        if wanted.get("folder"):
            where += " AND folder = ?"
            values.append(self._graph.mailboxes.folder_id(mailbox, str(wanted["folder"])))
        if wanted.get("conversation_id"):
            where += " AND conversation_id = ?"
            values.append(wanted["conversation_id"])
        if wanted.get("drafts"):
            where += " AND is_draft = 1"
        limit = wanted.get("limit")
        found = self._graph.mailboxes.find(
            mailbox, where, values, limit if isinstance(limit, int) else 1000
        )
        return [self._graph.shown(each) for each in reversed(found)]

    def _human(self, wanted: Json) -> Json:
        """Do what a person does in Outlook.

        edit (body_html) · send (body_html, copy_after seconds) · send_as (agent) · send_elsewhere
        (body_html, keep) · answer (body_html, to) · move (folder) · delete · purge.
        """
        mailboxes, people = self._graph.mailboxes, self._graph.people
        message, operation = self._message(wanted), str(wanted["operation"])
        markup = str(wanted.get("body_html") or "")
        if operation == "purge":
            mailboxes.purge(message)
            return {"purged": message.immutable_id}
        if operation == "edit":
            message = people.edit(message, str(wanted["body_html"]))
        elif operation == "send":
            edited = people.edit(message, markup) if markup else message
            message = people.send(edited, copy_after=float(str(wanted.get("copy_after") or 0)))
        elif operation == "send_as":
            message = people.send_as(message, _text(wanted, "agent") or AGENT)
        elif operation == "send_elsewhere":
            message = people.send_elsewhere(message, markup, keep=bool(wanted.get("keep")))
        elif operation == "answer":
            to = _text(wanted, "to") or ""
            message = people.answer(message, str(wanted["body_html"]), to=to)
        elif operation in ("move", "delete"):
            folder = "deleteditems" if operation == "delete" else str(wanted["folder"])
            message = mailboxes.move(message, folder)
        else:
            raise ValueError(operation)
        return self._graph.shown(message)

    def _message(self, wanted: Json) -> Message:
        mailbox = str(wanted.get("mailbox") or MAILBOX)
        message = self._graph.mailboxes.get(mailbox, str(wanted["message_id"]))
        if message is None:
            raise LookupError("no such message")
        return message

    # --- monday ----------------------------------------------------------------------------------

    def _contact(self, wanted: Json) -> Json:
        names = ("email", "phone", "company")
        cells = {name: str(wanted[name]) for name in names if name in wanted}
        state = str(wanted.get("state") or "active")
        boards = self._monday.boards
        item = boards.add_item(CONTACTS_BOARD, str(wanted["name"]), cells, state=state)
        return {"id": str(item)}

    def _deal(self, wanted: Json) -> Json:
        """Add a deal; ``links`` says which side knows of the contact: contact, deal or both."""
        names = ("status", "delivery_date", "amount", "notes")
        cells = {name: str(wanted[name]) for name in names if name in wanted}
        boards = self._monday.boards
        deal = boards.add_item(DEALS_BOARD, str(wanted["name"]), cells)
        contact, links = wanted.get("contact"), str(wanted.get("links") or "both")
        if contact and links in ("contact", "both"):
            boards.link(int(str(contact)), "deals", deal)
        if contact and links in ("deal", "both"):
            boards.link(deal, "deal_contact", int(str(contact)))
        return {"id": str(deal)}

    def _update(self, wanted: Json) -> Json:
        parent = wanted.get("parent")
        update = self._monday.boards.add_update(
            int(str(wanted["item"])),
            str(wanted["text"]),
            str(wanted.get("author") or "Sandbox"),
            int(str(parent)) if parent else None,
        )
        return {"id": str(update)}

    # --- faults and settings ---------------------------------------------------------------------

    def _fault(self, wanted: Json) -> object:
        """Switch a fault on; without ``kind`` only list what is on."""
        if "kind" in wanted:
            service, times = str(wanted["service"]), wanted.get("times")
            options = wanted.get("options")
            if service not in SERVICES:
                raise ValueError(service)
            self._faults.switch_on(
                service,
                str(wanted["kind"]),
                times if isinstance(times, int) else None,
                options if isinstance(options, dict) else {},
            )
        return self._faults.listed()

    def _clear(self, wanted: Json) -> object:
        self._faults.switch_off(_text(wanted, "service"))
        return self._faults.listed()

    def _configure(self, wanted: Json) -> Json:
        """Change how the doubles behave from now on; only what is named."""
        if "settle_seconds" in wanted:
            self._zapier.settle_seconds = float(str(wanted["settle_seconds"]))
        if "token_seconds" in wanted:
            self._graph.tokens.lifetime_seconds = int(str(wanted["token_seconds"]))
        if "cursor_seconds" in wanted:
            self._monday.cursor_seconds = float(str(wanted["cursor_seconds"]))
        if "monday_daily_limit" in wanted:
            limit = wanted["monday_daily_limit"]
            self._monday.daily_limit = None if limit is None else int(str(limit))
        if wanted.get("arrive"):
            self._graph.mailboxes.arrive(all_of_it=True)
        if wanted.get("revoke_tokens"):
            self._graph.tokens.revoke_all()
        if wanted.get("expire_delta"):
            self._graph.delta.epoch += 1
        return {"settle_seconds": self._zapier.settle_seconds}

    def _replay(self, wanted: Json) -> Json:
        self._zapier.replay(int(str(wanted["delivery"])))
        return {"replayed": wanted["delivery"]}

    def _forget(self, wanted: Json) -> Json:
        return {"forgotten": forget(self._state, forgotten(wanted))}

    def _can(self, wanted: Json) -> Json:
        times = wanted.get("times")
        content = wanted["content"]
        self._model.can(
            str(wanted.get("contains") or ""), content, times if isinstance(times, int) else None
        )
        return {"canned": True}

    def _counted(self) -> Json:
        return {
            "calls": dict(self.calls),
            "most_concurrent": dict(self.most_concurrent),
            "send_attempts": self._graph.send_attempts,
            "tokens_issued": self._graph.tokens.issued,
            "monday_calls_today": self._monday.calls_today,
        }


def _text(wanted: Json, name: str) -> str | None:
    value = wanted.get(name)
    return str(value) if value else None


def _moment(wanted: Json, name: str) -> str | None:
    value = _text(wanted, name)
    return graph_time(datetime.fromisoformat(value)) if value else None


def _recipients(value: object) -> list[Json]:
    return [recipient(str(each)) for each in value] if isinstance(value, list) else []


def _attachments(value: object) -> list[Json]:
    """Give each attachment an id; ``contentBytes`` is base64, as Graph has it."""
    listed = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    for each in listed:
        base64.b64decode(str(each.get("contentBytes") or ""), validate=True)
    return [{"id": token("AAMkAGAtt", 12), **each} for each in listed]


def _headers(value: object) -> list[Json]:
    found = value.items() if isinstance(value, dict) else ()
    return [{"name": str(name), "value": str(text)} for name, text in found]
