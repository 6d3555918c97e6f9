"""Section 5 of PROTOCOL.md: neighbours of the older kind."""

import re
import socket
import subprocess
import time
from decimal import Decimal

import pytest

from herdlib import (BIN, HERE, PATIENCE_S, SAN, Client, free_port, parse_at, wait_until, where)
from olderlib import OlderServer, open_section

ANYONE = {"open_anyone": "yes"}
DIALECTS = ("at", "update")
QUIET_S = 1.0


@pytest.fixture(name="older")
def fixture_older():
    """older(name, ...): a server of the older kind that ends with the test."""
    servers = []

    def start(*args, **named):
        servers.append(OlderServer(*args, **named))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


@pytest.fixture(name="pair")
def fixture_pair(new_herd, older):
    """pair(...): node A and its open neighbour Old, which know each other."""
    def start(dialect="at", board="posix", lines=1, herd=None, **named):
        old = older("Old", dialect, **named)
        one = new_herd(("A",), (("A", "Old"),), board, herd={**ANYONE, **(herd or {})},
                       **open_section(old, lines=lines))
        node = one.start()
        old.neighbours.append(node.port)
        return node, old
    return start


def new_stamp():
    """Nine decimals, which no float holds."""
    return "%d.%09d" % divmod(time.time_ns(), 10**9)


def known_stamp(node, device):
    with Client(node.port) as client:
        at = client.known(device)
    return at and parse_at(at).stamp


def knows(node, device, stamp):
    """Waits until a node knows the device with this time, to the microsecond."""
    def known():
        held = known_stamp(node, device)
        return held and abs(Decimal(held.decode()) - Decimal(str(stamp))) <= Decimal("1e-6")
    wait_until(known, f"{node.name} knows {device}, {stamp}", check=node.check)


def settled(counts, what):
    """Waits until counts() has not changed for QUIET_S; its last value."""
    last, since = counts(), time.monotonic()
    deadline = since + 3 * PATIENCE_S
    while time.monotonic() - since < QUIET_S:
        time.sleep(0.05)
        assert time.monotonic() < deadline, f"does not end: {what}: {last}"
        now = counts()
        if now != last:
            last, since = now, time.monotonic()
    return last


# ---- Telling ----

@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_new_report_is_told_in_the_neighbours_dialect(pair, board, dialect):
    node, old = pair(dialect, board)
    stamp = new_stamp()
    with Client(node.port) as client:
        at = client.iamat("kiwi", "+34.068930-118.445127", stamp)
    old.hears("kiwi")
    if dialect == "at":
        assert old.lines == [at]
    else:
        milliseconds = stamp.replace(".", "")[:13]
        assert old.lines == [f"UPDATE kiwi +34.068930-118.445127 {stamp} {milliseconds} A".encode()]
    node.log.wait("older.made", peer="Old", address=f"{HERE}:{old.port}")
    sent = node.log.wait("older.sent", peer="Old")
    assert sent.level == "info" and "kiwi" in sent.fields["line"]
    node.log.wait("older.dropped", peer="Old", reason="delivered")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_many_reports_arrive_one_on_each_connection(pair, board, dialect):
    node, old = pair(dialect, board)
    with Client(node.port) as client:
        for i in range(50):
            client.iamat(f"d{i}")
    wait_until(lambda: len(old.known) == 50, "all are told")
    assert settled(lambda: len(old.lines), "lines") == 50
    assert old.connections == 50 == node.log.count("older.made")


def test_more_lines_share_a_connection_where_the_herd_file_says_so(pair):
    node, old = pair(lines=32, reads="all")
    with Client(node.port) as client:
        client.feed(b"".join(b"IAMAT d%d +1+2 %d\n" % (i, i) for i in range(320)))
        client.lines(320)
    wait_until(lambda: len(old.known) == 320, "all are told")
    assert old.connections < 100


def test_a_device_that_reports_often_is_told_as_the_neighbour_takes_it(pair):
    node, old = pair()
    with Client(node.port) as client:
        client.feed(b"".join(b"IAMAT hot +1+2 %d\n" % i for i in range(1000)))
        client.lines(1000)
    old.hears("hot", 999)
    assert settled(lambda: len(old.lines), "lines") < 500


def test_an_older_or_equal_report_is_not_told(pair):
    node, old = pair()
    with Client(node.port) as client:
        for stamp in ("100", "99", "100", "100.0000"):
            client.iamat("kiwi", stamp=stamp)
        client.iamat("last")
    old.hears("last")
    assert [line.split()[5] for line in old.lines if b"kiwi" in line] == [b"100"]


# ---- Hearing ----

@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_neighbour_says_is_known_and_not_said_back_to_it(pair, board, dialect):
    node, old = pair(dialect, board)
    stamp = old.report("kiwi", difference=3.1e-05)
    knows(node, "kiwi", stamp)
    with Client(node.port) as client:
        at = parse_at(client.known("kiwi"))
        assert at.server == "Old"
        assert at.location == b"+34.068930-118.445127"
        assert at.stamp == repr(stamp).encode()
        if dialect == "at":
            assert at.difference == Decimal("0.000031000")
        else:  # it says none: that of its arrival
            assert 0 <= at.difference < PATIENCE_S
        client.iamat("other")
    old.hears("other")
    assert len(old.lines) == 1
    got = node.log.wait("older.got", peer="Old", result="new")
    assert got.level == "info" and "kiwi" in got.fields["line"]


@pytest.mark.parametrize("line, difference", [
    (b"AT Old 3.1e-05 kiwi +1+2 100", "0.000031000"), (b"AT Old 2 kiwi +1+2 100", "2.000000000"),
    (b"AT Old -1.5 kiwi +1+2 100 7", "-1.500000000"), (b"AT Old nan kiwi +1+2 100", "0.000000000"),
    (b"AT Old None kiwi +1+2 100", "0.000000000"), (b"  AT\tOld +.5 kiwi +1+2 100  4 A B\r", "0.5"),
    (b"AT Else 1e999 kiwi +1+2 100", "0.000000000")], ids=repr)
def test_lines_are_read_as_loosely_as_they_are_written(pair, line, difference):
    node, _ = pair()
    with Client(node.port) as client:
        client.send(line + b"\n")
        at = parse_at(client.known("kiwi"))
    assert at.difference == Decimal(difference)
    assert (at.location, at.stamp) == (b"+1+2", b"100")


@pytest.mark.parametrize("line", [
    b"AT", b"AT Old", b"AT Old 1 kiwi +1+2", b"AT Old 1 kiwi +1+2 1e9", b"AT Old 1 kiwi +91+2 100",
    b"AT Old 1 kiwi 1+2 100", b"AT Ol/d 1 kiwi +1+2 100", b"AT Old 1 kiwi +1+2 -100",
    b"AT " + b"x" * 33 + b" 1 kiwi +1+2 100", b"AT Old 1 " + b"k" * 122 + b" +1+2 100"], ids=repr)
def test_a_line_that_cannot_be_read_changes_nothing_and_is_not_answered(pair, line):
    node, old = pair()
    with Client(node.port) as client:
        client.send(line + b"\n")
        assert client.known("kiwi") is None  # its answer is the first
        at = client.iamat("other")
        assert client.known("other") == at
    node.log.wait("older.refused", peer="Old", result="malformed")
    old.hears("other")
    assert len(old.lines) == 1


def test_lines_in_another_dialect_are_invalid_commands(pair):
    node, _ = pair()
    with Client(node.port) as client:
        line = b"UPDATE kiwi +1+2 100 100000 Old"
        assert client.ask(line) == b"? " + line
        assert client.ask(b"at Old 1 kiwi +1+2 100") == b"? at Old 1 kiwi +1+2 100"
        assert client.known("kiwi") is None


def test_lines_to_a_node_without_open_neighbours_are_invalid_commands(new_herd, older):
    old = older("Old")
    herd = new_herd(("A", "B"), (("A", "Old"), ("A", "B")), herd=ANYONE, **open_section(old))
    herd.start()
    line = b"AT Old 1 kiwi +1+2 100"
    with herd.client("B") as client:
        assert client.ask(line) == b"? " + line
        assert client.known("kiwi") is None


def test_a_stamp_within_a_microsecond_is_a_duplicate_whatever_else_it_says(pair):
    node, old = pair()
    old.neighbours.clear()  # else it sends the report back, which is one duplicate more
    with Client(node.port) as client:
        at = client.iamat("kiwi", "+1+2", "100.5")
        for stamp in (b"100.5", b"100.500001", b"100.499999", b"100.5000009"):
            client.send(b"AT Old 1 kiwi +3+4 %s\n" % stamp)
            assert client.known("kiwi") == at
        client.send(b"AT Old 1 kiwi +3+4 100.500002\n")
        assert parse_at(client.known("kiwi")).location == b"+3+4"
    assert len(node.log.find("older.got", result="duplicate")) == 4


def test_commands_and_lines_of_servers_may_share_a_connection(pair):
    node, _ = pair()
    with Client(node.port) as client:
        client.send(b"AT Old 1 a +1+2 100\nIAMAT b +1+2 100\nAT Old 1 c +1+2 100\nWHATSAT c 0 0\n")
        assert parse_at(client.line()).client == b"b"
        assert parse_at(client.line()).client == b"c"


def test_a_last_line_without_newline_counts(pair):
    node, _ = pair()
    with socket.create_connection(where(node.port), PATIENCE_S) as one:
        one.sendall(b"AT Old 1 kiwi +1+2 100")
    knows(node, "kiwi", 100)


def test_foreign_server_names_are_few(pair):
    """posix-small has room for 24, its own and its neighbour's included."""
    node, _ = pair(board="posix-small")
    with Client(node.port) as client:
        for i in range(24):
            client.send(b"AT s%d 1 d%d +1+2 100\n" % (i, i))
        known = [client.known(f"d{i}") is not None for i in range(24)]
    assert known == [True] * 22 + [False] * 2
    assert len(node.log.find("older.refused", result="no-room-for-server-name")) == 2


# ---- Herds ----

@pytest.mark.parametrize("dialect", DIALECTS)
def test_reports_cross_between_the_herd_and_both_kinds_of_neighbours(new_herd, older, dialect):
    """Old - A - B - Other: what enters anywhere is known everywhere, under its server's name."""
    old, other = older("Old", dialect), older("Other", "at")
    herd = new_herd(("A", "B"), (("A", "B"), ("A", "Old"), ("B", "Other")), herd=ANYONE,
                    **open_section(old), **open_section(other))
    herd.start()
    herd.linked()
    old.neighbours.append(herd["A"].port)
    other.neighbours.append(herd["B"].port)
    stamp = old.report("from-old")
    knows(herd["A"], "from-old", stamp)
    knows(herd["B"], "from-old", stamp)
    assert other.hears("from-old", stamp)[2] == "Old"
    with herd.client("B") as client:
        at = client.iamat("from-b")
    herd.knows("A", "from-b", at)
    assert old.hears("from-b")[2] == other.hears("from-b")[2] == "B"


@pytest.mark.parametrize("dialects", [("at", "at"), ("update", "update"), ("at", "update")],
                         ids="-".join)
def test_a_ring_of_two_kinds_carries_1000_reports_without_a_loop_and_ends(new_herd, older, dialects):
    """A - Old - Other - B - A. 250 devices report four times, each time at another server."""
    old, other = older("Old", dialects[0]), older("Other", dialects[1])
    herd = new_herd(("A", "B"), (("A", "B"), ("A", "Old"), ("B", "Other")), herd=ANYONE,
                    **open_section(old), **open_section(other))
    herd.start()
    herd.linked()
    old.neighbours += [herd["A"].port, other.port]
    other.neighbours += [herd["B"].port, old.port]
    # The two speak with each other as each of them understands it.
    a, b = herd.client("A"), herd.client("B")
    newest = {}
    for turn in range(4):
        for i in range(250):
            device = f"d{i}"
            entry = (turn + i) % 4
            if entry < 2:
                newest[device] = new_stamp()
                (a, b)[entry].iamat(device, stamp=newest[device])
            else:
                newest[device] = (old, other)[entry - 2].report(device)

    def counts():
        return (len(old.lines), len(other.lines), old.sent, other.sent,
                *(herd[name].log.count(event) for name in "AB"
                  for event in ("older.sent", "older.got")))
    told_old, told_other, old_sent, other_sent, *of_nodes = settled(counts, "messages")

    for device, stamp in newest.items():
        old.hears(device, float(stamp))
        other.hears(device, float(stamp))
    for client in (a, b):
        for device, stamp in newest.items():
            at = parse_at(client.known(device))
            assert abs(Decimal(at.stamp.decode()) - Decimal(str(stamp))) <= Decimal("1e-6")
    assert old.failed == other.failed == 0

    # Each of the 1,000 reports crosses each of the four links at most twice in each direction: the
    # older ones send everything to both neighbours once; a node does so once for the report as it
    # was made, and once for the same as a double.
    assert old_sent <= 2000 and other_sent <= 2000
    a_sent, a_got, b_sent, b_got = of_nodes
    assert a_got <= 1000 and b_got <= 1000
    assert a_sent <= 2000 and b_sent <= 2000
    assert told_old == a_sent + other_sent / 2 and told_other == b_sent + old_sent / 2
    assert herd["A"].log.find("older.got", result="duplicate")  # it did come back
    for name in "AB":
        assert not herd[name].log.find("older.refused")
        assert not herd[name].log.find("link.down")


# ---- Neighbours that are not well ----

def test_a_neighbour_that_is_down_hears_the_newest_when_it_comes(pair, board):
    node, old = pair(board=board)
    old.close()
    with Client(node.port) as client:
        client.iamat("kiwi", stamp="1")
        node.log.wait("older.retry", peer="Old")
        for stamp in range(2, 12):
            client.iamat("kiwi", stamp=str(stamp))
        client.iamat("pear", stamp="5")
    with OlderServer("Old", port=old.port) as again:
        again.hears("kiwi", 11)
        again.hears("pear", 5)
        assert len(again.lines) == 2


def test_a_neighbour_that_restarts_hears_what_is_new_and_no_history(pair):
    node, old = pair()
    with Client(node.port) as client:
        client.iamat("kiwi")
        old.hears("kiwi")
        node.log.wait("older.dropped", reason="delivered")
        old.close()
        with OlderServer("Old", port=old.port) as again:
            client.iamat("pear")
            again.hears("pear")
            assert len(again.lines) == 1


def test_a_node_that_restarts_tells_what_is_new_only(new_herd, older):
    old = older("Old")
    herd = new_herd(("A", "B"), (("A", "B"), ("A", "Old")), herd=ANYONE, **open_section(old))
    herd.start()
    herd.linked()
    with herd.client("A") as client:
        at = client.iamat("kiwi")
    old.hears("kiwi")
    herd.knows("B", "kiwi", at)
    herd["A"].stop()
    herd.start("A")
    herd.knows("A", "kiwi", at)  # from B: to A it is new, and so it is to A's neighbour
    with herd.client("A") as client:
        client.iamat("pear")
    old.hears("pear")
    assert len(old.lines) <= 3


def test_neighbours_that_close_without_reading_are_tried_again(pair, board):
    node, old = pair(board=board, reads="none")
    with Client(node.port) as client:
        client.iamat("kiwi")
        wait_until(lambda: old.connections >= 1, "it is dialled")
        at = client.iamat("pear")
        assert client.known("pear") == at
    old.reads = "line"
    with Client(node.port) as client:
        at = client.iamat("plum")
    old.hears("plum")


def test_neighbours_that_answer_are_not_minded(pair, board):
    node, old = pair(board=board, answers=b"OK " * 1000 + b"\n", reads="all")
    with Client(node.port) as client:
        for i in range(20):
            client.iamat(f"d{i}")
    wait_until(lambda: len(old.known) == 20, "all are told")


def test_a_neighbour_that_never_ends_its_connections_costs_nobody_else_his(pair):
    """It accepts, and keeps every connection for ever: more of them than the node has PCBs."""
    node, old = pair(board="posix-small")
    old.close()
    kept = []
    with socket.create_server((HERE, old.port), backlog=64) as listener:
        listener.settimeout(PATIENCE_S)
        with Client(node.port) as client:
            for i in range(40):
                client.iamat(f"d{i}")
                kept.append(listener.accept()[0])
                kept[-1].settimeout(PATIENCE_S)
                assert kept[-1].recv(200).startswith(b"AT A ")
        with Client(node.port) as client:  # clients still get through
            client.iamat("after")
    for one in kept:
        one.close()


def test_one_neighbour_that_hangs_does_not_hold_up_another(new_herd, older):
    old = older("Old")
    with socket.create_server((HERE, 0), backlog=1) as deaf:
        port = deaf.getsockname()[1]
        herd = new_herd(("A",), (("A", "Old"), ("A", "Deaf")), herd=ANYONE, **open_section(old),
                        **{"open Deaf": {"address": HERE, "port": port}})
        herd.start()
        with herd.client("A") as client:
            for i in range(30):
                client.iamat(f"d{i}")
        wait_until(lambda: len(old.known) == 30, "the other one is told")


# ---- The herd file and the launcher ----

@pytest.mark.net("slirp")
def test_open_neighbours_need_anyone_where_addresses_are_not_real(new_herd, board):
    port = free_port()
    herd = new_herd(("A",), (("A", "Old"),), board,
                    **{"open Old": {"address": "127.0.0.1", "port": port}})
    for extra in ([], ["--check"]):
        result = subprocess.run([BIN / board / "herd", "-c", herd.conf, *extra, "A"],
                                capture_output=True, text=True, timeout=PATIENCE_S)
        assert result.returncode == 2
        assert result.stderr == (
            f"herd: {herd.conf}: [herd] open_anyone: on this network every peer seems to have the "
            "same address, so that A cannot tell its open neighbour Old from its clients; accept "
            "such lines from anyone with open_anyone = yes, or remove the link\n")
    result = subprocess.run([BIN / board / "herd", "-c", herd.conf, "--set", "herd.open_anyone=yes",
                             "--check"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert result.stdout == f"{herd.conf}: ok, 1 nodes, 1 open neighbours, 1 links\n"


def test_a_node_says_at_its_start_whom_it_is_open_to(pair):
    node, _ = pair()
    event = node.log.wait("older.open", peer="Old")
    assert event.level == "warn"
    assert event.fields["meaning"] == "whoever reaches the client port can write records"


@pytest.mark.net("slirp")
@pytest.mark.skipif(SAN, reason="the launcher is tested once")
def test_the_launcher_starts_nodes_only_and_says_how_the_others_are_reached(new_herd, tmp_path):
    port = free_port()
    herd = new_herd(("A", "B"), (("A", "B"), ("A", "Old")), herd=ANYONE,
                    **{"open Old": {"address": "127.0.0.1", "port": port, "dialect": "update"}})
    launcher = subprocess.Popen(
        [BIN / "tools" / "herd-run", "--run-dir", tmp_path / "run", herd.conf],
        stdout=subprocess.PIPE, text=True, cwd=BIN.parent)
    try:
        said = []
        for line in launcher.stdout:
            said.append(line)
            if "logs in" in line:
                break
        assert "herd is ready\n" in said
        assert any(re.fullmatch(
            rf"  not here    Old: start it to listen at 127\.0\.0\.1 port {port} and to send UPDATE "
            rf"lines to A at 127\.0\.0\.1 port {herd.ports['A'][0]}\n", line) for line in said)
    finally:
        launcher.terminate()
        launcher.communicate(timeout=PATIENCE_S)
    assert launcher.returncode == 0
