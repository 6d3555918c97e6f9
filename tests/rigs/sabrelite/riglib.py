"""The rig under QEMU, and how to talk to it. Used by test_rig.py; see README.md."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ELF = Path(os.environ.get("RIG_ELF", ROOT / "build/rigs/sabrelite/rig.elf"))
SCRATCH = os.environ.get("RIG_SCRATCH")  # a folder for UART logs and sockets; default: a temporary one

BAD_WORDS = ("rig.panic", "rig.fault")


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Rig:
    """One QEMU. The guest only ever answers, to 10.0.2.2."""

    def __init__(self, elf=ELF):
        if SCRATCH:
            Path(SCRATCH).mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="rig-", dir=SCRATCH))
        self.tcp, self.udp, self.stats_port = (
            free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM))
        self.uart_file = self.folder / "uart.log"
        self.monitor_path = self.folder / "monitor"
        forwards = ",".join((f"hostfwd=tcp:127.0.0.1:{self.tcp}-:7",
                             f"hostfwd=udp:127.0.0.1:{self.udp}-:7",
                             f"hostfwd=udp:127.0.0.1:{self.stats_port}-:9"))
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", "sabrelite", "-m", "64M", "-kernel", str(elf), "-display", "none",
             "-serial", f"file:{self.uart_file}",
             "-monitor", f"unix:{self.monitor_path},server=on,wait=off",
             "-nic", f"user,id=net0,model=imx.enet,{forwards}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.monitor = None

    def close(self):
        if self.monitor:
            self.monitor.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- UART

    def uart(self):
        return self.uart_file.read_text(errors="replace") if self.uart_file.exists() else ""

    def wait_uart(self, words, count=1, timeout=5):
        end = time.monotonic() + timeout
        while self.uart().count(words) < count:
            assert time.monotonic() < end, f"no {words!r} within {timeout} s; UART:\n{self.uart()}"
            assert self.process.poll() is None, "QEMU ended"
            time.sleep(0.02)

    def check_uart(self):
        text = self.uart()
        assert not any(words in text for words in BAD_WORDS), text

    # --- Monitor: the cable

    def set_link(self, up):
        if self.monitor is None:
            self.monitor = socket.socket(socket.AF_UNIX)
            self.monitor.settimeout(5)
            self.monitor.connect(str(self.monitor_path))
            self.wait_prompt()
        self.monitor.sendall(f"set_link net0 {'on' if up else 'off'}\n".encode())
        self.wait_prompt()

    def wait_prompt(self):
        got = b""
        while not got.endswith(b"(qemu) "):
            got += self.monitor.recv(4096)

    # --- Network

    def connect(self, timeout=5):
        s = socket.create_connection(("127.0.0.1", self.tcp), timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def counters(self, timeout=3):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.sendto(b"?", ("127.0.0.1", self.stats_port))
            text = s.recv(4096).decode()
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}

    def wait_counters(self, condition, timeout=10):
        end = time.monotonic() + timeout
        while True:
            counters = self.counters()
            if condition(counters):
                return counters
            assert time.monotonic() < end, f"after {timeout} s still {counters}"
            time.sleep(0.1)


def receive_exactly(s, count):
    parts, left = [], count
    while left > 0:
        part = s.recv(min(left, 65536))
        assert part, f"ended {left} bytes before the {count} were there"
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def pattern(count, seed):
    """Bytes without a period that a lost or doubled segment could hide in."""
    out, state = bytearray(count), seed * 2654435761 % 2**32 or 1
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = state >> 24
    return bytes(out)


def exchange(s, data):
    s.sendall(data)
    got = receive_exactly(s, len(data))
    assert got == data, "what came back is not what was sent"
