"""Words of titles and departments: a line that holds one says who somebody is."""

import re

from swarm.patterns import linear

_ROLE = linear(
    r"\b(?:head|chief|officer|director|manager|management|president|assistant|executive|specialist|consultant|engineer|secretary|partner|representative|supervisor|coordinator|analyst|recruiter|trader|team|desk|department|dept|division|office|unit|sales|support|affairs|matters|relations|counsel|services"
    r"|leiter(?:in)?|leitung|abteilung|geschäftsführ\w{0,8}|referent(?:in)?|sachbearbeiter(?:in)?|beauftragte[rn]?|assistenz|vertrieb|büro|bereich|kanzlei|angelegenheiten|affaires|asuntos|assuntos|affari|zaken|direct(?:eur|rice)|responsable|chef(?:fe)?|service|adjoint|conseill\w{0,5}|bureau|pôle"
    r"|jef[ea]|director(?:a)?|gerente|departamento|oficina|delegad[oa]|encargad[oa]|responsabile|direttore|direttrice|ufficio|addett[oa]|hoofd|afdeling|medewerk\w{0,4}|directeur|beheerder|chefe|diretor(?:a)?|setor|encarregad[oa])\b",
    re.IGNORECASE,
)


def names_a_title(line: str) -> bool:
    """Whether a line names a title or a department: "Head of Litigation & Press"."""
    return _ROLE.search(line) is not None
