"""Who wants to end it, and does not say what, is heard; who wants to end an order is not."""

import pytest

from swarm.safety.detectors.detection import rings_the_lexicon


@pytest.mark.parametrize(
    "text",
    [
        "Je n'en peux plus, j'ai envie d'en finir.",
        "Je veux en finir.",
        "Ich will nur noch Schluss machen.",
        "Tengo ganas de acabar con todo.",
        "Quero acabar com tudo.",
        "Ik wil er een einde aan maken.",
    ],
)
def test_an_end_of_nothing_named_is_heard(text: str) -> None:
    assert rings_the_lexicon(text)


@pytest.mark.parametrize(
    "text",
    [
        "J'ai envie d'en finir avec les cartons.",
        "Ich will mit der alten Kaffeemaschine Schluss machen und suche eine neue.",
        "Quiero terminar con todo el papeleo de la entrega.",
    ],
)
def test_an_end_of_something_is_no_despair(text: str) -> None:
    assert not rings_the_lexicon(text)
