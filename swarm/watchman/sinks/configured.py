"""Which sinks this installation has: one a setting, the log when nothing is set."""

from collections.abc import Iterator

from swarm.settings import AlertSettings
from swarm.watchman.sinks import slack, teams
from swarm.watchman.sinks.events import EventsSink
from swarm.watchman.sinks.log import LogSink
from swarm.watchman.sinks.mail import MailSink
from swarm.watchman.sinks.protocol import Sink
from swarm.watchman.sinks.webhook import Webhook


def configured_sinks(settings: AlertSettings) -> tuple[Sink, ...]:
    """Return a new sink for every one that is set; close them when done."""
    return tuple(_outside(settings)) or (LogSink(),)


def _outside(settings: AlertSettings) -> Iterator[Sink]:
    if settings.slack_url:
        yield Webhook("slack", settings.slack_url, slack.body_of)
    if settings.teams_url:
        yield Webhook("teams", settings.teams_url, teams.body_of)
    if settings.mail_url:
        yield MailSink(settings.mail_url, settings.mail_from, settings.mail_to)
    if settings.events_url and settings.events_key:
        yield EventsSink(settings.events_url, settings.events_key)
