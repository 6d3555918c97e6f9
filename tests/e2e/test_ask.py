"""WHATSAT at a node without an upstream: a neighbour answers (section 5 of PROTOCOL.md)."""

import contextlib
import json
import socket
import struct
import threading
import time

import pytest

from herdlib import ANSWER_BYTES, PATIENCE_S, Client, wait_until
from linklib import (ACK, ANSWER, ASK, BYE, BYE_PROTOCOL, FAILURE, HELLO, LAST, OFFERS_ASK, REPORT,
                     Caller, answer, ask, frame, hello)

UCLA = "+34.068930-118.445127"
NOBODY = "no neighbour with an upstream is reachable"
STAR = (("A", "B"), ("A", "C"), ("B", "C"))
ASKS = {"upstream": "no"}  # keys of [node NAME]


@pytest.fixture(name="new_star")
def fixture_new_star(new_standin, new_herd):
    """new_star(asking=, boards=, names=, links=, keys of [places]): a herd behind a stand-in; A asks.
    Returns the herd, the stand-in and a client of A that has reported where kiwi is."""
    def make(asking=("A",), boards="posix", names=("A", "B", "C"), links=STAR, **places):
        standin = new_standin()
        herd = new_herd(names, links, boards, nodes=dict.fromkeys(asking, ASKS),
                        places=standin.places(**places))
        herd.start()
        herd.linked()
        client = herd.client("A")
        at = client.iamat("kiwi", UCLA)
        for name in names:
            herd.knows(name, "kiwi", at)
        return herd, standin, client
    return make


def status(text, expected):
    """The message of a JSON in the shape of section 3 with this status."""
    parsed = json.loads(text)
    assert parsed["status"] == expected and parsed["html_attributions"] == [], parsed
    assert bool(parsed["results"]) == (expected == "OK")
    return parsed.get("error_message")


# ---- Answers ----

@pytest.mark.parametrize("provider", ["google", "google-legacy"])
def test_a_neighbour_answers_as_it_would_its_own_clients(new_star, board, provider):
    herd, standin, client = new_star(boards=board, provider=provider)
    asked = client.whatsat("kiwi", 10, 5)
    assert status(asked.text, "OK") is None
    assert herd["A"].log.wait("ask.sent").fields["peer"] == "B"
    assert standin.stats()["requests"] == 1
    own = herd.client("B").whatsat("kiwi", 10, 5)
    assert (asked.at, asked.text) == (own.at, own.text)
    log = herd["A"].log
    assert not log.find("tls.setup") and log.wait("places.answered").fields["bytes"]
    assert log.wait("places.setup").fields["provider"] == "a neighbour"


def test_many_clients_of_a_node_without_upstream_get_their_answers_in_order(new_star, board):
    herd, standin, client = new_star(boards=board)
    client.send(b"".join(b"WHATSAT kiwi %d 5\n" % radius for radius in (1, 10, 1, 20))
                + b"IAMAT other +1+2 3\n")
    with Client(herd["A"].port) as second:
        same = second.whatsat("kiwi", 20, 5)
    answers = [client.read_answer() for _ in range(4)]
    assert all(status(one.text, "OK") is None for one in answers)
    assert answers[0].text == answers[2].text and answers[3].text == same.text
    assert client.line().endswith(b" other +1+2 3")
    assert standin.stats()["requests"] <= 5


def test_an_answer_is_trimmed_to_the_room_of_the_asker(new_star):
    herd, _, client = new_star(boards={"A": "posix-small", "B": "posix", "C": "posix"},
                               provider="google-legacy")
    small = client.whatsat("kiwi", 10, 20).text
    large = herd.client("B").whatsat("kiwi", 10, 20).text
    assert len(large) > ANSWER_BYTES["posix-small"] >= len(small)
    kept, there = (json.loads(text)["results"] for text in (small, large))
    assert len(there) == 20 and 2 <= len(kept) < 20 and kept == there[:len(kept)]
    assert herd["B"].log.wait("places.answered").fields["left_out"] == str(20 - len(kept))


def test_a_failure_of_the_provider_comes_through(new_star):
    herd, standin, client = new_star()
    standin.fault("http-403")
    message = status(client.whatsat("kiwi").text, "REQUEST_DENIED")
    assert "HTTP 403" in message
    standin.fault("none")
    assert status(client.whatsat("kiwi").text, "OK") is None
    assert herd["A"].log.count("places.failed") == 1


def test_queries_of_neighbours_are_within_the_budget(new_star):
    herd, standin, client = new_star(queries_per_minute=1)
    assert status(client.whatsat("kiwi", 1).text, "OK") is None
    assert "queries_per_minute" in status(client.whatsat("kiwi", 2).text, "OVER_QUERY_LIMIT")
    own = herd.client("B").whatsat("kiwi", 3)
    assert "queries_per_minute" in status(own.text, "OVER_QUERY_LIMIT")
    assert standin.stats()["requests"] == 1


def test_a_node_can_be_told_to_ask_when_it_is_started(new_standin, new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),), places=new_standin().places())
    herd.launch("A", "--set", "node.upstream=no")
    herd.start("B")
    herd.linked()
    client = herd.client("A")
    client.iamat("kiwi", UCLA)
    assert status(client.whatsat("kiwi").text, "OK") is None
    herd["A"].log.wait("ask.sent", peer="B")


# ---- Nobody there ----

@pytest.mark.parametrize("asking", [("A", "B", "C"), ("A", "B")])
def test_one_hop_and_no_further(new_star, asking):
    """C, when it has an upstream, is a neighbour of B only."""
    herd, standin, client = new_star(asking=asking, links=(("A", "B"), ("B", "C")))
    assert status(client.whatsat("kiwi").text, "UNKNOWN_ERROR") == NOBODY
    assert standin.stats()["connections"] == 0
    assert not herd["B"].log.find("ask.got") and not herd["C"].log.find("ask.got")


def test_a_neighbour_without_a_places_key_is_not_asked(new_standin, new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),), nodes={"A": ASKS}, places=new_standin().places())
    herd.start("A")
    herd.launch("B", env={"PLACES_KEY": ""})
    herd["B"].log.wait("node.ready")
    herd.linked()
    client = herd.client("A")
    client.iamat("kiwi", UCLA)
    assert status(client.whatsat("kiwi").text, "UNKNOWN_ERROR") == NOBODY
    assert not herd["B"].log.find("ask.got")


def test_a_neighbour_that_vanishes_is_replaced_by_another_one(new_star):
    herd, standin, client = new_star(timeout_ms=20000)
    standin.fault("slow 1500")
    client.send(b"WHATSAT kiwi 10 5\n")
    herd["A"].log.wait("ask.sent", peer="B")
    herd["B"].log.wait("places.asked")
    herd["B"].kill()
    assert status(client.read_answer().text, "OK") is None
    herd["A"].log.wait("ask.lost", peer="B")
    herd["A"].log.wait("ask.sent", peer="C")


def test_when_the_only_neighbour_vanishes_the_answer_keeps_its_shape(new_star):
    herd, standin, client = new_star(names=("A", "B"), links=(("A", "B"),), timeout_ms=20000)
    standin.fault("slow 10000")
    client.send(b"WHATSAT kiwi 10 5\n")
    herd["B"].log.wait("places.asked")
    herd["B"].kill()
    assert status(client.read_answer().text, "UNKNOWN_ERROR") == NOBODY
    assert status(client.whatsat("kiwi").text, "UNKNOWN_ERROR") == NOBODY
    standin.fault("none")
    herd.start("B")
    herd.linked()
    assert status(client.whatsat("kiwi").text, "OK") is None


def test_one_deadline_bounds_it_all(new_star):
    herd, standin, client = new_star(timeout_ms=600)
    standin.fault("stall-body")
    start = time.monotonic()
    status(client.whatsat("kiwi").text, "UNKNOWN_ERROR")
    assert 0.5 < time.monotonic() - start < 5
    standin.fault("none")
    standin.control("hangup")
    wait_until(lambda: json.loads(client.whatsat("kiwi").text)["status"] == "OK",
               "the stand-in works again", 10)


# ---- Frames that a neighbour may send ----

@pytest.fixture(name="asked")
def fixture_asked(new_standin, new_herd):
    """Node A with an upstream, linked with B, which has none, and with five that never run."""
    names = ("A", "B", *(f"D{number}" for number in range(5)))
    herd = new_herd(names, [("A", name) for name in names[1:]], nodes={"B": ASKS},
                    places=(standin := new_standin()).places(cache_seconds=1000,
                                                             provider="google-legacy"))
    herd.start("A", "B")
    herd.linked()
    return herd, standin


def neighbour(node, name=b"D0", features=0):
    def call():
        try:
            return Caller(node, name.decode())
        except ConnectionError:  # the node has no room for callers while it dials all of its neighbours
            return None
    caller = wait_until(call, f"{name} is let in", check=node.check)
    caller.send(hello(sender=name, target=node.name.encode(), features=features))
    body = caller.wait(HELLO)
    return caller, struct.unpack(">I", body[1:5])[0]


def test_hello_tells_who_answers(asked):
    herd, _ = asked
    caller, features = neighbour(herd["A"])
    with caller:
        assert features & OFFERS_ASK
    with Caller(herd["B"], "A") as other:
        other.send(hello(sender=b"A", target=b"B"))
        assert struct.unpack(">I", other.wait(HELLO)[1:5])[0] & OFFERS_ASK == 0


@pytest.mark.parametrize("query", [
    {"bound": 0}, {"bound": 21}, {"bound": 255}, {"radius_mm": 0}, {"radius_mm": 50000001},
    {"radius_mm": 2**32 - 1}, {"lat_e7": 900000001}, {"lat_e7": -2**31}, {"lng_e7": -1800000001},
    {"lng_e7": 2**31 - 1}, {"bytes_max": 1023}, {"bytes_max": 0}])
def test_a_query_out_of_range_is_answered_with_a_failure(asked, query):
    herd, standin = asked
    caller, _ = neighbour(herd["A"])
    with caller:
        caller.send(ask(7, **query))
        status(caller.answer(7), "INVALID_REQUEST")
        caller.send(ask(8))
        status(caller.answer(8), "OK")
    assert standin.stats()["requests"] == 1


@pytest.mark.parametrize("data", [
    frame(ASK), ask()[:-1].replace(b"\x07\0\x13", b"\x07\0\x12"), frame(ASK, b"\0" * 20),
    frame(ASK, b"\0" * 3000), frame(ANSWER), frame(ANSWER, b"\0\0"), frame(ANSWER, b"\0" * 3000)])
def test_a_frame_of_the_wrong_length_breaks_the_protocol(asked, data):
    caller, _ = neighbour(asked[0]["A"])
    with caller:
        with contextlib.suppress(ConnectionError):  # dropped within what is too long
            caller.send(data)
        assert caller.frames()[-1] == (BYE, bytes([BYE_PROTOCOL]))


def test_who_has_no_upstream_does_not_pass_an_ask_on(asked):
    """B would ask A for its own clients."""
    herd, standin = asked
    asks = herd["A"].log.count("ask.got")
    herd["A"].kill()
    herd["B"].log.wait("link.down", peer="A")
    with Caller(herd["B"], "A") as caller:
        caller.send(hello(sender=b"A", target=b"B", boot=1))
        caller.wait(HELLO)
        caller.send(ask(1))
        assert "no upstream" in status(caller.answer(1), "REQUEST_DENIED")
        assert caller.socket.fileno() >= 0 and asks == 0
    assert standin.stats()["connections"] == 0


def test_more_neighbours_than_a_node_serves_are_told_to_try_again(asked):
    herd, standin = asked
    standin.fault("slow 1000")
    callers = [neighbour(herd["A"], b"D%d" % number)[0] for number in range(5)]
    try:
        for number, caller in enumerate(callers):
            caller.send(ask(1, bound=number + 1))
            herd["A"].log.wait("ask.got", peer=f"D{number}")
        assert "try again" in status(callers[4].answer(), "UNKNOWN_ERROR")
        standin.fault("none")
        for caller in callers[:4]:
            status(caller.answer(), "OK")
        callers[4].send(ask(2))
        status(callers[4].answer(2), "OK")
    finally:
        for caller in callers:
            caller.socket.close()


def test_a_later_ask_takes_the_place_of_an_earlier_one(asked):
    herd, standin = asked
    standin.fault("slow 300")
    caller, _ = neighbour(herd["A"])
    with caller:
        caller.send(b"".join(ask(number, bound=number) for number in (1, 2, 3)))
        body = caller.wait(ANSWER)
        assert struct.unpack(">H", body[:2]) == (3,)
    assert herd["A"].log.wait("ask.dropped", count=2).fields["reason"] == "asked anew"


def test_pieces_are_what_every_node_of_the_herd_has_room_for(asked):
    caller, _ = neighbour(asked[0]["A"])
    text, count = b"", 0
    with caller:
        caller.send(ask())
        while True:
            body = caller.wait(ANSWER)
            assert 3 < len(body) <= 128 + 66 + 3 and body[2] in (0, LAST)
            text, count = text + body[3:], count + 1
            if body[2] == LAST:
                break
    status(text, "OK")
    assert len(text) > 8192 and count == -(-len(text) // (128 + 66))


def test_replication_flows_while_answers_are_in_progress(asked):
    """Reports come between the pieces of one answer, none is kept back until an answer is over."""
    herd, _ = asked
    stop = threading.Event()

    def report():
        with Client(herd["A"].port) as client:
            number = 0
            while not stop.is_set():
                number += 1
                client.iamat(f"d{number % 50}", stamp=number)
    thread = threading.Thread(target=report)
    caller, _ = neighbour(herd["A"])
    with caller:
        thread.start()
        try:
            number, between, acked, open_answer = 0, 0, 0, False
            deadline = time.monotonic() + PATIENCE_S
            while between < 20:
                assert time.monotonic() < deadline, "answers keep reports back"
                if not open_answer:
                    number, open_answer = number % 65535 + 1, True
                    caller.send(ask(number))
                kind, body = caller.frame()
                if kind == REPORT:
                    acked += 1
                    caller.send(frame(ACK, struct.pack(">I", acked)))
                    between += pieces > 0
                elif kind == ANSWER:
                    open_answer = body[2] != LAST
                pieces = 1 if kind == ANSWER and open_answer else pieces if kind == REPORT else 0
        finally:
            stop.set()
            thread.join()
    at = herd.client("A").iamat("last")
    herd.knows("B", "last", at)


# ---- A neighbour that answers badly ----

class Answerer:
    """Pretends to be B, with an upstream, to A, which has none."""

    def __init__(self, herd, listener):
        self.node = herd.start("A")
        self.caller = Caller.of(listener.accept()[0], herd, "B")
        self.caller.wait(HELLO)
        self.caller.send(hello(sender=b"B", target=b"A", features=OFFERS_ASK | 0x80000000))
        self.node.log.wait("link.up", peer="B")
        self.client = herd.client("A")
        self.client.iamat("kiwi", UCLA)
        self.caller.wait(REPORT)
        self.acknowledge(1)

    def acknowledge(self, reports):
        self.caller.send(frame(ACK, struct.pack(">I", reports)))

    def ask(self, radius=10):
        """A client asks; the number and the body of the ASK."""
        self.client.send(b"WHATSAT kiwi %d 5\n" % radius)
        body = self.caller.wait(ASK)
        return struct.unpack(">H", body[:2])[0], body


@pytest.fixture(name="answerer")
def fixture_answerer(new_herd, board):
    herd = new_herd(("A", "B"), (("A", "B"),), board, nodes={"A": ASKS},
                    places={"provider": "google", "timeout_ms": 3000})
    with socket.create_server(herd.here("B")) as listener:
        listener.settimeout(PATIENCE_S)
        one = Answerer(herd, listener)
        with one.caller.socket:
            yield one


GOOD = b'{"html_attributions":[],"results":[{"name":"x"}],"status":"OK"}'


def test_an_ask_says_where_how_far_how_many_and_how_much(answerer):
    number, body = answerer.ask()
    room = ANSWER_BYTES[answerer.node.board]
    assert body == ask(number, 340689300, -1184451270, 10**7, 5, room)[3:]
    answerer.caller.send(answer(number, GOOD[:10], 0) + answer(number, b"", 0)
                         + answer(number, GOOD[10:]))
    assert answerer.client.read_answer().text == GOOD


def test_pieces_of_no_query_are_ignored(answerer):
    answerer.caller.send(answer(77, b"nonsense"))
    number, _ = answerer.ask()
    stray = b"".join(answer(other, b'{"stray":1}') for other in (number - 1, number + 1, 0))
    answerer.caller.send(stray + answer(number, GOOD) + stray + answer(number, GOOD))
    assert answerer.client.read_answer().text == GOOD
    number, _ = answerer.ask(11)
    answerer.caller.send(answer(number - 1, b'{"late":1}') + answer(number, GOOD))
    assert answerer.client.read_answer().text == GOOD


def test_newlines_cannot_end_the_answer_early(answerer):
    number, _ = answerer.ask()
    answerer.caller.send(b"".join(answer(number, piece, 0) for piece in
                                  (b"\n\n{\n", b"\n", b'\n"a":\n\n\n1', b"}\n")) + answer(number, b"\n"))
    assert answerer.client.read_answer().text == b'{\n"a":\n1}'
    assert answerer.client.ask(b"end") == b"? end"


@pytest.mark.parametrize("text", [b"", b"\n", b"x", b"{", b"AT B +0.1 kiwi +1+2 3", b"[1]"])
def test_what_cannot_be_json_is_a_failure(answerer, text):
    number, _ = answerer.ask()
    answerer.caller.send(answer(number, text))
    assert "B is not JSON" in status(answerer.client.read_answer().text, "UNKNOWN_ERROR")


def test_more_than_was_asked_for_is_a_failure(answerer):
    number, _ = answerer.ask()
    room = ANSWER_BYTES[answerer.node.board]
    answerer.caller.send(b"".join(answer(number, b"{" * 128, 0) for _ in range(room // 128 + 1)))
    assert "larger" in status(answerer.client.read_answer().text, "UNKNOWN_ERROR")
    number, _ = answerer.ask(11)
    answerer.caller.send(answer(number, GOOD))
    assert answerer.client.read_answer().text == GOOD


def test_a_failure_replaces_what_came_before(answerer):
    number, _ = answerer.ask()
    failure = b'{"html_attributions":[],"results":[],"status":"UNKNOWN_ERROR","error_message":"m"}'
    answerer.caller.send(answer(number, GOOD[:30], 0) + answer(number, failure[:9], FAILURE)
                         + answer(number, failure[9:]))
    assert answerer.client.read_answer().text == failure
    answerer.node.log.wait("places.failed")


def test_a_neighbour_that_never_ends_its_answer_is_not_waited_for_for_ever(answerer):
    number, _ = answerer.ask()
    answerer.caller.send(answer(number, GOOD[:9], 0))
    message = status(answerer.client.read_answer().text, "UNKNOWN_ERROR")
    assert message == "neighbour B did not answer in time"
    answerer.caller.send(answer(number, GOOD[9:]))
    number, _ = answerer.ask(11)
    answerer.caller.send(answer(number, GOOD))
    assert answerer.client.read_answer().text == GOOD


def test_a_suspect_neighbour_is_not_asked(answerer):
    answerer.client.iamat("other", UCLA)
    answerer.node.log.wait("link.suspect", peer="B")
    assert status(answerer.client.whatsat("kiwi").text, "UNKNOWN_ERROR") == NOBODY
    answerer.acknowledge(2)
    answerer.node.log.wait("link.recovered", peer="B")
    number, _ = answerer.ask()
    answerer.caller.send(answer(number, GOOD))
    assert answerer.client.read_answer().text == GOOD


def test_an_ask_follows_the_link_to_another_connection(answerer):
    """A is the lower name: the connection that it dialled is replaced only by a restarted B."""
    answerer.ask()
    with Caller(answerer.node, "B") as restarted:
        restarted.send(hello(sender=b"B", target=b"A", boot=4712, features=OFFERS_ASK))
        number = struct.unpack(">H", restarted.wait(ASK)[:2])[0]
        restarted.send(answer(number, GOOD))
        assert answerer.client.read_answer().text == GOOD
