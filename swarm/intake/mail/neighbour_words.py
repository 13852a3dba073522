"""Frequent words of languages that look like a covered one, and are no words of it.

Where a model of letters calls Scots English and shares of common words say nothing (most of them
are the same), these tell: two different ones, a tenth of the words. A typing mistake makes one by
chance, not two.
"""

from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


NEIGHBOURS: Final[dict[str, frozenset[str]]] = {
    # Scots, and the English creoles of West Africa and the Caribbean.
    "en": _words(
        "abeg aboot aff afore ah aicht aince anither arenae auld aw bairn bairns bide bided",
        "blether bluid bocht breid brocht canna cannae chyre comot couldna couldnae cuid",
        "cyaan dae daein daes dat deh deid dem dere dese dey di dia didna didnae dinna dinnae",
        "dinny dis disna disnae disny doon drookit efter fae faither fash fe fower frae",
        "gae gaed gang gaun gie gied gien gin gonnae gonny guid gwine hae haein haena haes",
        "hame hasnae haund havnae heid himsel hinnae hiv hoose hou hullo ilka inna isna isnae",
        "ither jist juist kent laddie lassie licht likkle mair maist masel maw mek micht",
        "mickle mither mony muckle naa nae naebody naething nah nicht noo nuh oan oga ony",
        "onymair onything oot ootby ower pikin polis pon puir richt sabi sae sair scunnered",
        "shouldnae shuid sic siller stane syne tae tek thae thaim thir thocht thole thon toun",
        "twa una unu waan wad wadnae wahala wan wark warld wasna wasnae weans weel weh wetin",
        "wey wha whan whaur whit wi willnae winna wir wis wisnae wouldna wouldnae wullnae",
        "wumman ye yersel yin yince yins yon youse yuh",
    ),
    # Swiss German, Bavarian, Low German, Luxembourgish, Berlin.
    "de": _words(
        "ass chan chum chunnt chönd dat dien dini dit dös ebba ech eich enk gah grüezi gsi",
        "gönd heff hend het hett hoab hob hoi hunn händ häsch hät ick ik isch kemma kimmt ko",
        "mech meng mer mia mien ned net nich nid nimma nöd nümme nüt oa oane scho sini uf un",
        "vun wat wesen wi wia wos wëll öppis",
    ),
    # Afrikaans, Limburgish, West Flemish, Frisian.
    "nl": _words(
        "asseblief baie bie boe daardie dankie dien ek foar gean gekry gij gister gulder haw",
        "hawwe hierdie hjir hulle hy höb ich iech jild jimme julle kinne kry mie mien moat",
        "moenie my myn myne neem neet nen nie oet ouch peis veur vir wees weite werom wulder",
        "ús",
    ),
    # Neapolitan, Sicilian, Venetian, Lombard.
    "it": _words(
        "addò adess aggio arrivau campà cchiù ccà chella chillo comme cossa cu fazzu ghe",
        "gnancora indove iu llà lu minga mme mì nenti nu nuddu nun paccu pach quanno rivaa",
        "rutta sapé ses songo stu unni vaco vivar vulesse xe xelo",
    ),
    # Galician, Catalan, Asturian.
    "es": _words(
        "amb aquest aquesta aínda cando coa colos dende els encara entá facer falar grazas",
        "hai meu meva mio moi molt nin non nun pedíu però podo puc quan quero què teu teva",
        "teño tinc tá unha unhas vostede vostedes vull xa és ónde",
    ),
    # Occitan, Catalan, Walloon.
    "fr": _words(
        "amb aquò arribat avou avètz benlèu dji djo encara ièu mas mercé nin nosautres pòdi",
        "quora trencada voldriái vòstre",
    ),
    # Galician, Catalan.
    "pt": _words(
        "amb aquest aquesta axuda axudarme aínda cando cartos coa coas compte cos dende els",
        "encara facer grazas les meva miña miñas moi molt nin non però poden podo puc quan",
        "què súa teva teño tinc túa unha unhas vostede vostedes vull xa és ós",
    ),
}
