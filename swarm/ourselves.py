"""Who we are: under which addresses and domains our house writes, and who never reads an answer.

Made from the settings (``GraphSettings.ourselves``), handed to whoever sorts mails, addresses
replies or tells our own messages from a customer's. Everything here is compared lower-cased.
"""

import re
from functools import cache

from swarm.models import Noun
from swarm.patterns import linear

# Of the part before the @, without its dots, dashes and digits.
_SAYS_SO = (
    "noreply", "noreplies", "donotreply", "dontreply", "donotrespond", "noanswer", "noresponse",
    "nichtantworten", "keineantwort", "antwortenichtmoglich", "nepasrepondre", "sansreponse",
    "noresponder", "nocontestar", "norespuesta", "naoresponder", "naoresponda", "semresposta",
    "nonrispondere", "norisposta", "nietantwoorden", "nietbeantwoorden", "geenantwoord",
    "unmonitored", "mailerdaemon", "postmaster", "autoreply", "automailer",
)  # fmt: skip
_MACHINE_NAMES = """
    alert alerts apache automail bounce bounces benachrichtigung benachrichtigungen contactform
    daemon form forms formmailer formular formulaire formulario kontaktformular mailer modulo nginx
    nobody notification notifications notificacion notificaciones notifiche notify robot root server
    system webform webforms webformular wordpress wwwdata"""
_MACHINES = frozenset(_MACHINE_NAMES.split())

# Everybody may have an address there: two of one domain are no two of one house.
_PROVIDERS = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com
    icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de
    proton.me protonmail.com mail.com mail.ru yandex.com yandex.ru zoho.com fastmail.com posteo.de
    mailbox.org orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it
    alice.it bluewin.ch sunrise.ch telefonica.net terra.com sapo.pt ziggo.nl kpnmail.nl planet.nl
    home.nl gmx.com gmx.fr onmicrosoft.com
    hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.co.uk outlook.de
    outlook.fr outlook.es outlook.it live.nl live.de live.fr yahoo.de yahoo.fr yahoo.it yahoo.es
    yahoo.co.uk btinternet.com comcast.net verizon.net att.net"""
_SHARED = frozenset(_PROVIDERS.split())
_NO_LETTERS = linear(r"[^a-z]{1,64}")
_SHORTEST_NAME = 4  # letters; "co" of co.uk is no name of anybody


class Ourselves(Noun):
    """Our house, as far as its mail goes. ``domains`` empty: the mailbox's, unless it is shared."""

    mailbox: str
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    no_reply: tuple[str, ...] = ()
    """Further addresses nobody reads, or their parts before the ``@``; ``*`` is any signs."""

    def wrote(self, address: str) -> bool:
        """Whether this is one of our own addresses."""
        return address.lower() in {self.mailbox.lower(), *(own.lower() for own in self.addresses)}

    def houses(self, address: str) -> bool:
        """Whether this is an address of our house: one of ours, or any of our domains."""
        return self.wrote(address) or any(
            within(domain_of(address), domain) for domain in self.own_domains
        )

    @property
    def own_domains(self) -> tuple[str, ...]:
        """The domains that are ours alone."""
        if self.domains:
            return tuple(domain.lower().lstrip("@") for domain in self.domains)
        own = domain_of(self.mailbox)
        return (own,) if own and own not in _SHARED else ()

    def never_reads(self, address: str) -> bool:
        """Whether nobody reads what is sent to this address."""
        whole = address.lower().strip("'")
        local = whole.rpartition("@")[0]
        bare = _NO_LETTERS.sub("", local.partition("+")[0])
        return (
            bare in _MACHINES
            or any(word in bare for word in _SAYS_SO)
            or any(
                glob.fullmatch(text) for glob in _globs(self.no_reply) for text in (local, whole)
            )
        )


def domain_of(address: str) -> str:
    """Return the domain of an address, lower-cased."""
    return address.lower().rpartition("@")[2].rstrip(".")


def within(domain: str, parent: str) -> bool:
    """Whether a domain is another one or lies below it."""
    return bool(parent) and (domain == parent or domain.endswith("." + parent))


def of_one_house(one: str, other: str) -> bool:
    """Whether two addresses belong together: the same, or of one organisation's domain."""
    a, b = domain_of(one), domain_of(other)
    if one.lower() == other.lower():
        return True
    if not a or not b or a in _SHARED or b in _SHARED:
        return False
    if within(a, b) or within(b, a):
        return True
    name = a.split(".")[-2:]
    if ".".join(name) in _SHARED:
        return False
    return name == b.split(".")[-2:] and len(name) > 1 and len(name[0]) >= _SHORTEST_NAME


@cache
def _globs(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    written = (re.escape(each.lower()).replace(r"\*", r"[^@]{0,64}") for each in patterns)
    return tuple(linear(pattern) for pattern in written)
