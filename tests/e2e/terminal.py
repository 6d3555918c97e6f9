"""A node in a terminal of its own, and what an operator sees of it."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import herdlib
from herdlib import PATIENCE_S

PROMPT = b"herd> "


class Terminal:
    """A node in the foreground of a terminal of its own. `screen` is all that it ever showed. Without a
    `conf` it finds its configuration elsewhere."""

    def __init__(self, conf, name, *options, folder, board="posix", env=None):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave  # kept: its mode is looked at afterwards
        self.log_path = folder / "terminal.log"
        self.log_path.write_bytes(b"")
        argv = [herdlib.BIN / board / "herd", "--log-file", self.log_path, *options]
        argv += ["-c", conf] if conf else []
        argv += [name] if name else []

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        environment = {k: v for k, v in os.environ.items() if k != "PLACES_KEY"}
        self.process = subprocess.Popen([str(a) for a in argv], stdin=slave, stdout=slave,
                                        stderr=slave, preexec_fn=own_terminal, cwd=folder,
                                        env={**environment, **(env or {})})
        self.screen = b""
        self.log = herdlib.Log(self.log_path, self.check)

    def check(self):
        self.read(0)
        assert self.process.poll() is None, f"the node ended\n{self.screen.decode(errors='replace')}"

    def read(self, timeout_s):
        poll = select.poll()  # select() takes no descriptor above 1,023, and herdlib reserves many ports
        poll.register(self.master, select.POLLIN)
        while poll.poll(timeout_s * 1000):
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            if not piece:
                return
            self.screen += piece
            timeout_s = 0

    def until(self, text, since):
        """Waits for text on the screen after `since`; what came up to there."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.screen[since:]:
            assert time.monotonic() < deadline, (
                f"no {text!r} in\n{self.screen[since:].decode(errors='replace')}")
            self.read(0.05)
        return self.screen[since:]

    def type(self, keys):
        os.write(self.master, keys)

    def ready(self):
        self.until(b"Enter gives a prompt", 0)
        since = len(self.screen)
        self.type(b"\r")
        self.until(PROMPT, since)
        return self

    def rows(self, since):
        """What the rows show, from the one that `since` is in; the last is not ended yet."""
        start = self.screen.rfind(b"\n", 0, since) + 1
        return [row.rstrip(b"\r").split(b"\r\x1b[K")[-1] for row in self.screen[start:].split(b"\n")]

    def ask(self, command):
        """The answer's lines, without what the log says meanwhile."""
        since = len(self.screen)
        deadline = time.monotonic() + PATIENCE_S
        pages = 0
        self.type(command.encode() + b"\r")
        while True:
            rows = self.rows(since)
            # A bare prompt may stand before it: the first Enter of a start shows one, and is a line.
            typed = [i for i, row in enumerate(rows[:-1]) if row.startswith(PROMPT) and row != PROMPT]
            if typed and rows[-1] == PROMPT:
                break
            if rows[-1] == b"-- more: any key, q to end --" and len(rows) > pages:
                pages = len(rows)
                self.type(b" ")
            assert time.monotonic() < deadline, f"no prompt behind {rows}"
            self.read(0.05)
        return [row.decode(errors="backslashreplace") for row in rows[typed[0] + 1:-1]
                if not re.match(rb"\d{4}-\d\d-\d\dT", row)]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE_S)
        self.read(0)
        return status

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
