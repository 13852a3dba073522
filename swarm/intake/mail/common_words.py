"""The 120 commonest words of each language the detectors read, as mail to a shop uses them.

Counted in the project's own corpus (``safety/corpus``). They tell a language from its look-alikes,
which a model of letters alone mistakes for it.
"""

from typing import Final


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


COMMON: Final[dict[str, frozenset[str]]] = {
    "en": _words(
        "the i and a my to you for it in your on is of that with s me do have one at we from",
        "be what was t there can this please has not how so m like would ve our about by when",
        "are does d up two who out no as or all now after could only back he want will if an",
        "last got new been know name which had next they she get need ll where says since her",
        "off more see us number take people before still card three told send should his tell",
        "phone time again put someone may just but come don left never them day go re account",
        "came old asked week",
    ),
    "de": _words(
        "ich die und der sie das ist den nicht mit in für im auf hat es bei ein mir habe",
        "meine mein eine wir bitte an auch noch am von ihr dem ihnen haben einen zu wie mich",
        "nur kann aus war mehr nach ihre da sich was man als so zum er um ihrer jetzt dass",
        "seit bin wenn ihrem gibt oder zwei vom sind meiner bis ab schon dann möchte wann",
        "keine über wieder wird heute will unser meinen uns ohne wo kommt vor mal frau muss",
        "alle steht drei wurde einer beim nichts meinem aber zur euch gern ihren geht unsere",
        "euro jemand brauche alles sein darf rechnung nie einem welche zurück einmal können",
        "ob tag wegen",
    ),
    "fr": _words(
        "de le la je vous est à et un a l pour en il mon votre les d une que j ai ma pas du m",
        "au c dans des ne sur ce on me n plus qui avec moi deux nous elle qu vos chez tout t",
        "par se depuis bien avez même y mes quand s sans suis faut avant si trois mais où",
        "merci fait après était ans ou peut comment rien nom sont notre carte encore pouvez",
        "été son euros fois quelqu dit combien ça cette lui autre mois compte veux tous",
        "facture demande faire quel comme être puis quelle matin reste adresse personne",
        "voudrais jour ses soir bon dix fils petit passe commande jusqu dernier",
    ),
    "es": _words(
        "de la el y en que a me mi no con por un para se del lo una su los las qué es ya al",
        "hay yo ustedes dos sin si o le solo todo quiero ha más les desde está tienen otra va",
        "nos puede tengo esta he tiene ni otro tres como cómo alguien mis hace así pero antes",
        "casa porque hoy cuando vez nombre han era este día mañana sus favor soy cuenta hasta",
        "puedo correo nadie voy coche dónde falta bien mismo días mí lleva dice mes ahora",
        "años contrato tarjeta cuándo todos teléfono cada ser sé eso caja quién queda pueden",
        "necesito hija cuatro pedido hora sobre hacen también noche diez viene estoy euros",
        "esa",
    ),
    "it": _words(
        "il la di e per un che è non mi in a l con ho da le ha del una mio lo i si vostro mia",
        "sono avete al se della ci vi voi più o due anche come solo io quando nel gli dopo",
        "dal alla me c vostra chi sul prima tutto era ma casa vorrei va ne ancora dell può",
        "senza anni perché fate dove serve già tutti tre euro quello ora carta hanno bene",
        "conto dei telefono altro nome cosa siamo chiedo questa delle posso mai ogni parte",
        "uno fa numero quanto mese fatto devo poi foto quella negozio sulla vostre giorni col",
        "d volta dalla mail ieri quattro su entro questo chiesto so qualcuno oggi",
    ),
    "nl": _words(
        "de ik een het van mijn en is op in voor met u dat bij er uw die niet jullie zijn kan",
        "als ook te nog heeft aan heb hij hoe over of wil maar meer nu moet wat was mij dan",
        "naar mag wij uit we onze ben al ze me hebben om staat graag keer na alleen zo geen",
        "ons wie hem twee welke waar je door iemand daar zit nieuwe wel weer haar komt iets",
        "laat dit gaat tot drie naam komen één dus man sinds jaar wordt zou elke dag euro",
        "kunnen mee laten uur ligt krijg niets tegen zelf onder zegt zonder week andere af",
        "terug stond goed s open had per kreeg zien wanneer",
    ),
    "pt": _words(
        "o a de e que do da com não em para no na é um meu minha me por se uma vocês já os as",
        "eu vosso ao tem só à pra vossa quero como há sem quem ou foi está casa dia vou mais",
        "dois nome três até das qual anos sou quando vez ser ainda mesmo depois tenho preciso",
        "tudo antes outra cartão às vai isso loja pode dos aí lá meus saber onde nunca dá vos",
        "também conta hoje estou ninguém queria horas mim mas agora era quanto ele alguém",
        "pela fui nem têm nos novo amanhã caixa mãe dez dias pessoa porta veio telefone sobre",
        "duas pro aqui diz ela semana pelo ficou quer num são",
    ),
}
