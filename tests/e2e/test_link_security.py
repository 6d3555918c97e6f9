"""Links that nobody can forge: whatever is tried at a link listener without the link's key, or with it but
against the protocol, changes no table, is counted, and costs no neighbour its link."""

import contextlib
import os
import re
import socket
import threading
import time

import pytest

from herdlib import PATIENCE_S, Client, Herd, Programs, free_port, wait_until
from keyslib import LinkKeys
from linklib import (ACK, BYE, BYE_IDENTITY, BYE_PROTOCOL, HELLO, REPORT, Bare, Caller, Recorder, frame,
                     hello, report)
from terminal import Terminal
from tlspsk import TlsError

pytestmark = pytest.mark.net("slirp")  # the console is that of a program in a terminal

AT = b"AT Bona +0.263873386 smuggled +34.068930-118.445127 1621464827.959498503"
NUMBER = 5  # of the keys, so that there are older ones
OTHER = {"psk": "ecdhe-psk", "ecdhe-psk": "psk"}


class Besieged:
    """A, whose console tells its counters, linked with B, and with Carol and Dave, which never run."""

    def __init__(self, folder, suite):
        self.programs = Programs(folder)
        self.herd = herd = Herd(self.programs, ("A", "B", "Carol", "Dave"),
                                (("A", "B"), ("A", "Carol"), ("A", "Dave")),
                                herd={"link_suite": suite})
        self.suite = suite
        herd.keys = LinkKeys((*herd.links, ("B", "Carol")), NUMBER - 2)  # as if they were linked, too
        for _ in range(2):
            herd.keys.rotate()
        herd.keys.write(folder / "keys")
        herd.start("B")
        node = Terminal(herd.conf, "A", *herd.keys_options("A"), folder=folder)
        node.name, node.herd = "A", herd
        node.port, node.link_port = herd.ports["A"]
        self.node = herd.nodes["A"] = node
        node.ready()
        self.linked()

    def linked(self):
        self.herd.linked("A", "B")

    def end(self):
        self.node.end()
        self.programs.end()

    def counters(self):
        lines = [line for line in self.node.ask("links") if line.startswith(("3 links ", "callers "))]
        assert len(lines) == 2, lines
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", "".join(lines))}

    def mark(self):
        """From here on the link between A and B must not go down."""
        self.marks = {name: self.herd[name].log.mark() for name in ("A", "B")}


@pytest.fixture(scope="module", params=["psk", "ecdhe-psk"], name="shared")
def fixture_shared(request, tmp_path_factory):
    one = Besieged(tmp_path_factory.mktemp(f"besieged-{request.param}"), request.param)
    yield one
    one.end()


@pytest.fixture(name="besieged")
def fixture_besieged(shared):
    """Fails when the test has changed a table, or cost A its link with B."""
    shared.mark()
    yield shared
    with Client(shared.node.port) as client:
        assert client.known("smuggled") is None
        at = client.iamat("real")
    shared.herd.knows("B", "real", at)
    with Client(shared.herd["B"].port) as client:
        assert client.known("smuggled") is None
    for name, peer in (("A", "B"), ("B", "A")):
        assert not shared.herd[name].log.find("link.down", shared.marks[name], peer=peer)


def counted(besieged, before, **expected):
    """Waits until these counters, and no other one of refusals, have gone up by so many."""
    names = ("auth_failed", "auth_unknown", "auth_old_key", "refused", "protocol", "bad_report")
    found = {}

    def right():
        now = besieged.counters()
        found.update({name: now[name] - before[name] for name in names if now[name] != before[name]})
        return found == expected
    try:
        wait_until(right, "counted")
    except AssertionError:
        raise AssertionError(f"counted {found}, not {expected}\n{besieged.node.log.tail()}") from None


def refused(besieged, reason, identity=None, since=0):
    event = besieged.node.log.wait("link.refused", since, reason=reason)
    assert identity is None or event.fields.get("identity") == identity, event


# ---- Who cannot prove who he is ----

def key_of(a, b, number=NUMBER):
    return lambda herd: herd.keys.key(a, b, number)


STRANGERS = {  # name: identity, key, counter, reason in the log
    "no key": ("Carol>A#5", lambda _: b"\0" * 32, "auth_failed", "not authenticated"),
    "a wrong key": ("Carol>A#5", lambda _: os.urandom(32), "auth_failed", "not authenticated"),
    "a key of 16 bytes": ("Carol>A#5", lambda _: os.urandom(16), "auth_failed", "not authenticated"),
    "an old key by its number": ("Carol>A#4", key_of("A", "Carol", 4), "auth_old_key", "old key"),
    "an old key by the current number": ("Carol>A#5", key_of("A", "Carol", 4), "auth_failed",
                                         "not authenticated"),
    "an older key": ("Carol>A#3", key_of("A", "Carol", 3), "auth_unknown", "unknown identity"),
    "the next key by the current number": ("Carol>A#5", key_of("A", "Carol", 6), "auth_failed",
                                           "not authenticated"),
    "the current key by the next number": ("Carol>A#6", key_of("A", "Carol"), "auth_failed",
                                           "not authenticated"),
    "a number after the next": ("Carol>A#7", key_of("A", "Carol", 6), "auth_unknown",
                                "unknown identity"),
    "the key of a link of the node's with another": ("Carol>A#5", key_of("A", "B"), "auth_failed",
                                                     "not authenticated"),
    "the key of a link of its own with another": ("Carol>A#5", key_of("B", "Carol"), "auth_failed",
                                                  "not authenticated"),
    "the node's own name": ("A>A#5", key_of("A", "Carol"), "auth_unknown", "unknown identity"),
    "roles swapped": ("A>Carol#5", key_of("A", "Carol"), "auth_unknown", "unknown identity"),
    "another's name for the node": ("Carol>B#5", key_of("B", "Carol"), "auth_unknown",
                                    "unknown identity"),
    "a name of nobody": ("Mallory>A#5", key_of("A", "Carol"), "auth_unknown", "unknown identity"),
    "no identity": ("", key_of("A", "Carol"), "auth_failed", "not authenticated"),
    "no number": ("Carol>A", key_of("A", "Carol"), "auth_unknown", "unknown identity"),
    "a number written otherwise": ("Carol>A#05", key_of("A", "Carol"), "auth_unknown",
                                   "unknown identity"),
    "the longest identity": ("x" * 127, key_of("A", "Carol"), "auth_unknown", None),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_a_caller_that_cannot_prove_who_it_is_is_refused_and_counted(besieged, what):
    identity, key, counter, reason = STRANGERS[what]
    before, mark = besieged.counters(), besieged.node.log.mark()
    with pytest.raises((TlsError, TimeoutError)):
        Caller(besieged.node, name=identity.encode(), key=key(besieged.herd))
    counted(besieged, before, **{counter: 1})
    if reason:
        refused(besieged, reason, None if counter == "auth_failed" else identity or None, mark)


@pytest.mark.parametrize("number", [NUMBER, NUMBER + 1])
def test_the_current_key_and_the_next_are_believed(besieged, number):
    """What the tests above differ from."""
    before = besieged.counters()
    with Caller(besieged.node, number=number) as caller:
        caller.send(hello())
        assert caller.frame()[0] == HELLO
        besieged.node.log.wait("link.up", peer="Carol")
    counted(besieged, before)


def test_the_other_suite_is_refused_with_the_right_key(besieged):
    before, mark = besieged.counters(), besieged.node.log.mark()
    with pytest.raises(TlsError):
        Caller(besieged.node, suite=OTHER[besieged.suite])
    counted(besieged, before, auth_failed=1)
    assert besieged.node.log.wait("link.refused", mark).fields["reason"] in ("wrong suite",
                                                                             "not authenticated")


def test_a_caller_that_goes_away_within_the_handshake_is_counted(besieged):
    """A slice of a genuine ClientHello."""
    before = besieged.counters()
    recorder = Recorder(besieged.node.link_port)
    with Caller(besieged.node, port=recorder.port) as caller:
        caller.send(hello())
        caller.wait(HELLO)
    genuine = b"".join(recorder.sessions[0][0])
    recorder.close()
    for cut in (1, 5, 30, 60):
        with Bare(besieged.node) as caller:
            caller.send(genuine[:cut])
    counted(besieged, before, auth_failed=4)


# ---- Genuine words at the wrong place ----

def test_the_nodes_own_dial_reflected_to_itself_is_refused(besieged):
    """A dials Carol, and meets itself."""
    herd = besieged.herd
    before, mark = besieged.counters(), besieged.node.log.mark()
    with socket.create_server(herd.here("Carol")) as listener:
        listener.settimeout(PATIENCE_S)
        dialled = listener.accept()[0]
        mirror = socket.create_connection(("127.0.0.1", int(besieged.node.link_port)), PATIENCE_S)
        with dialled, mirror:
            relay(dialled, mirror)
    refused(besieged, "unknown identity", f"A>Carol#{NUMBER}", mark)
    wait_until(lambda: besieged.counters()["auth_unknown"] == before["auth_unknown"] + 1, "counted")


def relay(one, other):
    """Until either end has nothing more to say."""
    for each in (one, other):
        each.settimeout(0.02)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for source, target in ((one, other), (other, one)):
            with contextlib.suppress(TimeoutError):
                try:
                    piece = source.recv(65536)
                except ConnectionError:
                    return
                if not piece:
                    return
                target.sendall(piece)


def test_a_dial_that_is_led_to_another_neighbour_is_refused_there(besieged):
    """A dials Carol, and is led to B."""
    herd = besieged.herd
    mark = herd["B"].log.mark()
    with socket.create_server(herd.here("Carol")) as listener:
        listener.settimeout(PATIENCE_S)
        dialled = listener.accept()[0]
        mirror = socket.create_connection(("127.0.0.1", int(herd["B"].link_port)), PATIENCE_S)
        with dialled, mirror:
            relay(dialled, mirror)
    event = herd["B"].log.wait("link.refused", mark)
    assert event.fields["reason"] == "unknown identity" and event.fields["identity"] == f"A>Carol#{NUMBER}"


def test_a_neighbour_without_the_key_that_is_dialled_gets_no_link(besieged):
    herd = besieged.herd
    before, mark = besieged.counters(), besieged.node.log.mark()
    stranger = LinkKeys(herd.links, NUMBER)
    genuine, herd.keys = herd.keys, stranger
    try:
        with socket.create_server(herd.here("Carol")) as listener:
            listener.settimeout(PATIENCE_S)
            accepted = listener.accept()[0]
            with accepted, pytest.raises((TlsError, TimeoutError)):
                Caller.of(accepted, herd)
    finally:
        herd.keys = genuine
    wait_until(lambda: besieged.counters()["auth_failed"] > before["auth_failed"], "counted")
    assert not besieged.node.log.find("link.up", mark)


def say(node, pieces):
    """A capture, said again; what comes back."""
    with Bare(node) as caller:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                caller.send(piece)
                time.sleep(0.02)
            caller.socket.shutdown(socket.SHUT_WR)
        return caller.rest()


def test_a_captured_session_said_again_is_refused(besieged):
    before, mark = besieged.counters(), besieged.node.log.mark()
    recorder = Recorder(besieged.node.link_port)
    with Caller(besieged.node, port=recorder.port) as caller:
        caller.send(hello() + report(AT.replace(b"smuggled", b"captured")))
        caller.wait(ACK)
    besieged.node.log.wait("link.down", mark, peer="Carol")
    recorder.close()
    pieces = recorder.sessions[0][0]
    ups = len(besieged.node.log.find("link.up", mark))
    for again in (pieces, [b"".join(pieces)], pieces[:3], pieces[1:]):
        say(besieged.node, again)
    counted(besieged, before, auth_failed=4)
    assert len(besieged.node.log.find("link.up", mark)) == ups


def test_a_capture_of_two_nodes_is_worth_nothing_to_either(new_herd):
    """A dials B through somebody who listens. Later B has forgotten, and is told the same words; and A dials B
    again, and is answered by B's words of before."""
    herd = new_herd(("A", "B"), (("A", "B"),))
    recorder = Recorder(herd.ports["B"][1])
    genuine = herd.conf.read_text()

    def conf(name, whose, port):
        """The herd file, with another port of somebody's."""
        herd.conf = herd.folder / name
        herd.conf.write_text(genuine.replace(f"link_port = {int(herd.ports[whose][1])}\n",
                                             f"link_port = {port}\n"))
    conf("through.conf", "B", recorder.port)
    herd.start("A")
    conf("nowhere.conf", "A", free_port())  # B does not find A: it is A that dials
    herd.start("B")
    herd["B"].log.wait("link.up", peer="A", dialled="no")
    at = herd.client("A").iamat("kiwi")
    herd.knows("B", "kiwi", at)
    herd["B"].kill()
    herd["A"].log.wait("link.down", peer="B")
    said = max(recorder.sessions, key=lambda session: len(b"".join(session[0])))
    assert len(b"".join(said[0])) > 300
    recorder.close()
    with socket.create_server(("127.0.0.1", recorder.port)) as listener:
        listener.settimeout(PATIENCE_S)
        mark = herd["A"].log.mark()
        with listener.accept()[0] as dialled:
            dialled.settimeout(PATIENCE_S)
            for piece in said[1]:
                try:
                    if not dialled.recv(65536):
                        break
                    dialled.sendall(piece)
                except ConnectionError:
                    break
        herd["A"].log.wait("link.refused", mark)
    herd["A"].kill()
    herd.start("B")
    assert say(herd["B"], said[0])[:1] in (b"", b"\x15", b"\x16")
    herd["B"].log.wait("link.refused", reason="not authenticated")
    assert not herd["B"].log.find("link.up")
    assert herd.client("B").known("kiwi") is None
    conf("genuine.conf", "A", int(herd.ports["A"][1]))
    herd.start("A")  # and the right one comes back at once
    herd.linked()


# ---- With the key, against the protocol ----

@pytest.mark.parametrize("sender, target", [
    (b"B", b"A"), (b"Dave", b"A"), (b"A", b"A"), (b"Mallory", b"A"), (b"carol", b"A"),
    (b"Carol", b"B"), (b"Carol", b"Carol")])
def test_hello_has_to_name_whom_the_identity_names(besieged, sender, target):
    before, mark = besieged.counters(), besieged.node.log.mark()
    with Caller(besieged.node) as caller:
        caller.send(hello(sender=sender, target=target) + report(AT))
        assert caller.frames() == [(BYE, bytes([BYE_IDENTITY]))]
    counted(besieged, before, refused=1)
    assert not besieged.node.log.find("link.up", mark)


TRUNCATED = [b"\x02", b"\x02\0", b"\x02\0\x50", report(AT)[:-1], report(AT)[:12], frame(HELLO)[:2]]
OVERSIZED = [frame(REPORT, b"\1" * 2000), frame(REPORT, b"\1" * 65535), frame(ACK, b"\0" * 1000),
             frame(HELLO, b"\1" * 65535), frame(BYE, b"\1" * 65535)]


@pytest.mark.parametrize("data", TRUNCATED)
def test_a_truncated_frame_is_no_frame(besieged, data):
    mark = besieged.node.log.mark()
    with Caller(besieged.node) as caller:
        caller.send(hello())
        caller.wait(HELLO)
        besieged.node.log.wait("link.up", mark, peer="Carol")
        caller.send(data)
        caller.tls.notify()
    besieged.node.log.wait("link.down", mark, peer="Carol")


@pytest.mark.parametrize("data", OVERSIZED)
def test_an_oversized_frame_breaks_the_protocol(besieged, data):
    before, mark = besieged.counters(), besieged.node.log.mark()
    with Caller(besieged.node) as caller:
        caller.send(hello())
        caller.wait(HELLO)
        with contextlib.suppress(ConnectionError):
            caller.send(data)
        frames = caller.frames()
        assert frames == [] or frames[-1] == (BYE, bytes([BYE_PROTOCOL]))
    besieged.node.log.wait("link.down", mark, peer="Carol")
    counted(besieged, before, protocol=1)


def test_a_record_that_is_larger_than_a_links_records_ends_the_link(besieged):
    mark = besieged.node.log.mark()
    with Caller(besieged.node, record_bytes=16384) as caller:
        caller.send(hello())
        caller.wait(HELLO)
        with contextlib.suppress(ConnectionError):
            caller.send(frame(99, b"?" * 4000))
        assert all(kind != ACK for kind, _ in caller.frames())
    besieged.node.log.wait("link.down", mark, peer="Carol")


def test_a_record_that_was_changed_on_its_way_ends_the_link(besieged):
    mark = besieged.node.log.mark()
    with Caller(besieged.node) as caller:
        caller.send(hello())
        caller.wait(HELLO)
        besieged.node.log.wait("link.up", mark, peer="Carol")
        caller.socket.setblocking(True)
        caller.socket.sendall(b"\x17\x03\x03\0\x40" + os.urandom(64))  # as it looks, but nobody's
        assert all(kind != ACK for kind, _ in caller.frames())
    besieged.node.log.wait("link.down", mark, peer="Carol")


def test_frames_of_unknown_types_are_skipped_and_counted(besieged):
    before = besieged.counters()
    with Caller(besieged.node) as caller:
        unknown = b"".join(frame(kind, b"?" * bytes_) for kind in (0, 5, 6, 10, 200, 255)
                           for bytes_ in (0, 1, 1021, 5000))
        caller.send(hello() + unknown + report(b"not a report"))
        assert caller.wait(ACK) == b"\0\0\0\1"
    counted(besieged, before, bad_report=1)
    assert besieged.counters()["skipped"] == before["skipped"] + 24


# ---- Without any TLS ----

@pytest.mark.parametrize("data", [
    AT + b"\n", b"AT\n", b"IAMAT smuggled +1+2 3\n", hello() + report(AT),
    b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\0" * 600, os.urandom(4000)])
def test_words_at_the_link_listener_are_nothing_without_tls(besieged, data):
    before = besieged.counters()
    with Bare(besieged.node) as caller:
        with contextlib.suppress(ConnectionError):
            caller.send(data)
            caller.socket.shutdown(socket.SHUT_WR)
        assert caller.rest()[:1] in (b"", b"\x15")
    counted(besieged, before, auth_failed=1)


class Crowd:
    """Connections that say nothing, to some nodes' link listeners; who is dropped comes again at once."""

    def __init__(self, *nodes, most=200):
        self.nodes, self.most = nodes, most
        self.callers = {node: [] for node in nodes}
        self.over = False
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for caller in sum(self.callers.values(), []):
            caller.close()

    def work(self):
        while not self.over:
            for node in self.nodes:
                self.come(node)
            time.sleep(0.01)

    def come(self, node):
        here = self.callers[node]
        if len(here) < self.most:
            with contextlib.suppress(OSError):
                here.append(Bare(node))
        for caller in list(here):
            caller.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                try:
                    ended = caller.socket.recv(100) == b""
                except ConnectionError:
                    ended = True
                if ended:
                    caller.close()
                    here.remove(caller)


def test_connections_that_say_nothing_for_longer_than_they_may_keep_no_neighbour_out(besieged):
    """B, which restarts meanwhile, gets its link all the same."""
    herd, node = besieged.herd, besieged.node
    with Crowd(node):
        time.sleep(6)
        with Client(node.port) as client:
            at = client.iamat("before")
        herd.knows("B", "before", at)
        assert not node.log.find("link.down", peer="B")
        herd["B"].kill()
        herd.start("B")
        herd.knows("B", "before", at, timeout_s=3)
        besieged.linked()
        time.sleep(6)
        besieged.mark()
    counters = besieged.counters()
    assert counters["crowded"] > 0 and counters["auth_failed"] > 0
    assert node.log.find("link.refused", reason="not authenticated in time") or node.log.find(
        "link.refused", reason="gives way to another caller")


def test_a_crowd_at_both_ends_of_a_link_does_not_part_them(new_herd, board):
    """Also on a board with few contexts for callers."""
    herd = new_herd(("A", "B", "Carol"), (("A", "B"), ("A", "Carol")), board)
    herd.start("A", "B")
    herd.linked("A", "B")
    with Crowd(herd["A"], herd["B"]):
        end = time.monotonic() + 12
        while time.monotonic() < end:
            with Client(herd["A"].port) as client:
                at = client.iamat("kiwi", stamp=f"{time.time():.6f}")
            herd.knows("B", "kiwi", at, timeout_s=3)
            time.sleep(1)
    for name in ("A", "B"):
        assert not herd[name].log.find("link.down")
        assert herd[name].log.find("link.refused", reason="no room for callers")
    with Crowd(herd["A"]):
        herd["B"].kill()
        herd.start("B")
        herd.knows("B", "kiwi", at, timeout_s=3)
