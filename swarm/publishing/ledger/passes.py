"""Which required rules have no stored PASS: the one question behind every right to publish (ES-16).

Asked when a payload is enqueued, again in the transaction of the claim, and by the audit over what
has left. A rule that a person took on (``swarm.store.releases``) needs no PASS. What lives
elsewhere: which rules are required (``swarm.safety.ruleset``).
"""

from collections.abc import Sequence

from swarm.errors import RefusedError
from swarm.store.database import Connection
from swarm.store.releases import waived_of


def missing_passes(
    *, key: str, required: str, ruleset: str, draft_sha256: str, evidence_sha256: str
) -> str:
    """Return the SELECT of every required rule without a PASS for exactly these hashes.

    The arguments are SQL of our own: placeholders or columns, never values. ``required`` is a
    ``text[]``, ``key`` the work order's. One column, ``rule``; no row means that all of them
    passed.
    """
    return f"""
        SELECT required.rule FROM unnest({required}::text[]) AS required (rule)
         WHERE required.rule <> ALL ({waived_of(key)})
           AND NOT EXISTS (
                SELECT 1 FROM verdicts v
                 WHERE v.rule = required.rule AND v.version = {ruleset} AND v.ruling = 'pass'
                   AND v.draft_sha256 = {draft_sha256} AND v.evidence_sha256 = {evidence_sha256})"""


_MISSING = missing_passes(
    key="%(key)s",
    required="%(required)s",
    ruleset="%(ruleset)s",
    draft_sha256="%(draft_sha256)s",
    evidence_sha256="%(evidence_sha256)s",
)


def require_passes(
    connection: Connection,
    required_rules: Sequence[str],
    *,
    key: str,
    ruleset: str,
    draft_sha256: str,
    evidence_sha256: str,
) -> None:
    """Raise ``RefusedError`` naming every required rule without a stored PASS for these hashes."""
    if not required_rules:
        raise RefusedError("nothing is publishable while no rule is required")
    columns = {
        "key": key,
        "required": list(required_rules),
        "ruleset": ruleset,
        "draft_sha256": draft_sha256,
        "evidence_sha256": evidence_sha256,
    }
    missing = [row["rule"] for row in connection.execute(f"{_MISSING} ORDER BY 1", columns)]
    if missing:
        raise RefusedError("no stored PASS for these bytes of " + ", ".join(missing))
