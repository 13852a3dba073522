"""What a model says to its user instead of the customer: thoughts, roles, remarks on the draft."""

import re
from collections.abc import Iterator

from swarm.patterns import linear
from swarm.safety.drafts.phrases import labels
from swarm.safety.words import words_of

_THOUGHT = linear(
    r"</?\s?(?:think|thinking|thought|reasoning|scratchpad|reflection|answer|output|tool_call)\b"
    r"|<\|\w{1,40}\|>|\[/?INST\]|```|^\s{0,8}(?:assistant|system|user|agent)\s?:"
    r"|^\s{0,8}(?:note|ps to (?:the )?agent|hinweis an|remarque|nota|opmerking|anmerkung)\s?"
    r"(?:to|for|an|f\u00fcr|\u00e0|pour|al?|para|per|voor|aan)?[^:\n]{0,40}"
    r"\b(?:agent|reviewer|team|editor|sachbearbeiter|bearbeiter|agente|\u00e9quipe|equipo|operatore"
    r"|medewerker|equipe|equipa)\b[^:\n]{0,20}:|^\s{0,8}note\s?:",
    re.IGNORECASE | re.MULTILINE,
)
_OF_THE_PROMPT = linear(
    r"^\s{0,8}(?:(?:e|ask)\d{1,3}|mail|subject|signature|history|attachments|previous|finding|gaps)"
    r"\s?\||\be\d{1,2}(?:(?:,| and| und| et| y| e| en) e\d{1,2}\b){1,8}"
    r"|\bevidence[ _](?:id|e?\d{1,3})\b|\bclaim \d{1,2}\b"
    r"|\"(?:body|claims|answered|decline|evidence_id)\"\s?:|\((?:e\d{1,3}(?:, ?)?){1,9}\)",
    re.IGNORECASE | re.MULTILINE,
)

_HERE = r"(?:here|below|hier|voici|aqu\u00ed|ecco|aqui)"
# The first line tells its user what follows, and ends in a colon.
_ANNOUNCED = linear(
    r"\A[^\n:]{0,80}\b(?:reply|response|e-?mail|draft|antwort|entwurf|r\u00e9ponse|respuesta|risposta"
    rf"|antwoord|resposta|{_HERE}\b[^\n:]{{0,20}}\b(?:text|texte|texto|testo|tekst|message|nachricht"
    r"|wording|formulierung|version))\b[^\n:]{0,40}:[ \t]{0,8}(?:\n|$)",
    re.IGNORECASE,
)


def chatter(text: str) -> Iterator[str]:
    """Say what in a reply was not meant for the customer."""
    if _THOUGHT.search(text):
        yield "a thought or a note of the writer stands in the reply"
    if _ANNOUNCED.search(text):
        yield "the writer announces its reply"
    if _OF_THE_PROMPT.search(text):
        yield "a piece of the writer's own task stands in the reply"
    yield from labels("chatter", words_of(text))
