"""The places key is where it must be, and nowhere else: no log, no argument list, no environment,
no core dump, and not in the clear on the wire. Each test also looks where the key, or a public
word, must be found, so that a search that finds nothing means something."""

import base64
import contextlib
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import threading
import urllib.parse
from pathlib import Path

import pytest

import wire
from herdlib import BIN, CERTS, KEY, NET, SAN, Client, Herd, Program, free_port, wait_until
from test_places import failed, good

CANARY = "AIzaCanary4711-Do_not.show~me-anywhere"
PUBLIC = b"a-name-that-everybody-may-see"
PROVIDERS = ["google", "google-legacy"]
FAULTS = ["none", "http-400", "http-401", "http-403", "over-limit", "redirect", "garbage",
          "expired", "cut-body", "stall-body"]


def shapes(key):
    """The key as it may turn up: in pieces too, since logs cut what is long."""
    raw = key.encode()
    whole = {raw, urllib.parse.quote(key, safe="").encode(), raw.hex().encode(),
             raw.hex().upper().encode(), raw.lower(), raw.upper(), raw[::-1]}
    for shift in range(3):  # base64 of a text that holds the key somewhere
        whole.add(base64.b64encode(b"x" * shift + raw)[4:-4])
    pieces = {raw[start:start + 12] for start in range(0, len(raw) - 12, 6)}
    return whole | pieces


SHAPES = shapes(CANARY)


def found_in(data, words=SHAPES):
    return [word for word in words if word in data]


def files_below(folder, *but):
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in but]


def nothing_in_files(folder, *but):
    """Searches every file that a test has left: logs, what stdout and stderr got, pids."""
    searched = files_below(folder, *but)
    for path in searched:
        assert not found_in(path.read_bytes()), path
    return searched


def test_the_search_finds_what_it_should(tmp_path):
    for text in (CANARY, f"&key={CANARY}&", CANARY[3:20], CANARY.lower(), CANARY.encode().hex(),
                 *(base64.b64encode(b"y" * n + CANARY.encode() + b"y" * n).decode()
                   for n in range(4))):
        assert found_in(text.encode()), text
    assert not found_in(KEY.encode() + PUBLIC)
    (tmp_path / "log").write_text(f"places.asked key={CANARY}\n")
    with pytest.raises(AssertionError):
        nothing_in_files(tmp_path)


# ---- Processes ----

def processes_below(pid):
    """The process and everything that it started, from /proc."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # has ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, rest = [], [pid]
    while rest:
        found.append(rest.pop())
        rest += children.get(found[-1], [])
    return found


def shown_by(pid):
    """What /proc shows of a process to whoever may ask."""
    return b"\n".join(Path(f"/proc/{pid}/{name}").read_bytes()
                      for name in ("cmdline", "environ", "comm", "stat", "status"))


def test_what_proc_shows_is_searched(tmp_path):
    shell = subprocess.Popen(["sh", "-c", "read x", CANARY], stdin=subprocess.PIPE)
    waiter = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={"PLACES_KEY": CANARY})
    try:
        for process in (shell, waiter):  # each has to become what it will be
            wait_until(lambda: found_in(shown_by(process.pid)), process.args)
        assert shell.pid in processes_below(os.getpid())
    finally:
        for process in (shell, waiter):
            process.kill()
            process.wait()
            process.stdin.close()


# ---- Nodes that use the key in every way ----

class Secretive:
    """A node with the canary as its key, a stand-in that takes it, and a client."""

    def __init__(self, new_standin, new_herd, provider, standin_key=CANARY, **places):
        self.standin = new_standin(key=standin_key)
        self.herd = new_herd(places=self.standin.places(provider=provider, timeout_ms=1500,
                                                        queries_per_minute=6000, **places))
        env = {} if "key_file" in places else {"PLACES_KEY": CANARY}
        self.log_file = self.herd.folder / "node.log"
        self.node = self.herd.launch("Solo", "--log-level", "debug", "--log-file", self.log_file,
                                     env=env)
        self.node.log.wait("node.ready")
        self.client = self.herd.client("Solo")
        self.client.iamat(PUBLIC)

    def ask(self, radius=10):
        return self.client.whatsat(PUBLIC, radius, 5)

    def everything(self):
        """Answers, and answers to failures."""
        texts = []
        for fault in FAULTS:
            self.standin.fault(fault)
            texts.append(self.ask().text)
        self.standin.fault("none")
        good(self.ask())
        return b"".join(texts)


@pytest.fixture(name="secretive")
def fixture_secretive(new_standin, new_herd):
    return lambda *args, **named: Secretive(new_standin, new_herd, *args, **named)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_shows_in_no_log_argument_or_environment(secretive, tmp_path, provider):
    one = secretive(provider)
    assert not found_in(one.everything())
    for program in (one.node, one.standin):
        assert not found_in(shown_by(program.pid)), program.name
        # The name stays behind, as the kernel keeps the place; its value is gone.
        environ = Path(f"/proc/{program.pid}/environ").read_bytes()
        assert re.search(rb"PLACES_KEY=\0", environ), "the variable was there at the start"
    searched = nothing_in_files(tmp_path)
    assert {one.log_file, one.node.out_path, one.standin.out_path} <= set(searched)
    assert PUBLIC in one.log_file.read_bytes() and PUBLIC in one.node.out_path.read_bytes()
    assert one.node.log.count("places.failed") >= len(FAULTS) - 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_the_provider_refuses_is_not_shown_either(secretive, tmp_path, provider):
    one = secretive(provider, standin_key="another-key")
    assert not found_in(failed(one.ask(), "REQUEST_DENIED").encode())
    nothing_in_files(tmp_path)


@pytest.mark.parametrize("text", [f"{CANARY} and more\n", f"{CANARY}\x01\n", CANARY * 8])
def test_a_key_that_cannot_be_one_is_not_shown_in_the_error(new_herd, tmp_path, text):
    key_file = tmp_path / "key"
    key_file.write_text(text)
    key_file.chmod(0o600)
    herd = new_herd(places={"provider": "google", "key_file": key_file})
    done = subprocess.run([BIN / "posix" / "herd", "-c", herd.conf, "Solo"], capture_output=True,
                          timeout=20)
    assert done.returncode == 2 and b"key" in done.stderr
    assert not found_in(done.stdout + done.stderr)
    done = subprocess.run([BIN / "posix" / "herd", "-c", herd.conf, "Solo"], capture_output=True,
                          timeout=20, env={"PLACES_KEY": text.rstrip("\n")})
    assert done.returncode == 2 and not found_in(done.stdout + done.stderr)


# ---- A herd of the launcher's ----

FIVE = ("Bailey", "Bona", "Campbell", "Clark", "Jaquez")
RING = (("Bailey", "Bona"), ("Bona", "Campbell"), ("Campbell", "Clark"), ("Clark", "Jaquez"))


@contextlib.contextmanager
def launched(programs, herd, *options):
    """The herd under herd-run; its run directory is below the test's folder."""
    argv = [BIN / "tools" / "herd-run", "--run-dir", herd.folder / "run", "--certs", CERTS,
            "--log-level", "debug", *options, herd.conf]
    launcher = programs.add(Program("herd-run", argv, herd.folder))
    wait_until(lambda: b"herd is ready" in launcher.log.text(), "herd is ready",
               check=launcher.check)
    yield launcher
    assert launcher.stop(signal.SIGINT) == 0


def ask_all(herd):
    """Every node asks the provider once; what it says of the places is the proof."""
    for number, name in enumerate(herd.names):
        with Client(herd.ports[name][0]) as client:
            client.iamat(PUBLIC)
            good(client.whatsat(PUBLIC, 10 + number, 5))


@pytest.mark.net("slirp")  # that herd-run is asked for
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_launched_herd_with_a_key_file_shows_no_key(programs, new_standin, tmp_path, provider):
    key_file = tmp_path / "key.txt"
    key_file.write_text(CANARY + "\n")
    key_file.chmod(0o600)
    standin = new_standin(key=CANARY)
    herd = Herd(programs, FIVE, RING, places={"provider": provider})
    where = [f"--set=places.{name}={value}" for name, value in standin.places().items()
             if name != "provider"]
    with launched(programs, herd, "--places-key-file", key_file, *where) as launcher:
        ask_all(herd)
        pids = processes_below(launcher.pid)
        assert len(pids) == 1 + len(FIVE)
        for pid in pids + [standin.pid]:
            assert not found_in(shown_by(pid)), shown_by(pid)[:500]
    assert standin.stats()["requests"] == len(FIVE), "they had the key"
    searched = nothing_in_files(tmp_path, key_file)
    assert {f"{name}.log" for name in FIVE} <= {path.name for path in searched}


@pytest.mark.net("slirp")
def test_the_launchers_own_key_shows_nowhere(programs, tmp_path):
    """Without a key file herd-run makes a key of its own for the stand-in and its nodes."""
    own_key = re.compile(rb"standin-[0-9a-f]{8}")
    herd = Herd(programs, FIVE, RING, places={"provider": "google"})
    with launched(programs, herd) as launcher:
        ask_all(herd)
        pids = processes_below(launcher.pid)
        assert len(pids) == 2 + len(FIVE)
        for pid in pids:
            assert not own_key.search(shown_by(pid)), shown_by(pid)[:500]
        assert own_key.search(Memory(launcher.pid).all()), "that is what its key looks like"
    for path in files_below(tmp_path):
        assert not own_key.search(path.read_bytes()), path


# ---- Core dumps ----

class Memory:
    """The memory of a running process, and what of it a core dump takes."""

    def __init__(self, pid):
        self.ranges = []  # (start, end, left out of dumps)
        head = None
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if match:
                head = [int(part, 16) for part in match.groups()]
            elif line.startswith("VmFlags:") and head:
                self.ranges.append((*head, "dd" in line.split()))
                head = None
        self.path = Path(f"/proc/{pid}/mem")

    def read(self, left_out):
        pieces = []
        with open(self.path, "rb") as memory:
            for start, end, marked in self.ranges:
                if marked in left_out:
                    try:
                        memory.seek(start)
                        pieces.append(memory.read(end - start))
                    except (OSError, OverflowError, ValueError):
                        pass  # the kernel's own pages (vvar)
        return b"\0".join(pieces)

    def all(self):
        return self.read({True, False})

    def dumped(self):
        return self.read({False})


def used_key(secretive, provider):
    one = secretive(provider)
    assert not found_in(one.everything())
    one.standin.fault("stall-body")  # and one request is under way
    mark = one.node.log.mark()
    one.client.send(b"WHATSAT %s 20 5\n" % PUBLIC)
    one.node.log.wait("places.asked", mark)
    return one


@pytest.mark.skipif(SAN, reason="the sanitizer copies and keeps what is freed")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_dump_takes_of_memory_has_no_key_in_it(secretive, provider):
    one = used_key(secretive, provider)
    memory = Memory(one.node.pid)
    assert CANARY.encode() in memory.all(), "a node must have it while it runs"
    dumped = memory.dumped()
    assert not found_in(dumped)
    assert PUBLIC in dumped and len(dumped) > 1 << 20, "the rest is there"


@pytest.mark.skipif(SAN, reason="a sanitizer ends without a core dump")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_core_dump_has_no_key_in_it(secretive, tmp_path, provider):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or pattern.startswith("|"):
        pytest.skip(f"dumps go elsewhere here: {pattern}")
    one = used_key(secretive, provider)
    resource.prlimit(one.node.pid, resource.RLIMIT_CORE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    one.node.expected = -signal.SIGABRT
    one.node.process.send_signal(signal.SIGABRT)
    one.node.process.wait()
    (core,) = tmp_path.glob("core*")
    dump = core.read_bytes()
    core.unlink()
    assert dump.startswith(b"\x7fELF") and PUBLIC in dump
    assert not found_in(dump)


# ---- The wire ----

class Capture:
    """Every frame between nodes and stand-in, both directions."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        if NET == "tap":
            wire.ready()
        self.socket.bind((wire.BRIDGE if NET == "tap" else "lo", 0))
        self.socket.settimeout(0.2)
        self.frames = []
        self.going = True
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self):
        while self.going:
            with contextlib.suppress(TimeoutError):
                while True:
                    self.frames.append(self.socket.recv(1 << 17))

    def stop(self):
        self.going = False
        self.thread.join()
        packets, drops = struct.unpack("II", self.socket.getsockopt(263, 6, 8))  # PACKET_STATISTICS
        self.socket.close()
        assert drops == 0 and packets >= len(self.frames)

    def streams(self):
        """Payloads by direction of a connection; segments in order, once each (there is no loss on
        the loopback). Other protocols by themselves."""
        streams = {}
        for frame in self.frames:
            if frame[12:14] != b"\x08\x00" or frame[23] != 6:
                streams.setdefault("other", {})[len(streams.get("other", {}))] = frame
                continue
            ip = 14
            tcp = ip + (frame[ip] & 15) * 4
            end = ip + int.from_bytes(frame[ip + 2:ip + 4], "big") or len(frame)
            flow = frame[ip + 12:ip + 20] + frame[tcp:tcp + 4]
            data = frame[tcp + (frame[tcp + 12] >> 4) * 4:end]
            if data:
                streams.setdefault(flow, {})[frame[tcp + 4:tcp + 8]] = data
        return [b"".join(segments.values()) for segments in streams.values()]


@pytest.fixture(name="capture")
def fixture_capture():
    try:
        capture = Capture()
    except PermissionError:
        pytest.skip("frames can be read by root only, in a namespace or outside")
    yield capture
    if capture.going:
        capture.stop()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_is_not_in_the_clear_on_the_wire(secretive, capture, provider):
    one = secretive(provider)
    one.everything()
    assert one.standin.stats()["requests"] >= len(FAULTS) - 2
    wait_until(lambda: PUBLIC in b"".join(capture.streams()), "the capture sees what is public")
    capture.stop()
    last = one.standin.last()
    assert "key_in=header:X-Goog-Api-Key" in last or "key_in=target" in last
    streams = capture.streams()
    host = b"places.googleapis.com" if provider == "google" else b"maps.googleapis.com"
    assert any(stream.startswith(b"\x16\x03") and host in stream for stream in streams), "SNI"
    assert any(b"\x17\x03\x03" in stream for stream in streams), "records of application data"
    assert not any(b"nearbysearch" in stream or b"searchNearby" in stream for stream in streams)
    for data in [*streams, *capture.frames]:
        assert not found_in(data)


@pytest.mark.net("slirp")  # this is on the loopback
def test_the_capture_would_see_a_key(capture):
    with socket.create_server(("127.0.0.1", free_port())) as server:
        with socket.create_connection(server.getsockname()) as one:
            other, _ = server.accept()
            for half in (CANARY[:10], CANARY[10:]):  # in two segments
                one.sendall(half.encode())
                assert other.recv(100) == half.encode()
            other.close()
    wait_until(lambda: any(CANARY.encode() in stream for stream in capture.streams()), "it is seen")
