"""Does the threshold of the approved answers mean something: asks with an answer, and without one.

    .venv/bin/python bench/knowledge_retrieval.py

Over the sample answers of the package. The asks were written beside the code that is measured, the
thresholds set while looking at half A of them; half B was looked at in numbers only.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from swarm.knowledge import Library, Shelf
from swarm.knowledge.retrieval import ASKED, MEANT

ANSWERS = Path(__file__).parent.parent / "swarm" / "samples" / "knowledge"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

# (half, language, ask, id of the answer; "" for none)
ASKS = (
    ("A", "en", "What time do you open on Monday?", "opening-hours"),
    ("A", "en", "Is the showroom open on Sundays?", "opening-hours"),
    ("A", "en", "How do I return the lamp I bought?", "return-procedure"),
    ("A", "en", "Where can I find the return form?", "return-procedure"),
    ("A", "en", "How long does shipping usually take?", "delivery-times"),
    ("A", "en", "I have moved. How can I change the delivery address?", "change-of-address"),
    ("A", "en", "Please send me a copy of the invoice for order 10482.", "invoice-copies"),
    ("A", "en", "How do I register my chair for the warranty?", "warranty-registration"),
    ("A", "en", "Do you sell spare parts for the desk Nord?", "spare-parts"),
    ("A", "en", "Until when can I cancel my order?", "cancellation-window"),
    ("A", "en", "Do you accept credit cards?", "payment-methods"),
    ("A", "en", "What is your telephone number?", "reach-a-person"),
    ("A", "de", "Wann haben Sie geöffnet?", "opening-hours"),
    ("A", "de", "Wie schicke ich einen Artikel zurück?", "return-procedure"),
    ("A", "de", "Wo finde ich meine Rechnung zum Herunterladen?", "invoice-copies"),
    ("A", "fr", "Quels sont vos horaires d'ouverture le lundi ?", "opening-hours"),
    ("A", "en", "Do you like jazz?", ""),
    ("A", "en", "What is the status of my complaint?", ""),
    ("A", "en", "Where is my refund?", ""),
    ("A", "en", "How long does it take for a transfer?", ""),
    ("A", "en", "Can I open the parcel before I pay?", ""),
    ("A", "en", "Why was my invoice paid twice?", ""),
    ("A", "en", "Is the desk made of oak?", ""),
    ("A", "en", "Could you recommend a good restaurant nearby?", ""),
    ("A", "en", "When will my complaint be answered?", ""),
    ("A", "en", "Are you hiring in your warehouse?", ""),
    ("A", "en", "My return was lost, what happens now?", ""),
    ("A", "en", "Can you change the colour of my order to blue?", ""),
    ("A", "de", "Ist der Tisch aus Eiche?", ""),
    ("A", "de", "Warum wurde meine Rechnung doppelt gebucht?", ""),
    ("A", "fr", "Pourquoi ma chaise grince-t-elle ?", ""),
    ("A", "es", "¿Cuáles son sus horarios?", ""),
    ("A", "en", "Can I open an account with you?", ""),
    ("A", "en", "Will it be cancelled?", ""),
    ("A", "en", "Do I have to pay for that?", ""),
    ("A", "en", "Why was my credit card not accepted?", ""),
    ("A", "en", "How do I link my credit card?", ""),
    ("A", "en", "How long do transfers to foreign banks take?", ""),
    ("A", "en", "Please cancel the newsletter of my account.", ""),
    ("A", "en", "How much do I have to pay for a bank transfer?", ""),
    ("A", "en", "Must I pay?", ""),
    ("A", "en", "I need to update my phone number.", ""),
    ("B", "en", "Which hours is your store open?", "opening-hours"),
    ("B", "en", "Are you open at weekends?", "opening-hours"),
    ("B", "en", "I want to send an item back, how does that work?", "return-procedure"),
    ("B", "en", "What is the procedure for a return?", "return-procedure"),
    ("B", "en", "What are the delivery times for made-to-order furniture?", "delivery-times"),
    ("B", "en", "Can the shipping address still be changed?", "change-of-address"),
    ("B", "en", "I need a duplicate of my invoice for the tax office.", "invoice-copies"),
    ("B", "en", "Where do I register the product for warranty?", "warranty-registration"),
    ("B", "en", "Where can I get spare castors?", "spare-parts"),
    ("B", "en", "Is it still possible to cancel an order?", "cancellation-window"),
    ("B", "en", "Can I pay by bank transfer?", "payment-methods"),
    ("B", "en", "Which payment options do you offer?", "payment-methods"),
    ("B", "en", "How can I reach customer service by phone?", "reach-a-person"),
    ("B", "de", "Haben Sie samstags offen?", "opening-hours"),
    ("B", "de", "Welche Zahlungsarten bieten Sie an?", "payment-methods"),
    ("B", "de", "Wie lange dauert eine Lieferung normalerweise?", "delivery-times"),
    ("B", "fr", "Où puis-je télécharger une facture ?", "invoice-copies"),
    ("B", "fr", "Acceptez-vous les cartes de crédit ?", "payment-methods"),
    ("B", "en", "How old is your company?", ""),
    ("B", "en", "Did you receive my application for the job?", ""),
    ("B", "en", "Who designed the lamp Sol?", ""),
    ("B", "en", "Can I rent a chair for a weekend?", ""),
    ("B", "en", "Is there a discount for students?", ""),
    ("B", "en", "My card was charged but I have no order, why?", ""),
    ("B", "en", "The technician did not come on Saturday, where is he?", ""),
    ("B", "en", "What is the weight of the parcel?", ""),
    ("B", "en", "How do I assemble the bookcase?", ""),
    ("B", "en", "When does my warranty end?", ""),
    ("B", "en", "Can you deliver to Norway?", ""),
    ("B", "de", "Bieten Sie auch eine Montage an?", ""),
    ("B", "de", "Wie schwer ist das Paket?", ""),
    ("B", "fr", "Avez-vous des chaises pour enfants ?", ""),
)


def outcomes(library: Library, half: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield ask, wanted and found id, and the verdict about it."""
    for part, language, ask, wanted in ASKS:
        if part != half:
            continue
        matches = library.find(ask, language, NOW)
        found = matches[0].snippet.id if matches else ""
        verdict = "right" if found == wanted else "missed" if not found else "wrong"
        yield ask, wanted, found, verdict


def main() -> None:
    library = Shelf(ANSWERS).read()
    print(f"thresholds: asked {ASKED}, meant {MEANT}; {len(library.snippets)} answers\n")
    print("| half | answer there: right / missed / wrong | none: nothing / wrong |\n|---|---|---|")
    for half in ("A", "B"):
        rows = list(outcomes(library, half))
        with_one = [verdict for _, wanted, _, verdict in rows if wanted]
        without = [verdict for _, wanted, _, verdict in rows if not wanted]
        counts = " / ".join(str(with_one.count(v)) for v in ("right", "missed", "wrong"))
        nothing = f"{without.count('right')} / {without.count('wrong')}"
        print(f"| {half} | {counts} of {len(with_one)} | {nothing} of {len(without)} |")
    for ask, wanted, found, verdict in outcomes(library, "A"):
        if verdict != "right":
            print(f"{verdict}: {ask}  (wanted {wanted or 'nothing'}, found {found or 'nothing'})")


if __name__ == "__main__":
    main()
