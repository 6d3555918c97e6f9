"""Limits of a node, and what happens at them."""

import pytest

from herdlib import SAN, SESSIONS, Client, is_turned_away


@pytest.fixture(name="node")
def fixture_node(new_herd, board):
    return new_herd(boards=board).start()


def test_200_idle_clients_leave_room_for_a_new_one(new_herd):
    node = new_herd().start()
    idle = [Client(node.port) for _ in range(200)]
    try:
        node.log.wait("session.taken", count=200)
        with Client(node.port) as client:
            for number in range(20):
                client.iamat(f"d{number}")
        for number, one in enumerate(idle):
            assert one.ask(b"still here %d" % number) == b"? still here %d" % number
    finally:
        for one in idle:
            one.close()
    node.log.wait("session.ended", count=201)


def test_one_client_too_many_is_refused_and_logged_and_the_others_go_on(node, board):
    clients = [Client(node.port) for _ in range(SESSIONS[board])]
    try:
        node.log.wait("session.taken", count=len(clients))
        assert is_turned_away(node.port)
        node.log.wait("conn.refused", **{"class": "session"}, reason="full")
        for number, one in enumerate(clients):
            assert one.ask(b"hello %d" % number) == b"? hello %d" % number
        clients.pop().close()
        node.log.wait("session.ended")
        with Client(node.port) as late:
            late.iamat("late")
    finally:
        for one in clients:
            one.close()


def test_1000_connections_one_after_the_other_are_all_served(node):
    for number in range(200 if SAN else 1000):
        with Client(node.port) as client:
            client.send(b"IAMAT device +1+2 %d" % number)
            client.half_close()
            answer = client.rest()
            assert answer.startswith(b"AT Solo ") and answer.endswith(b" %d\n" % number)
    assert not node.log.find("conn.refused")


def test_clients_that_vanish_in_the_middle_of_a_line_leave_no_trace(node, board):
    for _ in range(3 * SESSIONS["posix-small"]):
        with Client(node.port) as client:
            ended = node.log.count("session.ended")
            client.send(b"IAMAT kiwi +1")
            node.log.wait("session.taken", count=ended + 1)
        node.log.wait("session.ended", count=ended + 1)
    with Client(node.port) as client:
        assert client.known("kiwi") is None


def test_an_idle_client_is_closed_after_idle_seconds(new_herd, board):
    node = new_herd(boards=board, limits={"idle_seconds": 1}).start()
    with Client(node.port) as idle:
        idle.iamat("kiwi")
        assert idle.is_over()
    node.log.wait("session.ended", reason="idle")


def test_memory_does_not_grow_with_commands_and_devices(node):
    if SAN:
        pytest.skip("the sanitizer's allocator keeps what is freed")
    with Client(node.port) as client:
        def work():
            client.feed(b"".join(b"IAMAT d%d +1+2 %d\nhuh\n" % (i, i) for i in range(5000)))
            client.lines(10000)
            client.feeder.join()
        work()
        before = node.rss_bytes()
        for _ in range(3):
            work()
        assert node.rss_bytes() - before < 256 * 1024


def test_an_answer_and_the_window_for_its_command_leave_in_one_segment(new_herd):
    node = new_herd(boards="posix-small").start()
    with Client(node.port) as client:
        for number in range(500):
            client.iamat("device", stamp=1700000000 + number)
    node.stop()
    frames = int(node.log.find("net.counters")[-1].fields["frames_out"])
    # The rest: address, handshake, end. A segment for the window alone would come every 1,460 bytes.
    assert 500 <= frames <= 512
