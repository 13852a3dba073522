"""One typed settings object from the environment; the only reader of environment variables.

What lives elsewhere: ``swarm up`` puts the defaults of the local sandbox into the environment;
every program sees explicit URLs and cannot tell a double from the real service.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import time
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from swarm.errors import ConfigurationError
from swarm.models import EscalationClass
from swarm.ourselves import Ourselves
from swarm.patterns import linear

FORBIDDEN_AUTO_SEND = (
    "AUTO_SEND_ENABLED must be false: this system writes drafts for a human to send (ES-06)"
)


T = TypeVar("T")


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _read_json(value: object) -> object:
    """Read a mapping; a bad one becomes a sentence about its variable, like any bad value."""
    if isinstance(value, str):
        try:
            return json.loads(value or "{}")
        except ValueError:
            raise ValueError("is not JSON") from None
    return value


ByClass = Annotated[dict[EscalationClass, T], NoDecode, BeforeValidator(_read_json)]
CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Part = TypeVar("Part", bound=BaseSettings)


class GraphSettings(BaseSettings):
    """Microsoft Graph, app-only. Prefix ``GRAPH_``."""

    model_config = SettingsConfigDict(env_prefix="GRAPH_", frozen=True)

    base_url: str = Field(
        default="https://graph.microsoft.com/v1.0", description="Where Graph answers"
    )
    authority: str = Field(
        default="https://login.microsoftonline.com", description="Where tokens are given"
    )
    tenant_id: str = Field(description="Directory (tenant) id of the app registration")
    client_id: str = Field(description="Application (client) id of the app registration")
    client_secret: SecretStr = Field(description="Value of its client secret, not the secret's id")
    mailbox: str = Field(description="Address of the shared mailbox")
    own_addresses: CommaSeparated = Field(
        default=(), description="Further addresses we write from; mail from them is our own"
    )
    own_domains: CommaSeparated = Field(
        default=(),
        description="Domains of our house and its web forms; unset: the mailbox's own",
    )
    no_reply: CommaSeparated = Field(
        default=(),
        description="Addresses nobody reads beside noreply@ and its like; * is any signs",
    )

    attachment_bytes: int = Field(
        default=5 << 20, ge=0, description="Largest attached file that is fetched and read"
    )
    attachments_read: int = Field(
        default=5, ge=0, description="How many attached files of one mail are read; 0: none"
    )
    looks_per_minute: int = Field(
        default=60,
        ge=1,
        le=1000,
        description="How many work orders a minute are looked up for what a person did with them",
    )

    @field_validator("own_addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(each.count("@") != 1 for each in value):
            raise ValueError("names what is no address")
        return value

    @property
    def ourselves(self) -> Ourselves:
        """Who we are, as far as mail goes."""
        return Ourselves(
            mailbox=self.mailbox,
            addresses=self.own_addresses,
            domains=self.own_domains,
            no_reply=self.no_reply,
        )


class MondaySettings(BaseSettings):
    """monday.com. Prefix ``MONDAY_``."""

    model_config = SettingsConfigDict(env_prefix="MONDAY_", frozen=True)

    api_url: str = Field(default="https://api.monday.com/v2", description="Where it answers")
    api_version: str = Field(default="2026-10", description="Dated version of its API")
    token: SecretStr = Field(description="Personal or app token that may read both boards")
    contacts_board: str = Field(description="Id of the board of contacts, from its address")
    deals_board: str = Field(description="Id of the board of deals, from its address")
    email_column: str = Field(default="email", description="Column id of a contact's address")
    contact_deals_column: str = Field(
        default="deals", description="Connect-boards column of a contact; empty when it has none"
    )
    deal_contact_column: str = Field(
        default="", description="Connect-boards column of a deal back to its contact, if any"
    )
    approved_columns: CommaSeparated = Field(
        default=("status", "delivery_date", "amount"),
        description="Deal columns whose values may be quoted to a customer (ES-08)",
    )


class ZapierSettings(BaseSettings):
    """The Catch Hook. Its URL is the only secret, hence ``SecretStr``. Prefix ``ZAPIER_``."""

    model_config = SettingsConfigDict(env_prefix="ZAPIER_", frozen=True)

    hook_url: SecretStr = Field(description="Address of the Catch Hook of the Zap that drafts")


class Thinker(StrEnum):
    """Who does the thinking behind the stages."""

    AUTO = "auto"
    RULES = "rules"
    LLM = "llm"
    LEGACY = "legacy"


_PROVIDER_ALIASES = {"mistral": "mistralai", "azure": "azure_openai", "google": "google_genai"}
_PROVIDER_EXTRAS = {"anthropic": "anthropic", "mistralai": "mistral", "ollama": "ollama"}
# Where the package is not called like the provider.
_PROVIDER_PACKAGES = {
    "azure_openai": "langchain_openai",
    "azure_ai": "langchain_azure_ai",
    "bedrock": "langchain_aws",
    "bedrock_converse": "langchain_aws",
    "google_vertexai": "langchain_google_vertexai",
    "nvidia": "langchain_nvidia_ai_endpoints",
}


def _install(provider: str) -> str:
    extra = _PROVIDER_EXTRAS.get(provider)
    if extra:
        return f"install its package with `pip install 'swarm-assets[{extra}]'`"
    package = _PROVIDER_PACKAGES.get(provider, f"langchain_{provider}").replace("_", "-")
    known = ", ".join(("openai", *sorted(_PROVIDER_EXTRAS.values())))
    return f"{package} is not installed, or the name is wrong (this project knows {known})"


LONGEST_STYLE = 6000  # characters

ModelPurpose = Literal["classify", "propose", "tone", "fact", "qa"]


class ModelSettings(BaseSettings):
    """An OpenAI-compatible chat model; absent means the ``rules`` specialist. Prefix ``MODEL_``."""

    model_config = SettingsConfigDict(env_prefix="MODEL_", frozen=True, protected_namespaces=())

    specialist: Thinker = Field(
        default=Thinker.AUTO,
        description="auto: llm when MODEL_NAME is set, else rules; legacy: today's stages",
    )
    base_url: str | None = Field(
        default=None, description="Where an OpenAI-compatible model answers, up to /v1"
    )
    name: str | None = Field(default=None, description="The model's name there; unset: the rules")
    provider: str = Field(
        default="openai", description="The provider's name in LangChain: anthropic, mistral, ..."
    )
    api_key: SecretStr = Field(
        default=SecretStr("not-needed"), description="Its key; a server of your own may need none"
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=3600, description="How long one answer may take as a whole"
    )
    names: Annotated[dict[ModelPurpose, str], NoDecode, BeforeValidator(_read_json)] = Field(
        default={},
        description='JSON, purpose -> another model there, e.g. {"propose": "a-better-one"}',
    )
    max_output_tokens: int = Field(
        default=4000, ge=200, description="Longest answer; twice that once, when it was cut off"
    )
    style_file: Path | None = Field(
        default=None, description="Markdown: the house's tone, do, don't, examples; unset: ours"
    )
    input_price_per_million: Price = Field(
        default=0.0, description="Price of a million tokens read; 0 counts no cost"
    )
    cached_input_price_per_million: Price | None = Field(
        default=None, description="Of tokens the provider had cached; unset: as any other"
    )
    output_price_per_million: Price = Field(
        default=0.0, description="Price of a million tokens written"
    )
    budget_per_work_order: Price = Field(
        default=0.50, description="Same currency as the prices; a breach escalates (ES-25)"
    )
    prefetch: int = Field(
        default=48,
        ge=0,
        le=256,
        description="Work orders thought about ahead of their runs, on this host; 0: none",
    )
    at_once: int = Field(
        default=64, ge=1, le=1024, description="Calls in flight at once, of all programs of a host"
    )
    requests_per_minute: float | None = Field(
        default=None,
        gt=0,
        description="What the provider allows you, over all hosts; unset: no pace",
    )

    @field_validator("base_url", "name", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        try:
            parts = urlsplit(value or "http://none")
        except ValueError:
            raise ValueError("is no address") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is no address that begins with http:// or https://")
        return value

    @field_validator("api_key", mode="before")
    @classmethod
    def _fits_into_a_header(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if not (value.strip().isascii() and value.strip().isprintable()):
            raise ValueError("holds a character that no key has")
        return value.strip()

    @field_validator("provider")
    @classmethod
    def _can_be_used(cls, value: str, info: ValidationInfo) -> str:
        """Refuse to start with a provider whose package is missing; without a model none is."""
        thinks = info.data.get("name") or info.data.get("specialist") is Thinker.LLM
        name = _PROVIDER_ALIASES.get(value, value)
        package = _PROVIDER_PACKAGES.get(name, f"langchain_{name}")
        if thinks and not (package.isidentifier() and find_spec(package)):
            raise ValueError(f"the provider {value!r} cannot be used here: {_install(name)}")
        return name

    @field_validator("style_file")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                text = value.read_bytes()[: LONGEST_STYLE * 4 + 1].decode("utf-8")
            except (OSError, ValueError):
                raise ValueError(f"{value} cannot be read as text") from None
            if len(text) > LONGEST_STYLE:
                raise ValueError(
                    f"{value} is longer than {LONGEST_STYLE} characters, and is read with every"
                    " call: keep tone, do, don't and two examples"
                )
        return value

    def name_for(self, purpose: str) -> str:
        """Return the model to ask for ``purpose``."""
        return {str(key): name for key, name in self.names.items()}.get(purpose, self.name or "")

    @property
    def configured(self) -> bool:
        """Whether a model is to be used at all."""
        return self.thinker is Thinker.LLM

    @property
    def thinker(self) -> Thinker:
        """Who thinks, with ``auto`` resolved."""
        if self.specialist is not Thinker.AUTO:
            return self.specialist
        return Thinker.LLM if self.name is not None else Thinker.RULES


class PublishingSettings(BaseSettings):
    """Timings of the publication protocol. Prefix ``PUBLISH_``. Source: publishing protocol v1."""

    model_config = SettingsConfigDict(env_prefix="PUBLISH_", frozen=True)

    send_deadline_seconds: float = Field(
        default=20.0, gt=0, description="How long one POST to the hook may take"
    )
    settle_seconds: float = Field(
        default=1800.0,
        gt=0,
        description="How long a draft may take to appear before its absence means anything",
    )
    max_attempts: int = Field(
        default=5, ge=1, description="POSTs proven not to have arrived before it gives up"
    )
    unconfirmed_alert_seconds: float = Field(
        default=900.0, gt=0, description="An accepted draft nobody found by then is alerted"
    )
    legacy_lease_seconds: float = Field(
        default=900.0,
        gt=0,
        description="How long legacy may publish without Postgres; a cutover waits for it",
    )


class QueueSettings(BaseSettings):
    """Leases and retries of ``swarm_jobs``. Prefix ``QUEUE_``."""

    model_config = SettingsConfigDict(env_prefix="QUEUE_", frozen=True)

    lease_seconds: float = Field(
        default=30.0, gt=0, description="A run silent for so long is taken to be gone"
    )
    heartbeat_seconds: float = Field(
        default=5.0, gt=0, description="How often a run says that it lives"
    )
    max_failures: int = Field(
        default=5, ge=1, description="Failed runs before a work order is a dead letter"
    )
    backoff_base_seconds: float = Field(
        default=5.0, gt=0, description="Longest wait after the first failure; it doubles"
    )
    backoff_cap_seconds: float = Field(
        default=600.0, gt=0, description="Longest wait after any failure"
    )
    run_seconds: float = Field(
        default=300.0,
        gt=0,
        description="A run that holds a worker longer is killed with its process and counts as"
        " failed; five model calls, each slow, take half of it",
    )
    request_timeout_seconds: float = Field(
        default=120.0, gt=0, description="A requested run that has not started by then is re-driven"
    )
    model_retry_seconds: float = Field(
        default=20.0, gt=0, description="A work order the model gave no answer for waits so long"
    )
    prefetch_seconds: float = Field(
        default=120.0, gt=0, description="A run waits so long for answers being fetched ahead of it"
    )
    model_patience_seconds: float = Field(
        default=3600.0, ge=0, description="Waited for the model so long, a mail goes to a person"
    )


class ShadowSettings(BaseSettings):
    """Replays of the new path over recorded facts. Prefix ``SHADOW_``."""

    model_config = SettingsConfigDict(env_prefix="SHADOW_", frozen=True, protected_namespaces=())

    processes: int = Field(
        default=2, ge=1, le=16, description="How many processes replay at once; they are nice"
    )
    model_budget: float = Field(
        default=0.0, ge=0, description="What new model calls of one backfill run may cost; 0: none"
    )
    ask_sources: bool = Field(
        default=False,
        description="true: Graph and monday are read for imported history that recorded neither",
    )
    item_seconds: float = Field(
        default=60.0, gt=0, description="How long one work order may take before it has failed"
    )


def _unset_when_empty(value: object) -> object:
    return None if value == "" else value


def _outward(value: SecretStr | None) -> SecretStr | None:
    """Refuse where an alert must not go: in the clear over a network, or to no host at all."""
    if value is not None:
        parts = _parts_of(value.get_secret_value())
        if parts.scheme != "https" and not (parts.scheme == "http" and on_loopback(parts.hostname)):
            raise ValueError("must be an https:// address; http:// only on this machine")
    return value


def _parts_of(url: str) -> SplitResult:
    """Take an address apart; a bad one becomes a sentence that does not repeat it."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise ValueError("is no address") from None
    if not parts.hostname:
        raise ValueError("is no address")
    return parts


def on_loopback(host: str | None) -> bool:
    """Whether a host is this machine, by its name or number."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


SecretUrl = Annotated[
    SecretStr | None, BeforeValidator(_unset_when_empty), AfterValidator(_outward)
]

_HOURS = linear(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class AlertSettings(BaseSettings):
    """Where alerts are told; nothing set: the log alone. Prefix ``ALERT_``."""

    model_config = SettingsConfigDict(env_prefix="ALERT_", frozen=True)

    slack_url: SecretUrl = Field(default=None, description="Address of a Slack incoming webhook")
    teams_url: SecretUrl = Field(
        default=None, description="Address of a Teams workflow 'when a webhook request is received'"
    )
    mail_url: Annotated[SecretStr | None, BeforeValidator(_unset_when_empty)] = Field(
        default=None,
        description="smtp://USER:PASSWORD@HOST:587 (with STARTTLS) or smtps://USER:PASSWORD@HOST",
    )
    mail_from: str = Field(default="", description="Sender address of alert mails")
    mail_to: CommaSeparated = Field(
        default=(), description="Your own people's addresses; never the shared mailbox"
    )
    events_url: SecretUrl = Field(
        default=None,
        description="PagerDuty Events API v2, e.g. https://events.pagerduty.com/v2/enqueue",
    )
    events_key: Annotated[SecretStr | None, BeforeValidator(_unset_when_empty)] = Field(
        default=None, description="Its integration (routing) key"
    )
    quiet_hours: str = Field(
        default="",
        description="HH:MM-HH:MM of HOUSE_TIME_ZONE, e.g. 22:00-07:00: what can wait is told"
        " afterwards; pages are not held back",
    )
    storm: int = Field(
        default=5, ge=1, le=100,
        description="More new alerts of one kind in ten minutes are told in one message",
    )  # fmt: skip
    heartbeat_url: SecretUrl = Field(
        default=None,
        description="Asked (GET) while alerts can be told; whoever misses it wakes you"
        " (healthchecks.io and alike)",
    )
    heartbeat_seconds: float = Field(
        default=60.0, ge=1, description="How often the heartbeat is asked"
    )

    @field_validator("mail_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _parts_of(value.get_secret_value()).scheme not in SMTP_PORTS:
            raise ValueError("must begin with smtp:// or smtps://")
        return value

    @field_validator("mail_from", "mail_to")
    @classmethod
    def _are_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        named = (value,) if isinstance(value, str) else value
        if any(each and (each.count("@") != 1 or not each.isprintable()) for each in named):
            raise ValueError("names what is no address")
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        if value and _HOURS.fullmatch(value) is None:
            raise ValueError("is not like 22:00-07:00")
        return value

    @property
    def quiet(self) -> tuple[time, time] | None:
        """When the quiet hours begin and end, by HOUSE_TIME_ZONE; None: there are none."""
        found = _HOURS.fullmatch(self.quiet_hours)
        if found is None:
            return None
        first, second, third, fourth = map(int, found.groups())
        return time(first, second), time(third, fourth)

    def incomplete(self, ourselves: Ourselves | None) -> Iterator[str]:
        """Yield a sentence for each sink of which a part is missing, or that must not be."""
        if self.mail_url and not (self.mail_from and self.mail_to):
            yield "ALERT_MAIL_URL needs ALERT_MAIL_FROM and ALERT_MAIL_TO"
        if bool(self.events_url) != bool(self.events_key):
            yield "ALERT_EVENTS_URL and ALERT_EVENTS_KEY need each other"
        ours = {ourselves.mailbox, *ourselves.addresses} if ourselves else set[str]()
        if {each.lower() for each in self.mail_to} & {each.lower() for each in ours}:
            yield "ALERT_MAIL_TO names the mailbox whose mail becomes work orders"


SMTP_PORTS = {"smtp": 587, "smtps": 465}


class CoreSettings(BaseSettings):
    """What belongs to no single service. No prefix."""

    model_config = SettingsConfigDict(frozen=True)

    swarm_home: Path = Field(default=Path(".swarm"), description="Files of this installation")
    database_url: SecretStr = Field(
        description="PostgreSQL 15 or newer; `swarm up` without one starts its own"
    )
    replay_database_url: SecretStr | None = Field(
        default=None, description="The same database as the role that replays and cannot publish"
    )
    gates_database_url: SecretStr | None = Field(
        default=None, description="The same database as the role that judges the gates"
    )
    owner_database_url: SecretStr | None = Field(
        default=None, description="The same database as the role that owns the tables: migrations"
    )
    keeper_database_url: SecretStr | None = Field(
        default=None, description="The same database as the role that audits and erases"
    )
    desk_database_url: SecretStr | None = Field(
        default=None, description="The same database as the role of the desk: reads, acknowledges"
    )
    auto_rollback: bool = Field(
        default=False,
        description="true: two breaches of a gate in a row after a cutover give publishing back",
    )
    swarm_key_secret: SecretStr = Field(description="HMAC secret of the opaque work-order keys")
    auto_send_enabled: bool = Field(
        default=False, description="Must be false: drafts only, a human sends (ES-06)"
    )
    swarm_doubles_url: str = Field(
        default="", description="Where the doubles answer; set by `swarm up`, not by people"
    )
    ui_url: str = Field(default="http://127.0.0.1:3000", description="Where the Dagster UI answers")
    desk_url: str = Field(
        default="http://127.0.0.1:3001", description="Where the desk answers to people's browsers"
    )
    desk_user_header: str = Field(
        default="X-Forwarded-User",
        pattern=r"^[A-Za-z0-9-]{1,60}$",
        description="Header in which the front door names the person; it must overwrite it",
    )
    desk_read_only: bool = Field(
        default=False, description="true: the desk shows and takes no acknowledgement"
    )
    house_time_zone: str = Field(
        default="UTC",
        description="The clock your people live by, as Europe/Berlin: days, quiet hours, summary",
    )
    digest_at: str = Field(
        default="",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$",
        description="When the morning summary is sent, e.g. 08:00; unset: by `swarm digest` alone",
    )
    metrics_url: str = Field(
        default="http://127.0.0.1:3002", description="Where /metrics, /healthz and /readyz answer"
    )
    swarm_broker_url: SecretStr | None = Field(
        default=None,
        description="redis://... or amqp://... when workers run on other hosts; unset: a folder",
    )
    metrics_listen: str = Field(
        default="127.0.0.1",
        description="Address they listen on; no login stands in front of them, so never 0.0.0.0",
    )
    link_allow_list: CommaSeparated = Field(
        default=(), description="Hosts a draft may link to (ES-11)"
    )
    own_phones: CommaSeparated = Field(
        default=(), description="The house's own telephone numbers: a draft may name them (ES-11)"
    )
    reply_signature: str = Field(default="Customer Service", description="Closing line of a draft")
    approved_recipients: CommaSeparated = Field(
        default=(), description="Addresses a draft may go to beside those of the thread (ES-10)"
    )
    escalation_owner: str = Field(
        default="customer-service-lead", min_length=1, description="Who has it if nobody else"
    )
    escalation_owners: ByClass[str] = Field(
        default={}, description='JSON, class -> owner, e.g. {"legal": "counsel"} (ES-22)'
    )
    escalation_minutes: ByClass[PositiveInt] = Field(
        default={}, description="JSON, class -> minutes until somebody must have looked"
    )
    escalation_urgent_minutes: int = Field(
        default=30, ge=0, description="At or below this, an alert fires at once"
    )

    declined_owner: str = Field(
        default="customer-service",
        min_length=1,
        description="Who writes what nothing here could answer (declined)",
    )
    declined_minutes: PositiveInt = Field(
        default=480, description="Minutes until somebody must have looked at what was declined"
    )
    acknowledge_unanswered: bool = Field(
        default=False,
        description="true: what nothing here can answer gets a draft that says it has arrived",
    )
    knowledge_dir: Path | None = Field(
        default=None,
        description="Folder of the house's approved answers; unset: SWARM_HOME/knowledge",
    )

    @property
    def knowledge_folder(self) -> Path:
        """Where the approved answers lie."""
        return self.knowledge_dir or self.swarm_home / "knowledge"

    @field_validator("house_time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value} is no time zone this machine knows, such as Europe/Berlin")
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _one_address(cls, value: str) -> str:
        """Refuse to listen everywhere: an address of a network that was meant must be named."""
        if value in {"", "*", "0.0.0.0", "::", "[::]"}:  # noqa: S104 - what is refused
            raise ValueError("METRICS_LISTEN must name one address, and not every one there is")
        return value

    @field_validator("auto_send_enabled")
    @classmethod
    def _never_send(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic's validator signature
        if value:
            raise ValueError(FORBIDDEN_AUTO_SEND)
        return value


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a program of ours needs to know, read once at start by :func:`load_settings`."""

    core: CoreSettings
    graph: GraphSettings
    monday: MondaySettings
    zapier: ZapierSettings
    model: ModelSettings
    publishing: PublishingSettings
    queue: QueueSettings
    shadow: ShadowSettings = field(default_factory=ShadowSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)


def is_setting(name: str) -> bool:
    """Whether a variable is one of ours: a field of some part, or named with a part's prefix."""
    return any(_belongs(name, part.type) for part in fields(Settings))


def _belongs(name: str, part: object) -> bool:
    assert isinstance(part, type) and issubclass(part, BaseSettings)  # noqa: S101, PT018 - ours
    prefix = str(part.model_config.get("env_prefix", ""))
    if prefix:
        return name.startswith(prefix)
    return name in {field.upper() for field in part.model_fields}


def load_settings() -> Settings:
    """Read the environment once.

    Raises ``ConfigurationError`` whose message names every missing or bad variable, not just the
    first, and never a value (values may be secrets).
    """
    problems: list[str] = []

    def part(kind: type[Part]) -> Part | None:
        try:
            return kind()
        except ValidationError as error:
            prefix = str(kind.model_config.get("env_prefix", ""))
            problems.extend(_sentence(prefix, detail) for detail in error.errors())
            return None

    core, graph, monday = part(CoreSettings), part(GraphSettings), part(MondaySettings)
    zapier, model = part(ZapierSettings), part(ModelSettings)
    publishing, queue, shadow = part(PublishingSettings), part(QueueSettings), part(ShadowSettings)
    if alerts := part(AlertSettings):
        problems.extend(alerts.incomplete(graph.ourselves if graph else None))
    if problems:
        raise ConfigurationError(
            "cannot start: " + "; ".join(problems),
            hint="`swarm doctor` explains each variable; `swarm up` sets values for the sandbox",
        )
    assert core and graph and monday and zapier and model  # noqa: S101, PT018 - else a problem
    assert publishing and queue and shadow and alerts  # noqa: S101, PT018 - the same
    return Settings(core, graph, monday, zapier, model, publishing, queue, shadow, alerts)


def load_core_settings() -> CoreSettings:
    """Read what belongs to no service; raises ``ConfigurationError`` like ``load_settings``."""
    try:
        return CoreSettings()
    except ValidationError as error:
        problems = "; ".join(_sentence("", detail) for detail in error.errors())
        raise ConfigurationError(f"cannot start: {problems}") from None


def load_model_settings() -> ModelSettings:
    """Read what concerns the model alone; raises ``ConfigurationError`` like ``load_settings``."""
    try:
        return ModelSettings()
    except ValidationError as error:
        problems = "; ".join(_sentence("MODEL_", detail) for detail in error.errors())
        raise ConfigurationError(f"cannot start: {problems}") from None


def _sentence(prefix: str, detail: ErrorDetails) -> str:
    variable = prefix + "_".join(str(part) for part in detail["loc"]).upper()
    if detail["type"] == "missing":
        return f"{variable} is not set"
    said = detail["msg"].removeprefix("Value error, ")
    return said if said.startswith(variable) else f"{variable}: {said}"
