"""Nodes as hosts on a wire: MTU, ARP, addresses, caps per address, DHCP. Only with HERD_NET=tap."""

import re
import socket
import subprocess
import time

import pytest

import wire
from dnsmasq import Dnsmasq
from olderlib import OlderServer, open_section
from herdlib import (BIN, PATIENCE_S, ROOT, SAN, Client, Program, is_turned_away, parse_at,
                     wait_until, where)
from ntp import NtpServer

pytestmark = pytest.mark.net("tap")

MSS = {"posix": 8960, "posix-small": 1460}


@pytest.fixture(name="node")
def fixture_node(new_herd, board):
    return new_herd(boards=board).start()


@pytest.fixture(name="host")
def fixture_host(programs):
    """An address of the wire that is the tests' own too."""
    host = wire.Host()
    host.come_here()
    yield host
    wire.ip(f"addr del {host.address}/16 dev {wire.BRIDGE}")


@pytest.fixture(name="talker")
def fixture_talker():
    with wire.Talker(wire.Host().address) as talker:
        yield talker


def client_from(node, address):
    """A connection that comes from an address of ours."""
    client = socket.create_connection(where(node.port), PATIENCE_S, (address, 0))
    client.settimeout(PATIENCE_S)
    return client


# ---- MTU ----

def test_segments_are_as_long_as_the_wire_takes(node, talker, board):
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, node.port.address, node.port, 8960) == (18, MSS[board])


def test_long_answers_travel_in_full_frames_both_ways(node, board):
    longest = {"in": 0, "out": 0}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
        tap.bind((node.herd.hosts["Solo"].device, 0))
        tap.settimeout(0.2)
        line = b"x" * 200_000
        with Client(node.port) as client:
            client.feed(line + b"\n")
            assert client.line() == b"? " + line
        try:
            while True:
                frame, address = tap.recvfrom(65536)
                way = "out" if address[2] != socket.PACKET_OUTGOING else "in"
                longest[way] = max(longest[way], len(frame))
        except TimeoutError:
            pass
    assert longest == {"in": MSS[board] + 54, "out": MSS[board] + 54}


def test_a_device_with_a_smaller_mtu_makes_smaller_segments(new_herd, talker):
    herd = new_herd()
    wire.ip(f"link set {herd.hosts['Solo'].device} mtu 1500")
    node = herd.start()
    assert node.log.find("net.up")[0].fields["mtu"] == "1500"
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, node.port.address, node.port, 8960) == (18, 1460)
    wire.ip(f"link set {herd.hosts['Solo'].device} mtu {wire.MTU}")


@pytest.mark.parametrize("mss", [1, 64, 127])
def test_a_small_mss_is_refused_at_syn(node, talker, mss):
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, node.port.address, node.port, 128) is not None
    for _ in range(3):
        assert talker.connect(mac, node.port.address, node.port, mss, 0.3) is None
    with Client(node.port) as client:
        client.iamat("kiwi")
        node.log.wait("session.taken")
        assert node.log.count("session.taken") == 1


def test_without_an_mss_option_it_is_536(node, talker):
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, node.port.address, node.port) is not None


def test_a_frame_that_is_too_long_for_the_board_is_dropped_and_counted(new_herd, talker):
    node = new_herd(boards="posix-small").start()
    mac = talker.ask_arp(node.port.address)
    talker.send(mac, 0x0800, wire.ipv4(talker.address, node.port.address, 17, b"x" * 4000))
    with Client(node.port) as client:
        client.iamat("kiwi")
    assert node.stop() == 0
    assert node.log.find("net.counters", wrong_length="1", dropped="1")


# ---- ARP ----

def test_a_node_answers_for_its_own_address_only(node, talker):
    assert talker.ask_arp(node.port.address) == node.herd.hosts["Solo"].mac
    assert talker.ask_arp(wire.Host().address, tries=1) is None


def test_a_mac_stays_the_same_over_a_restart(node, talker):
    before = talker.ask_arp(node.port.address)
    node.kill()
    node.herd.start()
    assert talker.ask_arp(node.port.address) == before


def test_an_announced_mac_takes_the_place_of_the_old_one(node, talker):
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, node.port.address, node.port, 1460) is not None
    with wire.Talker(talker.address) as moved:
        # The node answers to the MAC that it knows, whatever the frame says.
        assert moved.connect(mac, node.port.address, node.port, 1460, 0.3) is None
        moved.announce()
        assert moved.connect(mac, node.port.address, node.port, 1460) is not None


def test_a_link_follows_a_neighbour_to_another_mac(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start()
    herd.linked()
    herd["A"].kill()
    herd["B"].log.wait("link.down", peer="A")
    # Another machine takes over the name and address: B must dial its MAC, not the old one.
    with wire.Talker(herd.address("A")) as other:
        other.announce()

        def syn(_target, _source, kind, payload):
            if kind == 0x0800 and payload[9] == 6 and payload[33] == 2:
                return True
            return None
        assert other.receive(syn, PATIENCE_S)
    herd.start("A")
    herd.linked()


def test_a_crowd_of_neighbours_does_not_keep_others_from_being_found(node, talker):
    mac = talker.ask_arp(node.port.address)
    for number in range(300):  # far more than the ARP table holds
        talker.send(mac, 0x0806, wire.arp(1, talker.mac, f"10.42.200.{number % 250 + 1}", bytes(6),
                                          node.port.address))
    with Client(node.port) as client:
        client.iamat("kiwi")


# ---- Addresses ----

def test_a_client_is_seen_under_its_own_address(node, host):
    with client_from(node, host.address) as client:
        port = client.getsockname()[1]
        node.log.wait("session.taken", peer=f"{host.address}:{port}")


def test_the_log_says_what_the_interface_is_like(new_herd, board):
    herd = new_herd(boards=board, nodes={"Solo": {"gateway": wire.HERE, "dns": "9.9.9.9"}})
    node = herd.start()
    up = node.log.find("net.up")[0].fields
    assert up == {"address": herd.address("Solo"), "mask": wire.MASK, "gateway": wire.HERE,
                  "dns": "9.9.9.9", "mtu": str(MSS[board] + 40), "by": "herd-file"}
    assert node.log.find("node.ready")


def test_packets_for_another_address_are_not_taken(node, talker):
    mac = talker.ask_arp(node.port.address)
    assert talker.connect(mac, wire.Host().address, node.port, 1460, 0.3) is None
    assert talker.connect(mac, "10.42.255.255", node.port, 1460, 0.3) is None
    assert not node.log.find("session.taken")


@pytest.mark.parametrize("gateway", [True, False])
def test_what_is_not_on_the_wire_goes_to_the_gateway_if_there_is_one(new_herd, talker, gateway):
    keys = {"gateway": talker.address} if gateway else {}
    herd = new_herd(("A", "B"), (("A", "B"),), nodes={"A": keys})
    text = herd.conf.read_text()
    herd.conf.write_text(text.replace(f"address = {herd.address('B')}", "address = 192.168.77.1"))
    node = herd.start("A")
    if not gateway:
        node.log.wait("link.retry", peer="B")  # the first dial has failed
        with herd.client("A") as client:
            client.iamat("kiwi")
        return

    def asked(_target, _source, kind, payload):
        return kind == 0x0806 and payload[24:28] == socket.inet_aton(talker.address) or None
    assert talker.receive(asked, PATIENCE_S)
    talker.ask_arp(node.port.address)  # the node learns our MAC

    def dialled(_target, _source, kind, payload):
        return kind == 0x0800 and payload[16:20] == socket.inet_aton("192.168.77.1") or None
    assert talker.receive(dialled, PATIENCE_S)


# ---- Neighbours of the older kind ----

def test_an_open_neighbour_is_known_by_its_address_and_nobody_else_is_believed(new_herd, host):
    with OlderServer("Old") as old:
        herd = new_herd(("A",), (("A", "Old"),), **open_section(old))  # without open_anyone
        node = herd.start()
        with client_from(node, host.address) as stranger:
            stranger.sendall(b"AT Old 1 kiwi +1+2 100\n")
            assert stranger.recv(100) == b"? AT Old 1 kiwi +1+2 100\n"
        with client_from(node, wire.HERE) as known:
            known.sendall(b"AT Old 1 kiwi +1+2 100\nWHATSAT kiwi 0 0\n")
            assert known.recv(100).startswith(b"AT Old +1.000000000 kiwi +1+2 100\n")
        with Client(node.port) as client:
            client.iamat("melon")
        old.hears("melon")


# ---- Caps per address ----

def test_sessions_per_address_counts_each_address_by_itself(new_herd, host):
    node = new_herd(limits={"sessions_per_address": 2}).start()
    ours = [client_from(node, wire.HERE) for _ in range(2)]
    theirs = [client_from(node, host.address) for _ in range(2)]
    try:
        node.log.wait("session.taken", count=4)
        for address in (wire.HERE, host.address):
            assert is_turned_away(node.port, address)
            refused = node.log.wait("conn.refused", **{"class": "session"},
                                    reason="sessions_per_address")
            assert refused.fields["peer"].startswith(f"{wire.HERE}:")
        ours.pop().close()
        node.log.wait("session.ended")

        def is_served():
            with client_from(node, wire.HERE) as late:
                try:
                    late.sendall(b"hello\n")
                    return late.recv(100) == b"? hello\n"
                except ConnectionError:
                    return False
        wait_until(is_served, "the place is free")
    finally:
        for client in ours + theirs:
            client.close()


def test_without_a_cap_one_address_may_have_all_sessions(new_herd):
    node = new_herd(boards="posix-small").start()
    clients = [client_from(node, wire.HERE) for _ in range(4)]
    node.log.wait("session.taken", count=4)
    for client in clients:
        client.close()


# ---- DHCP ----

STATIC = f"--dhcp-range=10.42.0.0,static,{wire.MASK},2m"


def reserve(herd):
    return [(host.mac, host.address) for host in herd.hosts.values()]


def ask_dhcp(herd):
    return {name: {"dhcp": "yes"} for name in herd}


def test_nodes_that_get_their_addresses_by_dhcp_are_a_herd(programs, new_herd, board):
    herd = new_herd(("A", "B"), (("A", "B"),), board, nodes=ask_dhcp("AB"))
    Dnsmasq(programs, STATIC, f"--dhcp-option=option:router,{wire.HERE}",
            "--dhcp-option=option:dns-server,10.42.9.9", reserved=reserve(herd))
    herd.start()
    herd.linked()
    for name in "AB":
        up, = herd[name].log.find("net.up")
        assert up.fields == {"address": herd.address(name), "mask": wire.MASK, "gateway": wire.HERE,
                             "dns": "10.42.9.9", "mtu": str(MSS[board] + 40), "by": "dhcp",
                             "lease_s": "120"}
        assert not herd[name].log.find("net.wrong_address")
    with herd.client("A") as client:
        at = client.iamat("kiwi")
    herd.knows("B", "kiwi", at)


def test_dhcp_takes_no_more_than_a_second(programs, new_herd):
    herd = new_herd(nodes=ask_dhcp(["Solo"]))
    Dnsmasq(programs, STATIC, reserved=reserve(herd))
    start = time.monotonic()
    herd.start()
    assert time.monotonic() - start < (5 if SAN else 1)


def test_the_server_learns_the_nodes_name(programs, new_herd):
    herd = new_herd(nodes=ask_dhcp(["Solo"]))
    Dnsmasq(programs, STATIC, reserved=reserve(herd))
    herd.start()
    assert f" {herd.address('Solo')} Solo " in (programs.folder / "leases").read_text()


def test_the_herd_files_dns_goes_before_that_of_dhcp(programs, new_herd):
    herd = new_herd(nodes={"Solo": {"dhcp": "yes", "dns": "10.42.7.7"}})
    Dnsmasq(programs, STATIC, "--dhcp-option=option:dns-server,10.42.9.9", reserved=reserve(herd))
    assert herd.start().log.find("net.up")[0].fields["dns"] == "10.42.7.7"


@pytest.fixture(name="ntp")
def fixture_ntp():
    wire.ready()
    server = NtpServer(wire.HERE)
    yield server
    server.close()


def test_a_node_without_a_clock_asks_the_ntp_server_that_dhcp_names(programs, new_herd, ntp):
    herd = new_herd(nodes=ask_dhcp(["Solo"]))
    Dnsmasq(programs, STATIC, f"--dhcp-option=option:ntp-server,{wire.HERE}", reserved=reserve(herd))
    ntp.shift = 3600
    node = herd.launch("Solo", "--no-clock")
    node.log.wait("clock.unknown", ntp_servers="0")  # the herd file names none
    node.log.wait("clock.set", by="sntp")
    with herd.client("Solo") as client:
        assert 3590 < parse_at(client.iamat("kiwi")).difference < 3610


def test_the_herd_files_ntp_servers_go_before_those_of_dhcp(programs, new_herd, ntp):
    other = wire.Host()
    herd = new_herd(nodes=ask_dhcp(["Solo"]), herd={"ntp": wire.HERE})
    Dnsmasq(programs, STATIC, f"--dhcp-option=option:ntp-server,{other.address}",
            reserved=reserve(herd))
    ntp.shift = 3600
    node = herd.launch("Solo", "--no-clock")
    node.log.wait("clock.unknown", ntp_servers="1")
    node.log.wait("clock.set", by="sntp")


def test_another_address_than_the_herd_files_is_said_clearly(programs, new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),), nodes=ask_dhcp("A"))
    Dnsmasq(programs, f"--dhcp-range=10.42.100.1,10.42.100.9,{wire.MASK},2m")
    node = herd.start()
    wrong = node.log.find("net.wrong_address")[0]
    assert wrong.level == "error" and wrong.fields["herd_file"] == herd.address("A")
    got = wrong.fields["got"]
    assert got.startswith("10.42.100.")
    with socket.create_connection((got, int(node.port)), PATIENCE_S) as client:
        client.sendall(b"hello\n")
        assert client.recv(100) == b"? hello\n"
    herd.linked()  # by the dial of A: B finds nobody at A's address of the herd file


def test_a_node_waits_for_a_dhcp_server_says_so_and_dials_nobody_meanwhile(programs, new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),), nodes=ask_dhcp("A"))
    herd.launch("A")
    herd.start("B")
    waiting = herd["A"].log.wait("net.waiting", **{"for": "dhcp-server"})
    assert waiting.fields["seconds"] == "10"
    assert not herd["A"].log.find("node.ready") and not herd["A"].log.find("link.dial")
    Dnsmasq(programs, STATIC, reserved=reserve(herd))
    herd["A"].log.wait("node.ready")
    herd.linked()


def test_a_lease_that_is_lost_ends_connections_and_the_next_one_brings_them_back(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),), nodes=ask_dhcp("A"))
    with wire.DhcpServer(herd.address("A"), lease_s=4) as server:
        herd.start()
        herd.linked()
        client = herd.client("A")
        client.iamat("kiwi")
        # It is renewed in time as long as somebody answers.
        wait_until(lambda: server.asked.count(3) >= 3, "two renewals")
        client.iamat("kiwi")
        assert not herd["A"].log.find("net.down")
        server.answers = False
        herd["A"].log.wait("net.down", reason="lease-lost")
        herd["A"].log.wait("link.down", peer="B")
        assert not herd["A"].log.find("link.dial", herd["A"].log.mark())
        server.answers = True
        herd["A"].log.wait("net.up", count=2)
        herd.linked()
        assert herd["A"].log.count("node.ready") == 1
        with herd.client("A") as again:
            herd.knows("B", "kiwi2", again.iamat("kiwi2"))


def test_a_stop_takes_effect_while_the_node_waits_for_dhcp(new_herd, board):
    node = new_herd(boards=board, nodes=ask_dhcp(["Solo"])).launch()
    node.log.wait("node.start")
    start = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - start < 2


# ---- The device ----

def one_line(herd, device, *words):
    done = subprocess.run([BIN / "posix" / "herd", "-c", herd.conf, "--net", f"tap={device}", "Solo"],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1 and "node.ready" not in done.stdout
    assert re.fullmatch(r"herd: TAP device [^\n]+\n", done.stderr), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_device_that_is_in_use_is_refused(new_herd):
    herd = new_herd()
    herd.start()
    one_line(herd, herd.hosts["Solo"].device, "in use")


def test_what_is_no_tap_device_is_refused(new_herd):
    herd = new_herd()
    one_line(herd, wire.BRIDGE, "not a TAP device")
    one_line(herd, "a-name-that-is-too-long", "too long")


def test_a_loopback_address_is_refused(new_herd):
    herd = new_herd()
    herd.conf.write_text(herd.conf.read_text().replace(herd.address("Solo"), "127.0.0.1"))
    one_line(herd, herd.hosts["Solo"].device, "loopback")


def test_a_device_that_is_not_there_is_made_and_goes_with_the_node(new_herd):
    herd = new_herd()
    device = f"own{herd.hosts['Solo'].device}"
    names = lambda: [name for _, name in socket.if_nameindex()]
    node = herd.launch("Solo", "--net", f"tap={device}")
    node.log.wait("node.ready")
    assert device in names()
    wire.ip(f"link set {device} master {wire.BRIDGE}")
    with Client(node.port) as client:
        client.iamat("kiwi")
    assert node.stop() == 0
    assert device not in names()


def test_a_device_that_is_taken_away_does_not_spin_the_node(new_herd):
    herd = new_herd()
    node = herd.start()
    host = herd.hosts["Solo"]
    wire.remove_device(host)
    wait_until(lambda: "TAP device is gone" in node.errors(), "the node notices")
    before = node.cpu_s()
    time.sleep(1)
    assert node.cpu_s() - before < 0.2
    assert node.stop() == 0
    node.err_path.write_text("")  # was expected


# ---- The launcher ----

def tap_conf(tmp_path, old="10.42.0.", new="10.77.0."):
    text = (ROOT / "tools" / "herds" / "bailey-tap.conf").read_text()
    conf = tmp_path / "tap.conf"
    conf.write_text(text.replace(old, new))
    return conf


class Launcher(Program):
    def __init__(self, programs, *arguments):
        super().__init__("herd-run", [BIN / "tools" / "herd-run", "--net", "tap", "--run-dir",
                                      programs.folder / "run", *arguments], programs.folder)
        programs.add(self)

    def devices(self):
        return [name for _, name in socket.if_nameindex() if name == f"herd{self.pid}"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_launcher_makes_a_network_says_how_to_reach_it_and_leaves_nothing(programs, tmp_path, end):
    launcher = Launcher(programs, tap_conf(tmp_path))
    ready = lambda: b"herd is ready" in launcher.log.text() and launcher.log.text()
    text = wait_until(ready, "herd is ready", check=launcher.check).decode()
    said = wait_until(lambda: re.search(r"connect +nc (\S+) (\d+)", launcher.log.text().decode()), "how")
    assert said.groups() == ("10.77.0.1", "10000"), text
    with socket.create_connection(("10.77.0.1", 10000), PATIENCE_S) as client:
        client.sendall(b"IAMAT kiwi +34.068930-118.445127 1\nWHATSAT kiwi 10 1\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"AT Bailey ") and b'"status":"OK"' in answer, answer
    assert launcher.devices()
    inside = subprocess.run(["nsenter", "-t", str(launcher.pid), "-n", "ip", "-br", "link"],
                            capture_output=True, text=True, check=True).stdout
    assert [f"herd{i}" in inside for i in range(5)] == [True] * 5
    if end == "stop":
        assert launcher.stop() == 0
    else:
        launcher.kill()
    wait_until(lambda: not launcher.devices(), "the network is gone")


def refused(programs, conf, *words):
    done = subprocess.run([BIN / "tools" / "herd-run", "--net", "tap", "--run-dir",
                           programs.folder / "run", conf], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize("old, new, words", [
    ("10.42.0.", "127.0.0.", ("address of its own", "bailey-tap.conf")),
    ("10.42.0.2", "10.77.0.2", ("not in the network of",)),
    ("10.42.0.2", "10.42.0.1", ("port", "taken")),
    ("", "", ("10.42.0.0/24 is in use on this machine", wire.BRIDGE)),
])
def test_the_launcher_refuses_a_herd_that_cannot_be_on_one_wire(programs, tmp_path, old, new, words):
    wire.ready()
    refused(programs, tap_conf(tmp_path, old or "x", new or "x"), *words)
