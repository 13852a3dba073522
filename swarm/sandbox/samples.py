"""A small invented customer base for the monday double, the one the sample mails write about."""

from swarm.sandbox.addresses import CONTACTS_BOARD, DEALS_BOARD
from swarm.sandbox.monday.boards import Boards

_CONTACTS = (
    ("Anna Keller", "anna.keller@example.org", "+49 30 5550 0101", "Keller Instruments"),
    ("Ben Ortiz", "ben.ortiz@example.com", "+1 512 555 0102", "Ortiz & Sons"),
    ("Chloe Martin", "chloe.martin@example.net", "+33 1 5550 0103", "Atelier Martin"),
    ("Dana Novak", "dana.novak@example.org", "", "Novak Studio"),
    ("Emil Larsen", "emil.larsen@example.com", "", "Larsen Boats"),
)
# name, contact's address, status, delivery date, amount, notes of the team
_DEALS = (
    ("Order 10482", "anna.keller@example.org", "Shipped", "2026-11-27", "1240",
     ("Left our warehouse on 2026-11-20 with the parcel service.",)),
    ("Order 10517", "ben.ortiz@example.com", "In production", "2026-12-04", "380.50",
     ("Production has started.", "The customer asked for the blue finish.")),
    ("Order 10533", "chloe.martin@example.net", "Delivered", "2026-11-12", "96",
     ("Delivered on 2026-11-12, signed for at reception.",)),
    ("Order 10540", "chloe.martin@example.net", "Confirmed", "2026-12-10", "2150", ()),
    ("Order 10551", "dana.novak@example.org", "Waiting for payment", "", "75", ()),
)  # fmt: skip


def load_samples(boards: Boards) -> int:
    """Add the sample contacts, deals and updates once; returns how many items were added."""
    if boards.board_items(CONTACTS_BOARD):
        return 0
    contacts = {
        email: boards.add_item(
            CONTACTS_BOARD, name, {"email": email, "phone": phone, "company": company}
        )
        for name, email, phone, company in _CONTACTS
    }
    for name, email, status, date, amount, notes in _DEALS:
        cells = {"status": status, "delivery_date": date, "amount": amount}
        deal = boards.add_item(DEALS_BOARD, name, cells)
        boards.link(contacts[email], "deals", deal)
        boards.link(deal, "deal_contact", contacts[email])
        for note in notes:
            boards.add_update(deal, note, "Order desk")
    return len(_CONTACTS) + len(_DEALS)
