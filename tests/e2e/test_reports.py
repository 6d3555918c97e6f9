"""Sections 3 and 6 of PROTOCOL.md on one node: which report is known, WHATSAT that asks nobody."""

import json
import time

import pytest

from herdlib import DEVICES, parse_at, wait_until

EMPTY = {"html_attributions": [], "results": [], "status": "ZERO_RESULTS"}


@pytest.fixture(name="client")
def fixture_client(new_herd, board):
    """A client of a node of its own."""
    herd = new_herd(boards=board)
    herd.start()
    return herd.client("Solo")


@pytest.mark.parametrize("radius, bound", [(0, 5), (10, 0), (0, 0), ("0.000", 20), (".0", 1)])
def test_radius_or_bound_0_is_answered_without_results(client, radius, bound):
    at = client.iamat("kiwi")
    answer = client.whatsat("kiwi", radius, bound)
    assert answer.at == at
    assert json.loads(answer.text) == EMPTY


def test_a_whatsat_answer_ends_with_exactly_two_newlines_and_has_no_empty_line(client):
    at = client.iamat("kiwi")
    client.send(b"WHATSAT kiwi 0 0\nWHATSAT kiwi 10 5\nend\n")
    client.half_close()
    first, second, end = client.rest().split(b"\n\n")
    assert end == b"? end\n"
    for answer in (first, second):
        assert answer.startswith(at + b"\n{") and answer.endswith(b"}")


def test_whatsat_without_a_provider_keeps_its_shape(client):
    at = client.iamat("kiwi")
    answer = client.whatsat("kiwi", 10, 5)
    assert answer.at == at
    parsed = json.loads(answer.text)
    assert set(parsed) == {"html_attributions", "results", "status", "error_message"}
    assert parsed["html_attributions"] == parsed["results"] == []
    assert parsed["status"] in ("REQUEST_DENIED", "UNKNOWN_ERROR") and parsed["error_message"]


def test_an_unknown_device_is_invalid_until_it_reports(client):
    assert client.ask(b"WHATSAT kiwi 10 5") == b"? WHATSAT kiwi 10 5"
    at = client.iamat("kiwi")
    assert client.known("kiwi") == at
    assert client.known("kiw") is None and client.known("kiwi2") is None


def test_pipelined_whatsat_and_iamat_are_answered_in_order(client):
    commands, devices = [], 20
    for i in range(devices):
        commands += [b"IAMAT d%d +1+2 %d\n" % (i, i), b"WHATSAT d%d 0 5\n" % i, b"huh %d\n" % i,
                     b"WHATSAT nobody%d 0 5\n" % i]
    client.feed(b"".join(commands), half_close=True)
    for i in range(devices):
        at = client.line()
        assert parse_at(at)[2:] == (b"d%d" % i, b"+1+2", b"%d" % i)
        answer = client.read_answer()
        assert answer.at == at and json.loads(answer.text) == EMPTY
        assert client.line() == b"? huh %d" % i
        assert client.line() == b"? WHATSAT nobody%d 0 5" % i
    assert client.rest() == b""


# ---- Which report wins ----

def test_the_newest_report_wins(client):
    for number, stamp in enumerate(("100", "100.000000001", "101", "1621464827.959498503")):
        at = client.iamat("kiwi", f"+{number}+2", stamp)
        assert client.known("kiwi") == at


def test_an_older_report_is_answered_and_changes_nothing(client):
    newest = client.iamat("kiwi", "+3+2", "100")
    for stamp in ("99", "99.999999999", "0", ".5"):
        at = client.iamat("kiwi", "+1+2", stamp)
        assert parse_at(at)[2:] == (b"kiwi", b"+1+2", stamp.encode())
        assert client.known("kiwi") == newest


def test_the_same_report_again_is_answered_and_changes_nothing(client):
    first = client.iamat("kiwi", "+1+2", "100")
    again = client.iamat("kiwi", "+1+2", "100")
    assert parse_at(again)[2:] == parse_at(first)[2:]
    assert parse_at(again).difference > parse_at(first).difference
    assert client.known("kiwi") == first


def test_the_same_time_in_other_digits_changes_nothing(client):
    first = client.iamat("kiwi", "+1+2", "100")
    for stamp in ("100.0", "0100", "100.", "100.0000000009"):
        assert parse_at(client.iamat("kiwi", "+1+2", stamp)).stamp == stamp.encode()
    assert client.known("kiwi") == first


def test_of_two_places_at_the_same_time_the_same_one_wins_in_either_order(client):
    low, high = "+1+2", "+3+4"
    client.iamat("rising", low, "100")
    rising = client.iamat("rising", high, "100")
    falling = client.iamat("falling", high, "100")
    client.iamat("falling", low, "100")
    assert client.known("rising") == rising
    assert client.known("falling") == falling


def test_names_are_told_apart_bytewise(client):
    names = ["kiwi", "Kiwi", "kiwi.", "k\u012bwi", "ki\u0304wi", "kiwi\u00a0"]
    ats = [client.iamat(name, f"+{number}+2", "100") for number, name in enumerate(names)]
    assert [client.known(name) for name in names] == ats


# ---- The table ----

def test_a_full_table_keeps_the_newest_devices(new_herd):
    herd = new_herd(boards="posix-small")
    herd.start()
    client = herd.client("Solo")
    room = DEVICES["posix-small"]
    order = [i * 37 % 150 for i in range(150)]  # every stamp once, in no order
    ats = {i: client.iamat(f"device{i}", stamp=1000 + i) for i in order}
    for i in range(150):
        assert client.known(f"device{i}") == (ats[i] if i >= 150 - room else None)
    assert parse_at(client.iamat("late", stamp=1)).stamp == b"1"
    assert client.known("late") is None, "older than everything in a full table"


# ---- Clocks that run ahead ----

@pytest.fixture(name="skewed")
def fixture_skewed(new_herd):
    """A client of a node that orders reports by arrival from 1 s ahead of its clock on."""
    herd = new_herd(herd={"skew_max": 1})
    herd.start()
    return herd.client("Solo")


def test_a_stamp_in_the_far_future_does_not_freeze_the_record(skewed):
    future = skewed.iamat("kiwi", "+1+2", int(time.time()) + 10**8)
    assert skewed.known("kiwi") == future
    start = time.monotonic()
    at = wait_until(lambda: (at := skewed.iamat("kiwi", "+3+4")) == skewed.known("kiwi") and at,
                    "a report with the right time replaces it", 5)
    assert time.monotonic() - start > 0.8, "not before skew_max has passed"
    assert skewed.known("kiwi") == at


def test_of_two_stamps_in_the_far_future_the_later_one_stays(skewed):
    day = int(time.time()) + 86400
    skewed.iamat("kiwi", "+1+2", day)
    later = skewed.iamat("kiwi", "+3+4", day + 100)
    assert skewed.known("kiwi") == later
    wait = time.monotonic() + 1.2
    while time.monotonic() < wait:  # also when the later one arrived long ago
        skewed.iamat("kiwi", "+5+6", day + 50)
        assert skewed.known("kiwi") == later


def test_a_stamp_a_little_ahead_is_ordered_by_itself(new_herd):
    herd = new_herd(herd={"skew_max": 60})
    herd.start()
    client = herd.client("Solo")
    ahead = client.iamat("kiwi", "+1+2", int(time.time()) + 30)
    client.iamat("kiwi", "+3+4")
    assert client.known("kiwi") == ahead
