"""Footers and banners: what a company's mail system adds to every mail. Not the sender's words.

Recognised by several independent marks, never by one: where it stands, that nobody says "I" in it,
and vocabulary of at least two kinds (that this is an e-mail, for whom it is, what is forbidden, data
protection, a company's registration ...). A sentence in it that bears no mark is no boilerplate and
is handed back. In doubt it is text: text is judged.
"""

# ruff: noqa: E501 - word lists of many languages, one group a line

import re
from dataclasses import dataclass

from swarm.intake.mail.sentences import is_said, speaks_of_self, words
from swarm.patterns import linear

LONGEST = 6000  # characters of a footer
REACH = 14  # paragraphs from the end that may be footers
BANNER_LONGEST = 600
_RULE = linear(r"[-_=*~#+\u2013\u2014\s]{3,}")
_SENTENCE = linear(r"(?:[^.!?\n]|[.!?](?=[^\s])){1,800}[.!?]{0,5}")


def _any(words_: str) -> re.Pattern[str]:
    return linear(rf"\b(?:{words_})", re.IGNORECASE)


_QUARREL = _any(
    r"sue[sd]?\b|suing|lawsuit|(?:in|to|before) court|legal action (?:is|will|has)|police|verklag|klage\b|einklag|anzeige|polizei|poursuivr|porte[r]? plainte|plainte|demandar|denunci|querella|tribunales"
    r"|in giudizio|farà causa|querel|aangifte|dagvaard|aanklag|processar|queixa"
    r"|in (?:your|ihrem|eurem) namen?\b|(?:en|à|au) votre nom|en su nombre|a (?:vostro|suo) nome|in uw naam|em (?:seu|vosso) nome"
    r"|(?:another|other) (?:customer|client|person)|andere[rnms]? kund|autres? clients?|otros? clientes?|altr[oi] client[ei]|andere klant|outros? clientes?"
    r"|kündig\w{0,4} hiermit|hiermit kündig"
)  # what people threaten with, or report; no footer does
_DEMAND = _any(
    r"(?:delet|eras|remov|disclos|lösch|auskunft|supprim|effac|elimin|supres|borra|cancell|verwijder|wissen|apag)\w{0,8} .{0,60}(?:\bdata|daten|données|datos|\bdati|gegevens|dados)"
    r"|(?:request|application|antrag|anfrage|demande|solicitud|richiesta|verzoek|pedido) (?:under|according|nach|gemäß|selon|conforme|según|ai sensi|op grond|ao abrigo|for access|auf auskunft)"
)  # what people ask of those who keep their data; a footer grants it as the reader's right
_SHORT = 4  # words; "Kern Ltd" below a notice is no sentence
_FEWEST_KINDS = 2
_FEWEST_UNSIGNED = 3  # kinds, where no signature stands above


# The marks. Each kind is one thing said, whatever the language.
_KINDS: dict[str, re.Pattern[str]] = {
    "speaks of this e-mail": _any(
        r"(?:this|the) (?:e-?mail|message|communication|transmission|electronic)|any attachments?|diese[rs]? (?:e-?mail|nachricht|mitteilung)|ce(?:t|tte)? (?:e-?mail|message|courriel|courrier)"
        r"|est[ea] (?:mensaje|correo|e-?mail|comunicación|mensagem)|quest[ao] (?:messaggio|e-?mail|comunicazione|posta)|dit (?:e-?mail)?bericht|deze (?:e-?mail|mail)|il presente (?:messaggio|documento)"
    ),
    "confidentiality": _any(
        r"confidential|privileged|proprietary|vertraulich|confidentiel|confidencial|riservat[aoie]|vertrouwelijk|geheim|secret professionnel|secreto profesional|segreto professionale"
    ),
    "for whom it is": _any(
        r"intended (?:solely |only )?(?:for|recipient)|addressee|named recipient|(?:bestimmungsgemäße|vorgesehene|richtige|beabsichtigte)[rn]? (?:adressat|empfänger)|adressat|destinataire|destinatari|geadresseerde|beoogde ontvanger|bestemd voor"
    ),
    "what is forbidden": _any(
        r"unauthori[sz]ed|prohibited|unlawful|disclos|disseminat|distribut(?:ion|e)|copying|reproduction|nicht gestattet|untersagt|unbefugt|unerlaubt|weitergabe|vervielfältig|verboten"
        r"|interdit|divulg|toute utilisation|prohibid|reproducción|difusión|vietat|diffusione|utilizzo non|verspreid|openbaarmak|verboden|proibid|reprodução"
    ),
    "sent by mistake": _any(
        r"(?:received|sent|delivered).{0,40}(?:in error|by mistake)|delete (?:it|this|the (?:original|e-?mail|message)|all copies)|notify (?:the sender|us)|not the intended|irrtümlich|versehentlich|vernichten|löschen sie|informieren sie (?:bitte )?(?:sofort |umgehend )?den absender"
        r"|par erreur|supprimer|détruire|por error|elimin(?:e|ar|arlo)|destruir|per errore|cancellar|distrugger|abusivelijk|ten onrechte|per abuis|per vergissing|te verwijderen|por engano|apagar|elimine"
    ),
    "data protection": _any(
        r"gdpr|dsgvo|ds-gvo|rgpd|\bavg\b|lopd(?:gdd)?|(?:data|privacy) protection|personal data|personenbezogene|datenschutz|données (?:à caractère )?personnel|protection des données|datos (?:personales|de carácter)|protección de datos"
        r"|dati personali|protezione dei dati|persoonsgegevens|gegevensbescherming|dados pessoais|proteção de dados|(?:eu|ue) ?\)?\s?2016/679|2016/679"
    ),
    "the reader's rights": _any(
        r"(?:exercise|about) your rights|your rights of|ihre rechte|vos droits|sus derechos|(?:i )?suoi diritti|(?:i )?vostri diritti|uw rechten|(?:os )?seus direitos|puede ejercer|pode exercer|pouvez exercer|può esercitare|responsable del (?:fichero|tratamiento)|titolare del trattamento|son tratados|sono trattati|são tratados|werden verarbeitet|sont traitées"
        r"|privacy (?:policy|notice|statement)|datenschutz(?:erklärung|hinweise|information)|politique de confidentialité|política de privac|informativa (?:sulla )?privacy|privacyverklaring"
    ),
    "crime by mail": _any(
        r"cyber ?-?(?:crime|fraud|security)|cybercrime|phishing|scam|fraudsters|(?:e-?mail|invoice|payment|bank) fraud|crime and fraud|fraud(?:ulent)? (?:e-?mails?|warning|alert|awareness|attempts?)|betrug|betrüger|fraude|fraudes|truff[ae]|frodi|oplichting|burla"
    ),
    "never by mail": _any(
        r"(?:will|do|does|shall) (?:never|not) (?:send|ask|change|notify|request|accept|advise|e-?mail|contact)|never (?:ask|send|change|request)|niemals (?:per|ihre|unsere|nach|eine|zur)|(?:ne (?:vous )?(?:demandera|demanderons|changera|changerons|modifiera|modifierons)|jamais .{0,30}(?:par e-?mail|courriel))"
        r"|nunca (?:le |lhe )?(?:ped|solicit|cambi|envi|alter|mud)|non (?:chied|invier|modific|comunic).{0,30}mai|mai (?:chied|via)|(?:zal|zullen) (?:u )?nooit|nooit (?:vragen|per)"
    ),
    "check before paying": _any(
        r"(?:bank|account|payment) (?:account )?details|bankverbindung|kontodaten|coordonnées bancaires|\brib\b|datos bancarios|cuenta bancaria|coordinate bancarie|\biban\b|bankgegevens|rekeningnummer|dados bancários"
        r"|telephone us|call us|by (?:tele)?phone|to verify|verbally|telefonisch|rückversicher|par téléphone|por teléfono|telefonicamente|por telefone"
    ),
    "a company's registration": _any(
        r"registered (?:in|office|company|number|address|at)|company (?:no|number|reg)|reg(?:istration)?\.? ?(?:no|nr|number)|incorporated in|vat (?:no|number|reg|id)|amtsgericht|handelsregister|registergericht|hr[ab] ?\d|ust-?id|umsatzsteuer|steuernummer|sitz der gesellschaft"
        r"|r\.?c\.?s\.? |sire[nt] ?:?|capital (?:social|de)|tva|registro mercantil|inscrita en|c\.?i\.?f\.?[ :]|n\.?i\.?f\.?[ :]|partita iva|p\.? ?iva|registro (?:delle )?imprese|capitale sociale|kvk|k\.v\.k|btw|kamer van koophandel|matriculada|nipc|conservatória"
    ),
    "who supervises it": _any(
        r"(?:regulated|supervised|licen[sc]ed|authori[sz]ed) (?:and \w{4,12} )?by|registered with|member of the|aufsichtsbehörde|zuständige kammer|berufsbezeichnung|ordre des|colegio de|iscritt[oa] all|autoriteit"
    ),
    "who leads it": _any(
        r"managing directors?|directors?:|chairman|board of|geschäftsführe?r|geschäftsführung|vorstand|aufsichtsrat|vorsitzende|prokurist|gérant|directeur général|président|administrador|consejero delegado|amministratore|presidente|directie|bestuurder|gerência"
    ),
    "a legal form": linear(
        r"(?<!\w)(?:Ltd|Limited|PLC|plc|LLP|LLC|Inc|Corp|GmbH(?: & Co\. KG)?|mbH|AG|KG|OHG|UG|e\.?K\.|SARL|S\.?A\.?R\.?L|SAS|S\.?A\.?S|S\.A\.|S\.?L\.?U?|S\.r\.l|Srl|S\.p\.A|SpA|B\.?V\.?|N\.?V\.?|Lda|S\.A)(?!\w)"
    ),
    "no liability": _any(
        r"no (?:liability|responsibility|warrant)|not (?:accept|liable|be liable|necessarily (?:represent|reflect))|views (?:or opinions|expressed)|opinions expressed|virus|malware|keine haftung|haften nicht|haftung|décline toute responsabilité|ne saurait|no se (?:hace )?responsab|declina (?:ogni|cualquier)|responsabilità|niet aansprakelijk|aansprakelijkheid|não se responsabiliza"
    ),
    "paper": _any(
        r"(?:before|need to) print|printing this|environment|drucken|ausdrucken|umwelt|imprimer|environnement|imprimir|medio ?-?ambiente|stampare|ambiente|afdrukken|milieu|meio ambiente"
    ),
}  # fmt: skip
_REGISTERED, _RIGHTS = "a company's registration", "the reader's rights"
_COMPANY = (_REGISTERED, "who supervises it", "who leads it", "a legal form")

# The marks of a banner: what the reader's mail system says of a mail from outside.
_BANNER_KINDS: dict[str, re.Pattern[str]] = {
    "from outside": _any(
        r"external|outside (?:of )?(?:the|your|our)|extern(?:e[rnms]?)?\b|außerhalb|extérieur|externe|externo|externa|esterno|esterna|buiten (?:de|uw|onze)|ekstern|zewn[ęe]trzn|extern[ií]"
    ),
    "of a mail": _any(r"e-?mail|message|sender|nachricht|absender|courriel|expéditeur|correo|remitente|mensaje|messaggio|mittente|bericht|afzender|mensagem|remetente"),
    "care": _any(
        r"caution|warning|be careful|beware|attention|achtung|vorsicht|warnung|prudence|avertissement|méfi|precaución|cuidado|atención|advertencia|attenzione|prudenza|let op|waarschuwing|pas op|wees (?:alert|voorzichtig)|atenção|report this|suspicious|verdächtig|suspect"
    ),
    "links and attachments": _any(
        r"links?\b|attachments?|click|klicken|anh[äa]ng|öffnen|liens?\b|pièces? jointe|cliqu|enlaces?|adjunt|haga clic|collegament|allegat|bijlage|klik|anexos?|clique|phishing|unless you (?:recogni[sz]e|know|trust)"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Footer:
    """A passage of boilerplate: ``kinds`` say what it is made of, ``doubtful`` what bears no mark."""

    text: str
    kinds: tuple[str, ...]
    doubtful: str = ""


def split_footers(text: str, *, signed: bool = False) -> tuple[str, tuple[Footer, ...]]:
    """Take footers off the end of a text; a text that is nothing else stays.

    ``signed``: whether a signature stood above, so that what is left is below the sender's words.
    """
    paragraphs = _paragraphs(text)
    found: list[Footer] = []
    below = len(paragraphs)
    for index in range(len(paragraphs) - 1, max(-1, len(paragraphs) - 1 - REACH), -1):
        if _RULE.fullmatch(paragraphs[index][:LONGEST]):
            continue
        footer = footer_of(paragraphs[index], fewest=_fewest(paragraphs, index, signed=signed))
        if footer is None:
            rest, footer = _below_a_line(paragraphs[index])
            if footer is not None and _is_short(rest.rpartition("\n")[2]):
                found.append(footer)
                paragraphs[index] = rest
                below = index + 1
            break
        found.append(footer)
        below = index
    above = "\n\n".join(paragraphs[:below]).strip()
    kept = text if not found else above
    # What stands below a greeting alone is what the mail has to say.
    says = signed or len(words(above)) >= _SHORT
    return (kept, tuple(reversed(found))) if says else (text, ())


def _is_short(line: str) -> bool:
    """A name above a footer, not a line of a paragraph."""
    return len(words(line)) <= _SHORT


def footers_inside(text: str) -> tuple[str, tuple[Footer, ...]]:
    """Take footers out wherever they stand: in history each mail has its own."""
    kept: list[str] = []
    found: list[Footer] = []
    for paragraph in _paragraphs(text):
        if footer := footer_of(paragraph, fewest=_FEWEST_KINDS):
            found.append(footer)
            continue
        rest, below = _below_a_line(paragraph)
        kept.append(rest)
        found.extend([below] if below else ())
    return "\n\n".join(kept), tuple(found)


def footer_of(paragraph: str, *, fewest: int = _FEWEST_KINDS) -> Footer | None:
    """Return what a paragraph is when it is boilerplate; None for what somebody may have said."""
    if len(paragraph) > LONGEST or not _begins_as_one(paragraph.partition("\n")[0]):
        return None
    if speaks_of_self(paragraph) or _QUARREL.search(paragraph):
        return None
    flat = " ".join(paragraph.split())
    kinds = _independent(_kinds(flat))
    # Below a signature a right is granted; in the middle of a mail it is asked for.
    if _DEMAND.search(flat) and (_RIGHTS not in kinds or fewest > _FEWEST_KINDS):
        return None
    if set(kinds) <= set(_COMPANY):
        named = len(kinds) >= _FEWEST_KINDS and (_REGISTERED in kinds or not is_said(flat))
        return _without_doubt(flat, paragraph, kinds) if named else None
    return _without_doubt(flat, paragraph, kinds) if len(kinds) >= fewest else None


def _begins_as_one(line: str) -> bool:
    """Whether the first line bears a mark, or is a heading: "DISCLAIMER", "Please note:"."""
    bare = line.strip(" \t>|*_-")
    heading = bare.isupper() or bare.endswith(":") or len(bare.split()) == 1
    return bool(_kinds(bare)) or (heading and len(bare.split()) < _SHORT)


def is_company_line(line: str) -> bool:
    """Whether a line names a company: its form, its registration, who leads it."""
    return any(_KINDS[kind].search(line) for kind in _COMPANY)


def _without_doubt(flat: str, paragraph: str, kinds: tuple[str, ...]) -> Footer | None:
    """A question, or more unmarked sentences than marked ones, makes it text."""
    sentences = [found.group().strip() for found in _SENTENCE.finditer(flat)]
    unmarked = [one for one in sentences if len(words(one)) >= _SHORT and not _kinds(one)]
    asks = any(one.endswith("?") and "paper" not in _kinds(one) for one in sentences)
    if asks or 2 * len(unmarked) >= max(1, len(sentences)):
        return None
    return Footer(paragraph, kinds, " ".join(unmarked))


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(kind for kind, mark in _KINDS.items() if mark.search(text))


def _independent(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out marks that say little alone: whom to pay, and that somebody is a company."""
    left = set(kinds)
    if not left & {"crime by mail", "never by mail"}:
        left.discard("check before paying")
    if not left & {_REGISTERED, "who supervises it", "who leads it"}:
        left.discard("a legal form")
    return tuple(kind for kind in kinds if kind in left)


def _fewest(paragraphs: list[str], index: int, *, signed: bool) -> int:
    """Below a sign-off, a rule or another short block two kinds are enough, else three."""
    above = paragraphs[index - 1] if index else ""
    short = max((len(line) for line in above.split("\n")), default=0) < 60  # noqa: PLR2004 - a name
    last_said = above.rstrip().endswith((".", "?", "!", ":"))
    closed = signed or (bool(above) and (bool(_RULE.fullmatch(above)) or (short and not last_said)))
    return _FEWEST_KINDS if closed else _FEWEST_UNSIGNED


def _below_a_line(paragraph: str) -> tuple[str, Footer | None]:
    """A footer that follows a name without a blank line: the longest such end of the paragraph."""
    lines = paragraph.split("\n")
    for cut in range(max(1, len(lines) - REACH), len(lines)):
        if (footer := footer_of("\n".join(lines[cut:]))) is not None:
            return "\n".join(lines[:cut]), footer
    return paragraph, None


def _paragraphs(text: str) -> list[str]:
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip() and not (_RULE.fullmatch(line[:200])):
            found[-1].append(line)
        else:
            if found[-1]:
                found.append([])
            if line.strip():
                found += [[]] if found[-1] else []
                found[-1].append(line)
                found.append([])
    return ["\n".join(lines) for lines in found if lines]


def split_banner(text: str) -> tuple[str, str]:
    """Take a warning about mail from outside off the top; return the rest and the banner."""
    above, blank, below = text.partition("\n\n")
    if not blank or not below.strip() or len(above) > BANNER_LONGEST:
        return text, ""
    flat = " ".join(above.split())
    kinds = [kind for kind, mark in _BANNER_KINDS.items() if mark.search(flat)]
    outside = "from outside" in kinds and len(kinds) > _FEWEST_KINDS
    said = speaks_of_self(flat) or flat.endswith("?") or _QUARREL.search(flat) is not None
    first = above.strip().partition("\n")[0]
    begins = any(mark.search(first) for mark in _BANNER_KINDS.values())  # no greeting stands above
    if not outside or said or not begins:
        return text, ""
    return below.strip(), above
