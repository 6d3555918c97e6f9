"""The ENET driver and lwIP, as compiled for Cortex-M4, against QEMU's model of the controller."""

import socket
import statistics
import struct
import threading
import time

import pytest

from riglib import Rig, exchange, pattern, receive_exactly

POLL_FRAMES = 16  # port/cortex-m/hal_net.c
POOLS = ("pbuf_pool", "tcp_seg", "pbuf_ref", "sessions")


@pytest.fixture
def rig():
    r = Rig()
    try:
        r.wait_uart("rig.ready")
        r.wait_uart("rig.link up")
        yield r
        r.check_uart()
    finally:
        r.close()


def assert_idle(rig):
    """No connection, no pbuf, no segment is left, and the controller made no mistake."""
    c = rig.wait_counters(lambda c: all(c[pool] == 0 for pool in POOLS))
    for name in ("rx_errors", "tx_errors", "tx_full", "bus_errors", "mdio_errors", "ip_chkerr",
                 "tcp_chkerr", "udp_lenerr"):
        assert c[name] == 0, f"{name} = {c[name]}"
    assert c["poll_frames_max"] <= POLL_FRAMES
    return c


def test_link_is_100_full_duplex_as_negotiated(rig):
    c = rig.counters()
    assert (c["speed"], c["full_duplex"], c["link_ups"]) == (100, 1, 1)


def test_echo_returns_every_length_exactly(rig):
    with rig.connect() as s:
        # around a frame's minimum, a segment (536), a window (1072), the send ring (1500)
        for length in [*range(1, 70), *range(520, 550), *range(1060, 1085), *range(1490, 1510), 5000]:
            exchange(s, pattern(length, length))
    assert_idle(rig)


def test_every_frame_is_answered_on_its_interrupt(rig):
    """Without interrupts a frame would wait for the next timer, up to 100 ms."""
    before = rig.counters()
    times = []
    with rig.connect() as s:
        for i in range(400):
            start = time.monotonic()
            exchange(s, b"%08d" % i)
            times.append(time.monotonic() - start)
    after = rig.counters()
    frames = after["rx_frames"] - before["rx_frames"]
    interrupts = after["interrupts"] - before["interrupts"]
    assert frames >= 400
    assert interrupts >= frames / 4, f"{interrupts} interrupts for {frames} frames"
    assert statistics.median(times) < 0.02
    before = rig.counters()
    time.sleep(1)
    idle = rig.counters()["interrupts"] - before["interrupts"]
    assert idle < 50, f"{idle} interrupts while nothing happens"
    print(f"\n  median round trip {statistics.median(times) * 1e6:.0f} us, "
          f"{interrupts} interrupts for {frames} frames")


def test_round_trips_per_second(rig):
    """A figure, not a limit: printed with -s."""
    data, count, end = b"x" * 64, 0, time.monotonic() + 3
    with rig.connect() as s:
        start = time.monotonic()
        while time.monotonic() < end:
            exchange(s, data)
            count += 1
        rate = count / (time.monotonic() - start)
    print(f"\n  {rate:.0f} round trips of 64 bytes per second")
    assert rate > 100


def echo_stream(rig, data, failures):
    try:
        with rig.connect(20) as s:
            sender = threading.Thread(target=s.sendall, args=(data,))
            sender.start()
            got = receive_exactly(s, len(data))
            sender.join()
            assert got == data, "what came back is not what was sent"
    except (AssertionError, OSError) as error:
        failures.append(error)


def test_tcp_flood_on_all_sessions_comes_back_whole(rig):
    failures = []
    data = [pattern(150_000, seed) for seed in range(8)]
    threads = [threading.Thread(target=echo_stream, args=(rig, d, failures)) for d in data]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    seconds = time.monotonic() - start
    print(f"\n  {sum(map(len, data)) / seconds / 1e6:.2f} MB/s each way over {len(data)} connections")
    assert_idle(rig)


def drain(s, replies):
    while True:
        try:
            replies.append(s.recv(2048))
        except OSError:
            return


def test_udp_flood_overruns_the_rings_and_nothing_breaks(rig):
    """More frames than the ring has room for; what comes back is unharmed, and then all is as before."""
    payload = pattern(500, 1)
    replies = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.settimeout(1)
        reader = threading.Thread(target=drain, args=(s, replies))
        reader.start()
        for i in range(5000):
            s.sendto(struct.pack("!I", i) + payload, ("127.0.0.1", rig.udp))
            if i % 100 == 99:
                time.sleep(0.01)  # or the kernel's buffer loses them, and not the controller
        reader.join()
    assert len(replies) > 1000
    for reply in replies:
        assert reply[4:] == payload and struct.unpack("!I", reply[:4])[0] < 5000
    assert len({reply[:4] for reply in replies}) == len(replies), "a datagram came twice"
    c = assert_idle(rig)
    assert c["poll_frames_max"] >= 6, "the ring was never full: the flood was none"
    print(f"\n  {len(replies)} of 5000 datagrams echoed, {c['poll_frames_max']} frames in one go at most")
    with rig.connect() as s:
        exchange(s, pattern(3000, 2))


def test_frames_longer_than_the_mtu_are_dropped_and_counted(rig):
    before = rig.counters()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(20):
            s.sendto(bytes(1300), ("127.0.0.1", rig.udp))
    c = rig.wait_counters(lambda c: c["rx_no_pbuf"] >= before["rx_no_pbuf"] + 20)
    assert c["rx_no_pbuf"] == before["rx_no_pbuf"] + 20
    with rig.connect() as s:
        exchange(s, pattern(3000, 3))
    assert_idle(rig)


def test_reconnects_leave_nothing_behind(rig):
    before = rig.counters()
    start = time.monotonic()
    for i in range(1000):
        with rig.connect() as s:
            exchange(s, b"connection %d" % i)
    print(f"\n  {1000 / (time.monotonic() - start):.0f} connections per second")
    for i in range(200):  # reset, with an answer on its way
        with rig.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(pattern(900, i))
    c = assert_idle(rig)
    # a connection that is reset before it is accepted is none
    assert before["taken"] + 1000 <= c["taken"] <= before["taken"] + 1200
    with rig.connect() as s:
        exchange(s, pattern(3000, 4))


def test_link_down_is_seen_and_an_open_connection_survives_it(rig):
    with rig.connect() as s:
        exchange(s, b"before")
        for round_number in (1, 2, 3):
            rig.set_link(False)
            rig.wait_uart("rig.link down", round_number, timeout=3)
            s.sendall(b"while down %d" % round_number)
            s.settimeout(1.5)
            with pytest.raises(TimeoutError):
                s.recv(1)
            rig.set_link(True)
            rig.wait_uart("rig.link up", round_number + 1, timeout=3)
            s.settimeout(20)
            assert receive_exactly(s, 12) == b"while down %d" % round_number
            exchange(s, pattern(4000, round_number))
            with rig.connect(10) as other:
                exchange(other, b"a new one")
    c = rig.wait_counters(lambda c: all(c[pool] == 0 for pool in POOLS))
    assert c["link_ups"] == 4
    assert c["mdio_errors"] == 0 and c["rx_errors"] == 0 and c["bus_errors"] == 0


def test_link_that_flaps_during_a_flood_does_not_stop_it(rig):
    failures = []
    data = pattern(400_000, 5)
    flood = threading.Thread(target=echo_stream, args=(rig, data, failures))
    flood.start()
    for _ in range(3):
        rig.set_link(False)
        time.sleep(0.7)
        rig.set_link(True)
        time.sleep(0.7)
    flood.join()
    assert not failures
    c = rig.wait_counters(lambda c: all(c[pool] == 0 for pool in POOLS), timeout=20)
    assert c["link_ups"] >= 2, "the link never went down: the test was none"
