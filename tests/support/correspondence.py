"""Mails from the mailbox to their draft by production's own parts: today's intake programs, the
intake sensor, the work-order job and rounds of publishing, all in this process.

What lives elsewhere: the company around it (``company``), real processes (``live_installation``).
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from company import Company

from swarm.clients.outlook import GraphOutlook
from swarm.legacy.email_work_order_service import EmailWorkOrderService
from swarm.legacy.home import IntakeFiles
from swarm.legacy.intake_stream_processor import IntakeStreamProcessor
from swarm.legacy.jsonl import LineLog
from swarm_assets.definitions import build_definitions
from swarm_assets.partitions import work_orders
from swarm_assets.resources import intake as intake_resource
from swarm_assets.sensors.intake import intake as intake_sensor


@dataclass
class Correspondence:
    """One installation's way of a mail, step by step."""

    company: Company
    files: IntakeFiles
    service: EmailWorkOrderService
    instance: dg.DagsterInstance
    stream: Any
    job: dg.JobDefinition

    def arrives(self, sender: str, subject: str, text: str, **more: object) -> str:
        """A mail reaches the mailbox and the stream; returns its Graph id."""
        seeded = self.company.sandbox.seed_mail(sender, subject=subject, body_text=text, **more)
        self.write_stream()
        return str(seeded["id"])

    def write_stream(self) -> None:
        """Today's two intake programs do one turn each."""
        self.service.poll()
        events, ignored = LineLog(self.files.work_orders), LineLog(self.files.ignored)
        IntakeStreamProcessor(self.files, events, ignored).turn()

    def request(self) -> list[dg.RunRequest]:
        """One tick of the intake sensor: what is new goes in, what is due is asked for."""
        given = {"stream": self.stream, "queue": self.company.queue}
        with dg.build_sensor_context(instance=self.instance, resources=given) as context:
            said = intake_sensor(context)
        requests = said.run_requests if isinstance(said, dg.SensorResult) else None
        return list(requests or ())

    def run(self, request: dg.RunRequest) -> bool:
        """Run the work-order job as the request asks."""
        key = str(request.partition_key)
        self.instance.add_dynamic_partitions(str(work_orders.name), [key])
        done = self.job.execute_in_process(
            instance=self.instance, partition_key=key, tags=dict(request.tags), raise_on_error=False
        )
        return done.success

    def work(self) -> None:
        """Take in what is new and run all that is due."""
        for request in self.request():
            assert self.run(request)

    def key_of(self, message_id: str) -> str:
        asked = "SELECT key FROM work_orders WHERE body->'ref'->>'message_id' = %s"
        with self.company.database.transaction() as connection:
            [row] = connection.execute(asked, (message_id,)).fetchall()
        return str(row["key"])

    def conversation_of(self, message_id: str) -> str:
        found = {m["id"]: m["conversationId"] for m in self.company.sandbox.messages()}
        return str(found[message_id])

    def rules_of(self, message_id: str) -> set[str]:
        """The rules that gave a work order to a person."""
        asked = "SELECT reasons FROM escalations WHERE work_order_key = %s"
        with self.company.database.transaction() as connection:
            row = connection.execute(asked, (self.key_of(message_id),)).fetchone()
        return {reason["rule"] for reason in row["reasons"]} if row else set()

    def ledger_of(self, message_id: str) -> str | None:
        asked = "SELECT state FROM publication_ledger WHERE work_order_key = %s"
        with self.company.database.transaction() as connection:
            row = connection.execute(asked, (self.key_of(message_id),)).fetchone()
        return str(row["state"]) if row else None

    def drafts_to(self, address: str) -> list[dict[str, object]]:
        """The drafts of the mailbox that are addressed to somebody."""
        drafts = self.company.sandbox.drafts()
        return [d for d in drafts if address.lower() in json.dumps(d.get("toRecipients")).lower()]


@contextmanager
def corresponding(company: Company, home: Path) -> Iterator[Correspondence]:
    """Yield the way of a mail through ``company``, with its files below ``home``."""
    files, outlook = IntakeFiles(home), company.services.outlook
    assert isinstance(outlook, GraphOutlook)
    mailbox = company.services.mailbox
    service = EmailWorkOrderService(outlook, mailbox, files, LineLog(files.events))
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_resources({"stream": intake_resource.stream}) as built,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            job = build_definitions().resolve_job_def("work_order")
        yield Correspondence(company, files, service, instance, built.stream, job)
