"""How a model can be asked for an answer of a given form: the best way it takes, found once.

The rungs go down from a JSON schema that the server enforces to words alone. A server that refuses
a way says so with an HTTP 400; which of ours it means is read from its words. Pure.
"""

from enum import StrEnum

from swarm.models import Noun


class Rung(StrEnum):
    """A way to ask for an answer of a given form, best first."""

    SCHEMA = "json_schema"
    TOOL = "tool"
    JSON = "json_object"
    WORDS = "words"


class TokenLimit(StrEnum):
    """How the longest answer is called there."""

    NEW = "max_completion_tokens"
    OLD = "max_tokens"
    NONE = "none"


class Abilities(Noun):
    """What a model behind an endpoint was found to take. ``proven``: an answer so asked fitted."""

    rung: Rung = Rung.SCHEMA
    proven: bool = False
    schema_limits: bool = True
    temperature: bool = True
    token_limit: TokenLimit = TokenLimit.NEW

    @property
    def below(self) -> "Abilities | None":
        """Return the next way down; None at the bottom."""
        rungs = [*Rung]
        following = rungs[rungs.index(self.rung) + 1 :]
        return self._changed(rung=following[0]) if following else None

    def _changed(self, **update: object) -> "Abilities":
        return self.model_copy(update={**update, "proven": False})

    def without_limits(self) -> "Abilities":
        """Return the same way without maxLength and maxItems; our own validation has them."""
        return self._changed(schema_limits=False)

    def without_temperature(self) -> "Abilities":
        """Return the same way, leaving the temperature to the model."""
        return self.model_copy(update={"temperature": False})

    def with_next_token_limit(self) -> "Abilities":
        """Return the same way with the limit called otherwise, at last without one."""
        limits = [*TokenLimit]
        following = limits[min(limits.index(self.token_limit) + 1, len(limits) - 1)]
        return self.model_copy(update={"token_limit": following})


_ABOUT_TOKENS = ("max_completion_tokens", "max_tokens", "num_predict", "max_output_tokens")
_ABOUT_LIMITS = ("maxlength", "maxitems", "minlength", "minitems", "keyword")
_ABOUT_FORM = ("response_format", "json_schema", "json_object", "json mode", "json_mode", "schema",
               "structured", "strict", "tool", "function", "guided", "grammar")  # fmt: skip


def after_refusal(known: Abilities, words: str) -> Abilities | None:
    """Return what to try after a refusal in ``words``; None when it is not the way of asking.

    What the words name is changed. Words that name nothing ("bad request") go down the ladder while
    it is unproven, and are about this very request afterwards.
    """
    said = words.casefold()
    if "temperature" in said and known.temperature:
        return known.without_temperature()
    if any(word in said for word in _ABOUT_TOKENS) and known.token_limit is not TokenLimit.NONE:
        return known.with_next_token_limit()
    about_form = any(word in said for word in (*_ABOUT_FORM, *_ABOUT_LIMITS))
    # "Invalid schema for response_format", not "json_schema is not supported".
    about_schema = "schema" in said.replace("json_schema", "")
    about_limits = about_schema or any(word in said for word in _ABOUT_LIMITS)
    if about_limits and known.rung is Rung.SCHEMA and known.schema_limits:
        return known.without_limits()
    if about_form or not known.proven:
        return known.below or _last_resort(known)
    return None


def _last_resort(known: Abilities) -> Abilities | None:
    if known.temperature:
        return known.without_temperature()
    if known.token_limit is not TokenLimit.NONE:
        return known.with_next_token_limit()
    return None
