"""Section 5 of PROTOCOL.md, as an uninvited caller of the link listener meets it."""

import contextlib
import socket
import struct

import pytest

from herdlib import PATIENCE_S, Client, parse_at, wait_until
from linklib import (ACK, BEAT, BYE, BYE_IDENTITY, BYE_PROTOCOL, BYE_SETTINGS, BYE_VERSION, HELLO,
                     REPORT, Bare, Caller, frame, hello, report)

AT = b"AT Bona +0.263873386 smuggled +34.068930-118.445127 1621464827.959498503"


@pytest.fixture(name="pair")
def fixture_pair(new_herd):
    """Two linked nodes; a third one, Carol, is a neighbour of A in the herd file and never runs."""
    herd = new_herd(("A", "B", "Carol"), (("A", "B"), ("A", "Carol")))
    herd.start("A", "B")
    herd.linked("A", "B")
    return herd


def check_untouched(herd, mark):
    """Nothing of what the caller said was believed, and the real link never went down."""
    with Client(herd["A"].port) as client:
        assert client.known("smuggled") is None
        at = client.iamat("real")
    herd.knows("B", "real", at)
    log = herd["A"].log
    assert not log.find("link.down", mark) and not log.find("link.up", mark)


ALERT = b"\x15"  # a record of TLS

GARBAGE = [
    AT + b"\n", b"IAMAT smuggled +1+2 3\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\n" * 5,
    b"\0" * 3, b"\xff" * 70000, bytes(range(256)) * 8,
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"\x01", b"", hello()[:-1]]


def test_garbage_at_the_link_listener_is_dropped_and_changes_nothing(pair):
    """Some at once, because some of it looks like the beginning of a record and is waited for."""
    node, together = pair["A"], 4  # of the 8 callers that a node has contexts for
    mark = node.log.mark()
    for first in range(0, len(GARBAGE), together):
        some = GARBAGE[first:first + together]
        callers = [Bare(node) for _ in some]
        try:
            node.log.wait("link.taken", mark, count=first + len(some))
            for caller, data in zip(callers, some):
                with contextlib.suppress(ConnectionError):  # dropped already
                    caller.send(data)
            for caller in callers:
                assert caller.rest()[:1] in (b"", ALERT)
            node.log.wait("link.dropped", mark, count=first + len(some), peer="?")
        finally:
            for caller in callers:
                caller.close()
    assert len(node.log.find("link.refused", mark)) == len(GARBAGE)
    check_untouched(pair, mark)


@pytest.mark.parametrize("data, reason", [
    (report(AT), BYE_PROTOCOL),
    (frame(ACK, b"\0\0\0\1"), BYE_PROTOCOL),
    (frame(BEAT, b"\0" * 17), BYE_PROTOCOL),
    (frame(HELLO), BYE_PROTOCOL),
    (frame(HELLO, b"\1"), BYE_PROTOCOL),
    (frame(HELLO, b"\1" * 2000), BYE_PROTOCOL),
    (frame(REPORT, b"\1" * 60000), BYE_PROTOCOL),
    (hello(sender=b"Mallory"), BYE_IDENTITY),
    (hello(sender=b"A"), BYE_IDENTITY),
    (hello(sender=b"carol"), BYE_IDENTITY),
    (hello(sender=b"Car ol"), BYE_PROTOCOL),
    (hello(sender=b""), BYE_PROTOCOL),
    (hello(sender=b"x" * 33), BYE_PROTOCOL),
    (hello(target=b"B"), BYE_IDENTITY),
    (hello(version=2), BYE_VERSION),
    (hello(version=0), BYE_VERSION),
    (hello(report_bytes=127), BYE_SETTINGS),
    (hello(skew_max=61), BYE_SETTINGS),
])
def test_a_caller_that_breaks_the_handshake_is_told_why_and_dropped(pair, data, reason):
    mark = pair["A"].log.mark()
    with Caller(pair["A"]) as caller:
        with contextlib.suppress(ConnectionError):  # dropped within what is too long
            caller.send(data)
        *before, (kind, body) = caller.frames()
    assert not before and (kind, body) == (BYE, bytes([reason]))
    log = pair["A"].log  # which also tells of its own dials of Carol
    wait_until(lambda: [event for event in log.find("link.dropped", mark, peer="Carol")
                        if event.fields["reason"] != "unreachable"], log.tail())
    check_untouched(pair, mark)


@pytest.mark.parametrize("data", [
    hello(), frame(ACK, b"\0\0\0\1"), frame(ACK, b"\xff\xff\xff\xff"), frame(ACK, b"\0"),
    frame(ACK, b"\0" * 5), frame(BEAT, b"\0" * 16), frame(BEAT, b"\0" * 18),
    frame(BEAT, b"\1" * 3000)])
def test_a_neighbour_that_breaks_the_protocol_is_told_and_dropped(pair, data):
    with Caller(pair["A"]) as caller:
        caller.send(hello())
        assert caller.frame()[0] == HELLO
        pair["A"].log.wait("link.up", peer="Carol")
        with contextlib.suppress(ConnectionError):  # dropped within what is too long
            caller.send(data)
        assert caller.frames()[-1] == (BYE, bytes([BYE_PROTOCOL]))
    down = pair["A"].log.wait("link.down", peer="Carol")
    check_untouched(pair, pair["A"].log.events.index(down) + 1)


@pytest.mark.parametrize("text, key", [
    (AT + b"\n", 10**18), (AT.replace(b" +34", b"  +34"), 10**18), (AT[3:], 10**18), (b"", 10**18),
    (AT.replace(b"+0.263873386", b"0.263873386"), 10**18), (AT.replace(b"+34", b"+94"), 10**18),
    (AT.replace(b"Bona", b"Bo/na"), 10**18), (AT + b" x", 10**18),
    (AT.replace(b"smu", b"s\x01u"), 10**18),
    (AT.replace(b"smuggled", b"smuggled" * 12), 10**18), (AT, -1), (AT, -2**63),
    (AT, 2**63 - 1)])
def test_a_report_that_no_node_would_send_is_refused_and_acknowledged(pair, text, key):
    with Caller(pair["A"]) as caller:
        caller.send(hello() + report(text, key))
        frames = [caller.frame()]
        while frames[-1][0] != ACK:
            frames.append(caller.frame())
        assert frames[-1] == (ACK, b"\0\0\0\1")
        pair["A"].log.wait("link.refused", peer="Carol", frame="report")
        with Client(pair["A"].port) as client:
            assert client.known("smuggled") is None


def test_frames_of_unknown_and_reserved_types_are_skipped(pair):
    with Caller(pair["A"]) as caller:
        unknown = b"".join(frame(kind, b"?" * length) for kind in (0, 5, 6, 10, 99, 255)
                           for length in (0, 1, 65535))
        caller.send(hello() + unknown + report(AT))
        while (one := caller.frame())[0] != ACK:
            assert one[0] in (HELLO, BEAT, REPORT)
        assert one == (ACK, b"\0\0\0\1")
    pair.knows("B", "smuggled", AT)


def test_a_new_neighbour_is_told_what_is_known_in_order_of_credit(pair):
    """At most 32 REPORTs are on their way unacknowledged."""
    with Client(pair["A"].port) as client:
        ats = {client.iamat(f"d{i}", stamp=1000 + i) for i in range(100)}
    with Caller(pair["A"]) as caller:
        caller.send(hello())
        got, acked = [], 0
        caller.settimeout(1)
        while len(got) < 100:
            try:
                kind, body = caller.frame()
            except TimeoutError:
                assert len(got) == acked + 32, "goes on as far as the credit reaches"
                acked = len(got)
                caller.send(frame(ACK, struct.pack(">I", acked)))
                continue
            if kind == REPORT:
                got.append(body[9:])
                assert len(got) <= acked + 32, "more in flight than allowed"
                if acked:  # the first time the credit was waited for; that is proof enough
                    acked = len(got)
                    caller.send(frame(ACK, struct.pack(">I", acked)))
        assert set(got) == ats
        key, flags = struct.unpack(">qB", body[:9]) if kind == REPORT else (0, 0)
        assert flags == 0 and key == int(parse_at(got[-1]).stamp) * 10**9


def test_a_crowd_at_the_link_listener_does_not_part_a_node_from_its_herd(pair):
    crowd = []
    try:
        for _ in range(60):
            with contextlib.suppress(ConnectionError):  # some are refused before connect() is back
                crowd.append(Bare(pair["A"]))
        mark = 0
        with Client(pair["A"].port) as client:
            at = client.iamat("real")
        pair.knows("B", "real", at)
        assert not pair["A"].log.find("link.down", mark)
        pair["A"].log.wait("link.refused", reason="no room for callers")
    finally:
        for caller in crowd:
            caller.close()
    pair["B"].kill()
    pair.start("B")  # and a neighbour that restarts finds its way in
    pair.linked("A", "B")
    pair.knows("B", "real", at)


def test_a_second_connection_of_a_restarted_neighbour_takes_the_links_place(pair):
    with Caller(pair["A"]) as first:
        first.send(hello(boot=1))
        pair["A"].log.wait("link.up", peer="Carol")
        with Caller(pair["A"]) as second:
            second.send(hello(boot=2))
            assert second.frame()[0] == HELLO
            assert first.frames()[-1][0] in (HELLO, BEAT, BYE)
            with Client(pair["A"].port) as client:
                at = client.iamat("real")
            while (one := second.frame())[0] != REPORT:
                pass
            assert one[1][9:] == at


@pytest.mark.parametrize("answered", [True, False])
def test_a_link_is_not_down_while_it_moves_to_the_connection_that_we_dialled(new_herd, answered):
    """Both ends dial; the neighbour's BYE on its own connection overtakes its HELLO on ours."""
    herd = new_herd(("A", "Carol"), (("A", "Carol"),))
    with socket.create_server(herd.here("Carol")) as listener:
        listener.settimeout(PATIENCE_S)
        node = herd.start("A")
        ours = Caller(node)
        dialled = Caller.of(listener.accept()[0], herd)
        with ours, dialled:
            assert dialled.frame()[0] == HELLO
            ours.send(hello())
            assert ours.frame()[0] == HELLO
            node.log.wait("link.up", peer="Carol")
            ours.send(frame(BYE, b"\2"))
            node.log.wait("link.got", frame="bye", reason="duplicate")
            node.log.wait("link.dropped", peer="Carol")
            if answered:
                dialled.send(hello() + report(AT))
                while (one := dialled.frame())[0] != ACK:
                    pass
                assert one == (ACK, b"\0\0\0\1")
                with Client(node.port) as client:
                    assert client.known("smuggled") == AT
                assert node.log.count("link.up") == 1 and not node.log.find("link.down")
        node.log.wait("link.down", peer="Carol")
        assert node.log.count("link.down") == 1


def test_a_link_that_moves_tells_again_what_was_not_acknowledged_and_no_more(new_herd):
    herd = new_herd(("A", "Carol"), (("A", "Carol"),))
    with socket.create_server(herd.here("Carol")) as listener:
        listener.settimeout(PATIENCE_S)
        node = herd.start("A")
        first, second = [herd.client("A").iamat(name, stamp=1) for name in ("first", "second")]
        with Caller(node) as ours, Caller.of(listener.accept()[0], herd) as dialled:
            assert dialled.frame()[0] == HELLO
            ours.send(hello())
            assert [body[9:] for kind, body in (ours.frame() for _ in range(4))
                    if kind == REPORT] == [first, second]
            ours.send(frame(ACK, b"\0\0\0\1") + frame(BYE, b"\2"))
            node.log.wait("link.dropped", peer="Carol")
            between = herd.client("A").iamat("between", stamp=1)
            dialled.send(hello())
            reports = []
            while len(reports) < 2:
                kind, body = dialled.frame()
                reports += [body[9:]] if kind == REPORT else []
            assert sorted(reports) == sorted([second, between])
            dialled.send(frame(ACK, b"\0\0\0\2"))
            last = herd.client("A").iamat("last", stamp=1)
            while (one := dialled.frame())[0] != REPORT:
                pass
            assert one[1][9:] == last and not node.log.find("link.down")
