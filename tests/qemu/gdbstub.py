"""A board under QEMU as a debugger sees it: QEMU's gdb stub (the remote serial protocol), by way of
QEMU's monitor. Standard library only."""

import re
import socket
import subprocess
import time


def symbols(elf):
    """name: address, of an image."""
    out = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True).stdout
    return {name: int(address, 16) for address, kind, name in
            (line.split() for line in out.splitlines() if line.count(" ") == 2)}


class Monitor:
    """QEMU's monitor on a Unix socket."""

    def __init__(self, path, patience_s=20):
        deadline = time.monotonic() + patience_s
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                self.socket.close()
                assert time.monotonic() < deadline, f"no monitor at {path}"
                time.sleep(0.05)
        self.socket.settimeout(patience_s)
        self._answer()

    def _answer(self):
        data = b""
        while not data.endswith(b"(qemu) "):
            piece = self.socket.recv(65536)
            assert piece, "the monitor is gone"
            data += piece
        return data.decode(errors="replace")

    def command(self, text):
        self.socket.sendall(text.encode() + b"\n")
        return self._answer()

    def words(self, address, count):
        """32-bit words of memory."""
        found = []
        for line in self.command(f"xp /{count}wx {address:#x}").splitlines():
            match = re.match(r"^[0-9a-f]{8,16}: (.*)", line)
            found += [int(word, 16) for word in match.group(1).split()] if match else []
        assert len(found) == count, found
        return found

    def u64(self, address):
        low, high = self.words(address, 2)
        return high << 32 | low


class Debugger:
    """Stops the core, changes a register, lets it go on."""

    NUMBERS = {"r0": 0, "r1": 1, "r2": 2, "sp": 13, "lr": 14, "pc": 15}

    def __init__(self, monitor, port):
        self.monitor = monitor
        monitor.command(f"gdbserver tcp:127.0.0.1:{port}")
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.held = b""
        self.ask("?")
        self.ask("qXfer:features:read:target.xml:0,ff")  # before that, QEMU writes no single register

    def ask(self, command):
        """Answers of this stub to registers are OK; stops (T..) that come in between are passed over."""
        self.send(command)
        while True:
            answer = self.reply()
            if command == "?" or not answer.startswith("T"):
                return answer

    def send(self, command):
        data = command.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def reply(self):
        while not (match := re.search(rb"\$([^#]*)#..", self.held)):
            piece = self.socket.recv(4096)
            assert piece, "the gdb stub is gone"
            self.held += piece
        self.held = self.held[match.end():]
        self.socket.sendall(b"+")
        return match.group(1).decode()

    def set_register(self, number, value):
        assert self.ask(f"P{number:x}={value.to_bytes(4, 'little').hex()}") == "OK"

    def detach(self):
        """The core runs on."""
        self.ask("D")
        self.socket.close()
        self.monitor.command("gdbserver none")
