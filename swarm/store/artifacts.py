"""Reading a stored stage output: its bytes match its hash, and it is the noun it should be.

One check for every reader. What lives elsewhere: the table (``postgres``), the memory double.
"""

from typing import TypeVar

from pydantic import ValidationError

from swarm.errors import MalformedInputError
from swarm.models import Noun, StageArtifact, canonical_sha256

Stored = TypeVar("Stored", bound=Noun)


def verified(artifact: StageArtifact) -> StageArtifact:
    """Return the artifact; raises ``MalformedInputError`` when its bytes do not match its hash."""
    if canonical_sha256(artifact.body) != artifact.sha256:
        raise MalformedInputError(
            f"stored output of stage {artifact.stage} does not match its hash",
            work_order=artifact.work_order_key,
        )
    return artifact


def noun_of(artifact: StageArtifact, kind: type[Stored]) -> Stored:
    """Return the noun a *verified* artifact holds; raises ``MalformedInputError``."""
    try:
        return kind.model_validate(artifact.body)
    except ValidationError:
        # The validator's message quotes its input, which may be mail text.
        raise MalformedInputError(
            f"stored output of stage {artifact.stage} is unreadable",
            work_order=artifact.work_order_key,
        ) from None
