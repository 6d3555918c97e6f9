"""A real DHCP and DNS server, dnsmasq, where the nodes of a test can reach it."""

import socket

import pytest

import wire
from herdlib import HERE, NET, Program, wait_until


def skip_without_port(port):
    """As an ordinary user, and where no network namespace of one's own can be had either."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HERE, port))
    except PermissionError:
        pytest.skip(f"port {port} is for root, or for a network namespace of one's own")


class Dnsmasq(Program):
    """reserved: addresses by MAC. Further options: dnsmasq's own. With HERD_NET=slirp DNS only."""

    def __init__(self, programs, *options, reserved=()):
        self.address = HERE
        if NET == "tap":
            wire.ready()
        skip_without_port(53)
        hosts = [f"--dhcp-host={':'.join(f'{byte:02x}' for byte in mac)},{address}"
                 for mac, address in reserved]
        super().__init__("dnsmasq", [
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
            "--user=root", "--log-facility=-", "--log-dhcp", "--bind-interfaces",
            f"--listen-address={self.address}", "--no-resolv", "--no-hosts", "--no-ping",
            f"--dhcp-leasefile={programs.folder / 'leases'}", "--dhcp-authoritative", *hosts, *options],
            programs.folder)
        programs.add(self)
        wait_until(lambda: b"started" in self.err_path.read_bytes(), "dnsmasq has started",
                   check=self.check)

    def errors(self):
        return ""  # its log is there
