"""Writes ``swarm/specialists/names/*.txt``: the given and family names a greeting may use.

    pip install faker==40.63.0 && PYTHONPATH=. python training/person_names.py

The names are those of Faker's person providers (MIT licence, https://github.com/joke2k/faker) for
the countries below, folded to plain Latin letters, without the ordinary words in ``NO_NAMES``.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from swarm.safety.words import fold

FOLDER = Path(__file__).parents[1] / "swarm" / "specialists" / "names"
_LANGUAGES = "cs da de en es et fi fr ga hr hu is it lt lv nl no pl pt ro sk sl sv tr"
COUNTRIES = frozenset(_LANGUAGES.split())
# Names somewhere, and words of our seven languages everywhere: a greeting does without them.
_WORDS = """
add alla ally an as author baby bad bandit banks bas beat bitten boss bot brain bud bunk cal can
cap captain caro carry cas case cash cena che chip clown con constant council cream crook dad
dealer dear della dev dick dis doc doll dolly dove drag early easy edit ela else em essa essence
esta ever fake fanny fate fed fine fool forum fraud friend gauge gay general greet gun ham hanno
harm harsh honey hore horn horny hunt hurt infant jerk jet job journey judge kick kit lady lag
lavar lawyer le leader lean lebt lies liga line link little lo loan long lot loyal lucky mad mal
male man manca mate media mile minor mist my nada nuts odd over owe page patsy peer penis per
pig pink price puk puta quick rat reason rich river rock roll royal run rush sad said sale sem
sera shade sick side silly sincere sing sister skip sore sour star stanca stone storm such sweet
take thief till tiny tone toy trace true ugly unknown uno var vil wash wild wing wise worth
young dom sot fou vache bete porco scemo pazzo loco tonto malo gek dief slet burro louco kunde
kundin client cliente klant order test user admin info team shop service support
"""
NO_NAMES = frozenset(_WORDS.split())


def words_of(kind: str) -> Iterator[str]:
    """Yield every word of every list whose name begins with ``kind``."""
    from faker.providers import person  # noqa: PLC0415 - no dependency of ours

    for found in pkgutil.iter_modules(person.__path__):
        if found.name.split("_")[0] not in COUNTRIES and found.name != "en_IN":
            continue
        provider = importlib.import_module(f"{person.__name__}.{found.name}").Provider
        for name in dir(provider):
            listed = getattr(provider, name)
            if name.startswith(kind) and isinstance(listed, dict | tuple | list):
                yield from (word for each in listed for word in str(each).replace("-", " ").split())


def main() -> None:
    """Write both lists, sorted, one word a line."""
    FOLDER.mkdir(exist_ok=True)
    for file, kind in (("given.txt", "first_names"), ("family.txt", "last_names")):
        words = {fold(word) for word in words_of(kind)} - NO_NAMES
        kept = sorted(word for word in words if word.isascii() and word.isalpha() and len(word) > 1)
        (FOLDER / file).write_text("\n".join(kept) + "\n", encoding="utf-8")
        print(f"{file}: {len(kept)}")


if __name__ == "__main__":
    main()
