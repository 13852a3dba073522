"""The invented customers: the same seed, the same words; enough of each kind."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from swarm.rehearsal.customers import CLASSES, one_that_is_answered, past_mails
from swarm.rehearsal.history import write_history
from swarm.shadow.history.lines import order_line
from swarm.shadow.history.mapping import mapping_of

UNTIL = datetime(2026, 11, 27, tzinfo=UTC)


def test_the_same_seed_writes_the_same_mails_and_another_one_others() -> None:
    first = list(past_mails(7, 1200, UNTIL))
    assert first == list(past_mails(7, 1200, UNTIL))
    assert first != list(past_mails(8, 1200, UNTIL))


def test_each_class_has_enough_to_prove_a_miss_rate_below_five_percent() -> None:
    labels = Counter(mail.label for mail in past_mails(7, 1000, UNTIL))
    assert min(labels[each] for each in CLASSES) >= 59


def test_no_two_mails_come_from_one_customer_or_have_one_id() -> None:
    mails = list(past_mails(7, 1200, UNTIL))
    assert len({mail.id for mail in mails}) == len({mail.address for mail in mails}) == len(mails)


def test_mails_come_in_the_order_of_their_time_and_before_the_rehearsal() -> None:
    times = [mail.received_at for mail in past_mails(7, 1200, UNTIL)]
    assert times == sorted(times)
    assert times[-1] < UNTIL


def test_every_third_live_mail_encloses_a_text() -> None:
    enclosed = [bool(one_that_is_answered(7, n, UNTIL).enclosed) for n in range(1, 7)]
    assert enclosed == [False, False, True, False, False, True]


def test_the_old_files_are_read_by_the_import_through_their_mapping(tmp_path: Path) -> None:
    files = write_history(tmp_path, past_mails(7, 1080, UNTIL), "service@example.com")
    mapping = mapping_of(files.mapping)
    lines = files.orders.read_bytes().splitlines()
    read = [order_line(line, mapping, "secret") for line in lines]
    assert [type(each).__name__ for each in read] == ["OrderLine"] * len(lines)


def test_todays_outbox_sent_replies_and_labels_tell_of_the_same_work_orders(tmp_path: Path) -> None:
    files = write_history(tmp_path, past_mails(7, 1080, UNTIL), "service@example.com")
    ids = [
        [json.loads(line)["id"] for line in path.read_bytes().splitlines()]
        for path in (files.outbox, files.sent, files.labels)
    ]
    assert ids[0] == ids[1] == ids[2]
