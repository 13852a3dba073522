"""One line of today's outbox: bytes in, what today's path decided or the reason for quarantine out.

Pure. Reasons are fixed sentences and never quote the line. What lives elsewhere: JSON, strictly
(``swarm.intake.stream.line``), the rows (``legacy_stream``).
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from swarm.intake.stream.keys import work_order_key
from swarm.intake.stream.line import MAX_ID_LENGTH, BadLineError, Quarantined, strict_object
from swarm.models import canonical_sha256
from swarm.shadow.models import LegacyOutcome, Origin
from swarm.store.tombstones import MailName


@dataclass(frozen=True, slots=True)
class Decided:
    """A well-formed line; ``original_id`` and ``mail`` name whose it is."""

    outcome: LegacyOutcome
    original_id: str
    mail: MailName


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    schema_version: Literal["1"]
    id: str = Field(min_length=1, max_length=MAX_ID_LENGTH)
    policy_version: str = Field(min_length=1, max_length=200)
    decision: Literal["draft", "escalate"]
    reasons: list[str] = Field(max_length=200)
    recipient: str
    subject: str
    body_text: str
    message_id: str | None = None
    internet_message_id: str | None = None
    decided_at: AwareDatetime | None = Field(default=None, strict=False)


def read_outcome(data: bytes, line_sha256: str, secret: str) -> Decided | Quarantined:
    """Read one line without its line feed; raises nothing, whatever the bytes are."""
    try:
        line = _Line.model_validate(strict_object(data))
    except BadLineError as error:
        return Quarantined(str(error))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return Quarantined(
            f"schema: {first['loc'][0] if first['loc'] else 'line'}: {first['type']}"
        )
    outcome = LegacyOutcome(
        work_order_key=work_order_key(secret, line.id),
        origin=Origin.LIVE,
        escalated=line.decision == "escalate",
        reasons=tuple(line.reasons),
        recipient=line.recipient,
        subject=line.subject,
        body_text=line.body_text,
        policy_version=line.policy_version,
        line_sha256=line_sha256,
        decided_at=line.decided_at,
    )
    mail = MailName(
        id=line.id.strip(),
        message_id=line.message_id or "",
        internet_message_id=line.internet_message_id or "",
        sender=line.recipient,
    )
    return Decided(outcome, line.id.strip(), mail)


def said(outcome: LegacyOutcome) -> str:
    """Hash what a line decided: a line written again after a kill differs in nothing of it."""
    body: dict[str, JsonValue] = outcome.model_dump(
        mode="json", exclude={"work_order_key", "origin", "line_sha256", "decided_at"}
    )
    return canonical_sha256(body)
