"""Real nodes, herds, Places stand-ins and clients for the end-to-end tests. Standard library only.

Whatever is started belongs to a `Programs`, whose `end` stops it all and fails if a program had
died by itself, left something on stderr, or did not stop cleanly. Waiting is always for an event: a
line of a node's log, an answer, a condition; PATIENCE_S is how long that may take before the test
fails.
"""

import collections
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from decimal import Decimal
from pathlib import Path

import keyslib
import wire

ROOT = Path(__file__).resolve().parents[2]
BIN = (ROOT / os.environ.get("HERD_BIN_DIR", "build")).resolve()
SAN = "san" in BIN.parts
CERTS = ROOT / "build" / "certs"
DATA = ROOT.parent / "shared" / "data"
BOARDS = tuple(os.environ.get("HERD_BOARDS", "posix posix-small").split())
PATIENCE_S = 60 if SAN else 20
STOP_S = 5
NET = os.environ.get("HERD_NET", "slirp")  # what nodes are started with: slirp or tap
HERE = wire.HERE if NET == "tap" else "127.0.0.1"  # where the tests are for the herd file
KEY = "key-that-must-not-leak-4711"

# Of boards/*/board.h: what a test can only see by going to the limit.
LINE_BYTES = {"posix": 1024, "posix-small": 256,
              "mps2-an385": 256, "mps2-an385-small": 256, "lm3s6965evb": 256}
SESSIONS = {"posix": 256, "posix-small": 4,
            "mps2-an385": 8, "mps2-an385-small": 4, "lm3s6965evb": 4}
DEVICES = {"posix": 4096, "posix-small": 64,
           "mps2-an385": 256, "mps2-an385-small": 128, "lm3s6965evb": 64}
ANSWER_BYTES = {"posix": 65536, "posix-small": 8192,
                "mps2-an385": 8192, "mps2-an385-small": 4096, "lm3s6965evb": 2560}

NO_UPSTREAM = ("lm3s6965evb",)

BAILEY = ("Bailey", "Bona", "Campbell", "Clark", "Jaquez")
BAILEY_LINKS = (("Clark", "Jaquez"), ("Clark", "Bona"), ("Campbell", "Bailey"),
                ("Campbell", "Bona"), ("Campbell", "Jaquez"), ("Bona", "Bailey"))


def wait_until(condition, what, timeout_s=None, check=None):
    """Returns the first true value of condition(); check() may raise meanwhile."""
    deadline = time.monotonic() + (timeout_s or PATIENCE_S)
    while True:
        value = condition()
        if value:
            return value
        if check:
            check()
        assert time.monotonic() < deadline, f"did not happen in time: {what}"
        time.sleep(0.005)


# ---- Ports ----

class Port(int):
    """A port, and the address of the host that has it."""

    def __new__(cls, number, address):
        port = super().__new__(cls, number)
        port.address = address
        return port


def where(port):
    """Address and port, for socket functions. A mere number is a port of this machine."""
    return getattr(port, "address", "127.0.0.1"), int(port)


_reserved = []  # sockets whose abstract names keep other test runs off our ports
# One for each port until the end: more than the 1,024 files that an ordinary user has by default.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
_next_port = 20000 + os.getpid() * 7 % 10000


def free_port():
    """A port below the ephemeral range, where no outgoing connection can take it before it is used.

    Nobody listens on it now; an abstract name of the same network namespace reserves it against
    other runs of these tests for as long as this process lives.
    """
    global _next_port
    for _ in range(12000):
        port = _next_port
        _next_port = 20000 + (port + 1 - 20000) % 12000
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        probe = socket.socket()
        try:
            reservation.bind(f"\0herd-e2e-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        finally:
            probe.close()
        _reserved.append(reservation)
        return port
    raise AssertionError("no free port")


# ---- Logs ----

FIELD = re.compile(r' ([a-z_0-9]+)=(?:"([^"]*)"?|(\S*))')


class Event:
    """One line: `time level name key=value key="escaped"`."""

    def __init__(self, line):
        self.line = line
        head = line.split(" ", 3)
        self.time, self.level, self.name = (head + ["", "", ""])[:3]

    def __repr__(self):
        return self.line

    @property
    def fields(self):
        return {key: quoted or plain for key, quoted, plain in FIELD.findall(self.line)}

    def has(self, fields):
        return not fields or fields.items() <= self.fields.items()


class Log:
    """The lines that a program wrote to a file, as they come."""

    def __init__(self, path, check):
        self.path = path
        self.check = check
        self.offset = 0
        self.rest = b""
        self.events = []
        self.by_name = collections.defaultdict(list)  # indices into events

    def read(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            new = file.read()
        self.offset += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        for line in lines:
            event = Event(line.decode(errors="backslashreplace"))
            self.by_name[event.name].append(len(self.events))
            self.events.append(event)
        return self.events

    def mark(self):
        """Where the log is now, for `since`."""
        return len(self.read())

    def find(self, name, since=0, /, **fields):
        self.read()
        return [self.events[i] for i in self.by_name[name]
                if i >= since and self.events[i].has(fields)]

    def count(self, name):
        self.read()
        return len(self.by_name[name])

    def wait(self, name, since=0, /, *, timeout_s=None, count=1, **fields):
        """The count-th such event, also if it is there already."""
        def found():
            events = self.find(name, since, **fields)
            return events[count - 1] if len(events) >= count else None
        try:
            return wait_until(found, f"{count} x {name} {fields}", timeout_s, self.check)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- end of {self.path}\n{self.tail()}") from None

    def tail(self, lines=40):
        return "\n".join(event.line for event in self.read()[-lines:])

    def text(self):
        return self.path.read_bytes()


# ---- Programs ----

class Program:
    """A process with stdout and stderr in files of their own."""

    def __init__(self, name, argv, folder, env=None, stdout=None):
        self.name = name
        self.argv = [str(argument) for argument in argv]
        self.expected = None  # exit status, once the test has asked for an end
        serial = 1
        while (folder / f"{name}-{serial}.out").exists():
            serial += 1
        self.out_path = folder / f"{name}-{serial}.out"
        self.err_path = folder / f"{name}-{serial}.err"
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("PLACES_KEY", "HERD_FILE")}
        environment.update(env or {})
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                            stdout=stdout or out, stderr=err, env=environment,
                                            cwd=folder)
        self.pid = self.process.pid
        self.log = Log(self.out_path, self.check)

    def check(self):
        """Fails when the program ended and nobody had asked for it."""
        status = self.process.poll()
        assert status is None or self.expected is not None, (
            f"{self.name} ended by itself with {status}\n{self.errors()}\n{self.log.tail()}")

    def errors(self):
        return self.err_path.read_text(errors="backslashreplace")

    def kill(self):
        """As a crash or a power cut would."""
        self.expected = -signal.SIGKILL
        self.process.kill()
        self.process.wait()

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(lambda: self._state() == "T", f"{self.name} is stopped")

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def _state(self):
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]

    def stop(self, how=signal.SIGTERM):
        """Asks for a clean end, and returns the exit status."""
        self.check()
        self.expected = 0
        self.resume()
        self.process.send_signal(how)
        try:
            return self.process.wait(STOP_S * (4 if SAN else 1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop\n{self.log.tail()}") from None

    def end(self):
        """Stops the program if it still runs. What was wrong with it, or None."""
        try:
            if self.process.poll() is None:
                self.stop()
            assert self.expected is not None, f"{self.name} had ended by itself"
            assert self.process.returncode == self.expected, (
                f"{self.name} ended with {self.process.returncode}, not {self.expected}")
            assert self.errors() == "", f"{self.name} wrote to stderr"
        except AssertionError as error:
            return f"{error}\n--- stderr\n{self.errors()}\n--- log\n{self.log.tail()}"
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        return None

    def cpu_s(self):
        """Processor time since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


class Programs:
    """Everything that a test started."""

    def __init__(self, folder):
        self.folder = folder
        self.all = []
        self.clients = []
        self.hosts = []

    def add(self, program):
        self.all.append(program)
        return program

    def on_wire(self, hosts):
        """Devices for these hosts, until the end."""
        wire.make(hosts)
        self.hosts += hosts

    def end(self):
        for client in self.clients:
            client.close()
        running = [program for program in self.all if program.process.poll() is None
                   and program.expected is None]
        for program in running:  # all at once: each takes a moment to say goodbye
            program.resume()
            program.process.terminate()
            program.expected = 0
        deadline = time.monotonic() + STOP_S * (4 if SAN else 1)
        for program in running:
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass  # end() tells
        wrong = [problem for problem in (program.end() for program in self.all) if problem]
        if self.hosts:
            wire.remove(self.hosts)
            self.hosts = []
        assert not wrong, "\n======\n".join(wrong)

    def client(self, node):
        """Clients end before programs do."""
        client = Client(node.port)
        self.clients.append(client)
        return client


# ---- Clients ----

At = collections.namedtuple("At", "server difference client location stamp")


def parse_at(line):
    """Checks the form of an AT line, bytes without newline, and takes it apart."""
    match = re.fullmatch(rb"AT ([A-Za-z0-9._-]{1,32}) ([+-]\d+\.\d{9}) (\S+) (\S+) (\S+)", line)
    assert match, line
    server, difference, client, location, stamp = match.groups()
    assert not re.match(rb"[+-]0\d", difference), line
    return At(server.decode(), Decimal(difference.decode()), client, location, stamp)


def as_bytes(text):
    return text.encode() if isinstance(text, str) else text


class Answer:
    """A WHATSAT answer: its AT line, and the JSON text without the two newlines."""

    def __init__(self, at, text):
        self.at = at
        self.text = text


class Client:
    """A connection to a node's client listener."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(where(port))
        self.held = b""
        self.feeder = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection, whatever is still on its way."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if self.feeder:
            self.feeder.join(PATIENCE_S)
        self.socket.close()

    def send(self, data):
        self.socket.sendall(as_bytes(data))

    def feed(self, *pieces, half_close=False):
        """Sends from a thread of its own, so that the caller can read meanwhile."""
        def work():
            try:
                for piece in pieces:
                    self.socket.sendall(piece)
                if half_close:
                    self.half_close()
            except OSError:
                pass  # the reader notices
        self.feeder = threading.Thread(target=work, daemon=True)
        self.feeder.start()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self, most=1 << 18):
        """Some bytes; none at the end of the connection."""
        if self.held:
            piece, self.held = self.held[:most], self.held[most:]
            return piece
        return self.socket.recv(most)

    def until(self, mark):
        """Everything before the mark, which is taken as well."""
        pieces, tail = [], b""
        while True:
            piece = self.receive()
            assert piece, f"the connection ended after {b''.join(pieces)[-500:]!r}"
            pieces.append(piece)
            if mark in tail + piece:
                break
            tail = (tail + piece)[-len(mark):]
        found, after = b"".join(pieces).split(mark, 1)
        self.held = after + self.held
        return found

    def line(self):
        return self.until(b"\n")

    def lines(self, count):
        """So many lines, without their newlines."""
        data, found = [], 0
        while found < count:
            piece = self.receive()
            assert piece, f"the connection ended after {found} of {count} lines"
            data.append(piece)
            found += piece.count(b"\n")
        *lines, rest = b"".join(data).split(b"\n")
        self.held = b"\n".join([*lines[count:], rest]) + self.held
        return lines[:count]

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.receive(count - len(data))
            assert piece, f"the connection ended after {len(data)} of {count} bytes"
            data += piece
        return data

    def rest(self):
        """Everything up to the end of the connection."""
        pieces = []
        while piece := self.receive():
            pieces.append(piece)
        return b"".join(pieces)

    def is_over(self):
        """True when the node has ended the connection; waits for that, or for bytes."""
        try:
            return self.receive() == b""
        except ConnectionError:
            return True

    def ask(self, command):
        """One command, its one answer line."""
        self.send(as_bytes(command) + b"\n")
        return self.line()

    def iamat(self, device, location="+34.068930-118.445127", stamp=None):
        """Reports, now unless a stamp is given; the AT line."""
        if stamp is None:
            stamp = "%d.%09d" % divmod(time.time_ns(), 10**9)
        answer = self.ask(b"IAMAT %s %s %s" % tuple(map(as_bytes, (device, location, str(stamp)))))
        assert answer.startswith(b"AT "), answer
        return answer

    def known(self, device):
        """The AT line of the newest report this node knows, or None."""
        command = b"WHATSAT %s 0 0" % as_bytes(device)
        self.send(command + b"\n")
        at = self.line()
        if at == b"? " + command:
            return None
        self.until(b"\n\n")
        return at

    def read_answer(self):
        at = self.line()
        parse_at(at)
        return Answer(at, self.until(b"\n\n"))

    def whatsat(self, device, radius=10, bound=5):
        self.send(b"WHATSAT %s %s %s\n" % (as_bytes(device), str(radius).encode(),
                                           str(bound).encode()))
        return self.read_answer()


def is_turned_away(port, source="0.0.0.0"):
    """Whether a connection ends as soon as it is made: a reset may come before connect() is back."""
    try:
        with socket.create_connection(where(port), PATIENCE_S, (source, 0)) as one:
            return one.recv(1) == b""
    except ConnectionError:
        return True


# ---- Nodes and herds ----

class Node(Program):
    """A running node."""

    def __init__(self, herd, name, board, options=(), env=None, stdout=None):
        self.herd = herd
        self.port, self.link_port = herd.ports[name]
        self.board = board
        net = ["--net", f"tap={herd.hosts[name].device}"] if NET == "tap" else []
        super().__init__(name, [BIN / board / "herd", "-c", herd.conf, *herd.keys_options(name),
                                *net, *options, name],
                         herd.folder, {"PLACES_KEY": KEY, **(env or {})}, stdout)


class Herd:
    """A herd file in `folder` on ports of its own, and the nodes that run from it.

    boards: one board for all, or one per name. Further arguments are sections of the herd file, as
    dictionaries; nodes: further keys of [node NAME], by name. The provider of places is `none` unless
    the section says otherwise.
    """

    def __init__(self, programs, names=("Solo",), links=(), boards="posix", folder=None, nodes=None,
                 **sections):
        self.programs = programs
        self.network = {"mask": wire.MASK} if NET == "tap" else {}
        self.nodes_keys = nodes or {}
        self.folder = folder or programs.folder
        self.names = names
        self.links = links
        self.boards = boards if isinstance(boards, dict) else dict.fromkeys(names, boards)
        self.hosts = {name: wire.Host() for name in names} if NET == "tap" else {}
        if NET == "tap":
            programs.on_wire(self.hosts.values())
        self.ports = {name: tuple(Port(free_port(), self.address(name)) for _ in "cl")
                      for name in names}
        self.nodes = {}
        self.conf = self.folder / "herd.conf"
        sections = {"places": {"provider": "none"}, **sections}
        self.conf.write_text(self.text(sections))
        self.suite = sections.get("herd", {}).get("link_suite", "psk")
        self.keys = keyslib.LinkKeys([link for link in links if self.needs_keys(link)])
        self.keys.write(self.folder / "keys")

    def text(self, sections):
        lines = []
        for name, values in sections.items():
            lines += [f"[{name}]", *(f"{key} = {value}" for key, value in values.items())]
        for name, (port, link_port) in self.ports.items():
            lines += [f"[node {name}]", f"address = {self.address(name)}", f"port = {port}",
                      f"link_port = {link_port}", *(f"{key} = {value}" for key, value in
                                                    {**self.network, **self.nodes_keys.get(name, {})}
                                                    .items())]
        if self.links:
            lines += ["[links]"]
            for first in self.names:
                others = [b for a, b in self.links if a == first]
                lines += [f"{first} = {' '.join(others)}"] if others else []
        return "\n".join(lines) + "\n"

    def address(self, name):
        """Where a node is reached."""
        return self.hosts[name].address if self.hosts else "127.0.0.1"

    def here(self, name, link=True):
        """Address and port for a listener of the test's own in place of a node."""
        if self.hosts:
            self.hosts[name].come_here()
        return where(self.ports[name][link])

    def __getitem__(self, name):
        return self.nodes[name]

    def needs_keys(self, link):
        """Whether both ends are nodes, not neighbours of the older kind."""
        return all(name in self.names for name in link)

    def keys_file(self, name):
        return self.folder / "keys" / f"{name}.keys"

    def keys_options(self, name):
        """What the node program is told of them."""
        return ["--keys", self.keys_file(name)] if self.keys_file(name).exists() else []

    def neighbours(self, name):
        return {b if a == name else a for a, b in self.links if name in (a, b)}

    def launch(self, name="Solo", *options, **named):
        """Starts a node without waiting for it."""
        self.nodes[name] = self.programs.add(Node(self, name, self.boards[name], options, **named))
        return self.nodes[name]

    def start(self, *names):
        """Starts these nodes (all, if none are named); they take commands afterwards."""
        started = [self.launch(name) for name in names or self.names]
        for node in started:
            node.log.wait("node.ready", name=node.name)
        return started[0]

    def linked(self, *names):
        """Waits until all links of these nodes, as far as both ends run, are up at both ends."""
        running = {name for name, node in self.nodes.items() if node.process.poll() is None}
        for name in names or running:
            for peer in self.neighbours(name) & running:
                self.link_is_up(name, peer)
                self.link_is_up(peer, name)

    def link_is_up(self, name, peer):
        log = self[name].log

        def up():
            log.read()
            last = [i for event in ("link.up", "link.down") for i in log.by_name[event]
                    if log.events[i].has({"peer": peer})]
            return last and log.events[max(last)].name == "link.up"
        wait_until(up, f"link {name} to {peer} is up\n{log.tail()}", check=self[name].check)

    def client(self, name):
        return self.programs.client(self[name])

    def knows(self, name, device, at, timeout_s=None):
        """Waits until a node knows exactly this AT line of a device."""
        with Client(self[name].port) as client:
            last = []

            def known():
                last[:] = [client.known(device)]
                return last[0] == at
            try:
                wait_until(known, f"{name} knows {at}", timeout_s, self[name].check)
            except AssertionError as error:
                raise AssertionError(f"{error}; it knows {last}\n{self[name].log.tail()}") from None


# ---- The Places stand-in ----

class Standin(Program):
    """A running stand-in; `places` is what a herd file's section needs to use it."""

    def __init__(self, programs, *options, chain="ec", key=KEY):
        self.chain = chain
        self.address = HERE
        if NET == "tap":
            wire.ready()
        super().__init__("standin", [BIN / "tools" / "places-standin", "--port", free_port(),
                                     "--control", free_port(), "--address", self.address,
                                     "--certs", CERTS, "--chain", chain,
                                     *options], programs.folder, {"PLACES_KEY": key})
        programs.add(self)
        match = wait_until(lambda: re.match(rb"ready port=(\d+) control=(\d+)\n", self.log.text()),
                           "the stand-in is ready", check=self.check)
        self.port, self.control_port = map(int, match.groups())

    def places(self, **more):
        return {"provider": "google", "address": self.address, "port": self.port,
                "trust_file": CERTS / f"root-{self.chain}.pem", **more}

    def control(self, line):
        with socket.create_connection(("127.0.0.1", self.control_port), PATIENCE_S) as control:
            control.sendall(line.encode() + b"\n")
            answer = control.makefile().readline()
        assert answer.startswith("ok"), answer
        return answer[2:].strip()

    def fault(self, text):
        self.control(f"fault {text}")

    def stats(self):
        pairs = dict(pair.split("=") for pair in self.control("stats").split())
        return {name: int(value) for name, value in pairs.items() if name != "fault"}

    def last(self):
        return self.control("last")
