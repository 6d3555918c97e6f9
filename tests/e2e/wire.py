"""The wire of HERD_NET=tap: a bridge in the network namespace of the tests, and hosts on it.

The tests themselves are the host at HERE. A node is a host with a TAP device of its own. Needs a network
namespace that is nobody else's, as tools/build/run-tests makes one, and the rights of root in it.
"""

import itertools
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

BRIDGE = "br0"
MTU = 9000
HERE = "10.42.255.254"
MASK = "255.255.0.0"
_PREFIX = 16
_serial = itertools.count(1)


def ip(*lines):
    """Lines for ip(8); all of them, or an error."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, f"{lines}: {done.stderr}"


def is_possible():
    """Whether there can be a wire here, or why not."""
    if len(Path("/proc/net/route").read_text().splitlines()) > 1:
        return "this network namespace is in use"
    try:
        with open("/dev/net/tun", "rb"):
            return None
    except OSError as error:
        return f"/dev/net/tun: {error.strerror}"


def ready():
    """Makes the bridge, once."""
    if BRIDGE in (name for _, name in socket.if_nameindex()):
        return
    why = is_possible()
    assert why is None, f"HERD_NET=tap is not possible: {why}; try make e2e"
    ip("link set lo up", f"link add {BRIDGE} mtu {MTU} type bridge", f"link set {BRIDGE} up",
       f"addr add {HERE}/{_PREFIX} dev {BRIDGE}")


class Host:
    """An address of the wire's network, and after make() a TAP device on the bridge."""

    def __init__(self):
        ready()
        number = next(_serial)
        self.address = f"10.42.{number // 250}.{number % 250 + 1}"
        self.device = None
        self.is_here = False

    @property
    def mac(self):
        """What a node gives itself (port/posix/net_tap.c)."""
        return bytes([2, 0x68]) + socket.inet_aton(self.address)

    def come_here(self):
        """The tests are this host, too."""
        if not self.is_here:
            ip(f"addr add {self.address}/{_PREFIX} dev {BRIDGE}")
            self.is_here = True


_idle_devices = []  # the kernel takes its time to remove one


def make(hosts):
    """Devices for these hosts."""
    lines = []
    for host in hosts:
        if _idle_devices:
            host.device = _idle_devices.pop()
            continue
        host.device = f"tap{next(_serial)}"
        lines += [f"tuntap add {host.device} mode tap",
                  f"link set {host.device} mtu {MTU} master {BRIDGE} up"]
    if lines:
        ip(*lines)


def remove(hosts):
    """These hosts are no more; devices that a test has changed it must not leave to others."""
    _idle_devices.extend(host.device for host in hosts if host.device)
    lines = [f"addr del {host.address}/{_PREFIX} dev {BRIDGE}" for host in hosts if host.is_here]
    if lines:
        ip(*lines)


def remove_device(host):
    ip(f"link del {host.device}")
    host.device = None


# ---- Frames by hand ----

def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def tcp(source, target, source_port, target_port, flags, sequence=0, acknowledged=0, options=b"",
        window=65535):
    """A TCP segment without data, in its packet. flags: a sum of 1 FIN, 2 SYN, 4 RST, 16 ACK."""
    options += b"\0" * (-len(options) % 4)
    head = struct.pack("!HHIIBBHHH", source_port, target_port, sequence, acknowledged,
                       (5 + len(options) // 4) << 4, flags, window, 0, 0) + options
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, len(head))
    return ipv4(source, target, 6, head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:])


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, sender_mac,
                       socket.inet_aton(sender), target_mac, socket.inet_aton(target))


class Station:
    """A host on the bridge that is nothing but frames: a veth pair, and a raw socket at its end."""

    def __init__(self, mac=None):
        ready()
        number = next(_serial)
        self.device = f"st{number}"
        self.mac = mac or bytes([2, 0x99, 0, 0, number >> 8, number & 255])
        ip(f"link add {self.device} mtu {MTU} type veth peer name {self.device}b mtu {MTU}",
           f"link set {self.device}b master {BRIDGE} up", f"link set {self.device} up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((self.device, 0))
        assert self.ask_arp(HERE, "0.0.0.0"), "the bridge does not let it through"

    def ask_arp(self, address, sender, tries=20):
        """The MAC of the host with this address, or None. Asks again as hosts do: a bridge takes a
        moment before it lets a new device through. With sender 0.0.0.0 nobody learns of us."""
        def answer(_target, source, kind, payload):
            if kind == 0x0806 and payload[6:8] == b"\0\2" and payload[14:18] == socket.inet_aton(address):
                return source
            return None
        found = None
        while found is None and tries > 0:
            self.send(b"\xff" * 6, 0x0806, arp(1, self.mac, sender, bytes(6), address))
            found = self.receive(answer, 0.3)
            tries -= 1
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        ip(f"link del {self.device}")

    def send(self, target_mac, kind, payload, mac=None):
        frame = target_mac + (mac or self.mac) + struct.pack("!H", kind) + payload
        self.socket.send(frame.ljust(60, b"\0"))

    def receive(self, wanted, timeout_s):
        """What wanted(target_mac, source_mac, kind, payload) makes of the first frame that it makes
        something of; None when there is none in time. Our own frames are not among them."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame, where = self.socket.recvfrom(65536)
            except TimeoutError:
                return None
            if where[2] == socket.PACKET_OUTGOING:
                continue
            found = wanted(frame[:6], frame[6:12], struct.unpack("!H", frame[12:14])[0], frame[14:])
            if found is not None:
                return found
        return None


class Talker(Station):
    """A station with an IPv4 address, which it defends."""

    def __init__(self, address, mac=None):
        self.address = address
        super().__init__(mac)

    def ask_arp(self, address, sender=None, tries=20):
        """As of a station; the other host knows us afterwards."""
        return super().ask_arp(address, sender or self.address, tries)

    def announce(self):
        """Gratuitous ARP (RFC 5227, 3): the address is here now."""
        self.send(b"\xff" * 6, 0x0806, arp(1, self.mac, self.address, bytes(6), self.address))

    def connect(self, mac, address, port, mss=None, timeout_s=1, source_port=None, reset=True):
        """Sends a SYN, and returns the flags and the MSS of what comes back, None when nothing does.
        Ends what it began."""
        source_port = source_port or 30000 + next(_serial) % 20000
        options = b"" if mss is None else struct.pack("!BBH", 2, 4, mss)
        self.send(mac, 0x0800, tcp(self.address, address, source_port, port, 2, 1000, 0, options))

        def answer(_target, source, kind, payload):
            if (kind != 0x0800 or payload[9] != 6 or payload[12:16] != socket.inet_aton(address)
                    or struct.unpack("!HH", payload[20:24]) != (port, source_port)):
                return None
            flags, options = payload[33], payload[40:20 + (payload[32] >> 4) * 4]
            given = struct.unpack("!H", options[2:4])[0] if options[:2] == b"\2\4" else None
            acknowledged = struct.unpack("!I", payload[28:32])[0]
            if reset:
                self.send(source, 0x0800, tcp(self.address, address, source_port, port, 4, acknowledged))
            return flags, given
        return self.receive(answer, timeout_s)


class DhcpServer(threading.Thread):
    """A DHCP server (RFC 2131) of a few lines, for what a real one does not do on demand: leases of
    seconds, and silence. It gives `address` to whoever asks while `answers` is true."""

    def __init__(self, address, lease_s):
        ready()
        super().__init__(daemon=True)
        self.address = address
        self.lease_s = lease_s
        self.answers = True
        self.asked = []  # types of the messages that came
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, BRIDGE.encode())
        self.socket.bind(("", 67))
        self.socket.settimeout(0.1)
        self.ending = False
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending = True
        self.join()
        self.socket.close()

    def run(self):
        while not self.ending:
            try:
                message, _ = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            kind = message[240:].split(b"\x35\x01", 1)[1][0]
            self.asked.append(kind)
            if self.answers and kind in (1, 3):  # DISCOVER: OFFER; REQUEST: ACK
                self.socket.sendto(self.reply(message, {1: 2, 3: 5}[kind]), ("255.255.255.255", 68))

    def reply(self, message, kind):
        options = b"\x63\x82\x53\x63" + bytes([53, 1, kind])
        for code, value in ((54, socket.inet_aton(HERE)), (51, struct.pack("!I", self.lease_s)),
                            (1, socket.inet_aton(MASK))):
            options += bytes([code, len(value)]) + value
        return (b"\2\1\6\0" + message[4:8] + bytes(8) + socket.inet_aton(self.address)
                + socket.inet_aton(HERE) + bytes(4) + message[28:44] + bytes(192) + options + b"\xff")
