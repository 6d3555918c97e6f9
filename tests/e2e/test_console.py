"""The console of a node, as a person at a terminal and as a program meet it; what a node keeps over
restarts (--state); and where it gets the time from (--no-clock, [herd] ntp)."""

import os
import re
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

import herdlib
from herdlib import PATIENCE_S, Client, wait_until
from terminal import PROMPT, Terminal

# Nothing here depends on the network's kind, and a terminal starts its node itself.
pytestmark = pytest.mark.net("slirp")

@pytest.fixture
def terminals():
    started = []
    yield started
    for terminal in started:
        terminal.end()


@pytest.fixture
def open_terminal(terminals, tmp_path):
    def start(herd, name="Solo", *options, **named):
        terminal = Terminal(herd.conf, name, *herd.keys_options(name), *options, folder=tmp_path, **named)
        terminals.append(terminal)
        return terminal.ready()
    return start


@pytest.fixture
def herd(new_herd):
    return new_herd()


def value(lines, start, name):
    """The number behind name= in the line that begins so."""
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, lines
    return int(re.search(rf" {name}=(\d+)", found[0]).group(1))


# --- Showing -----------------------------------------------------------------------------------

@pytest.mark.parametrize("board", herdlib.BOARDS)
def test_status_shows_counters_that_move(herd, open_terminal, board):
    terminal = open_terminal(herd, board=board)
    before = terminal.ask("status")
    assert before[0].startswith("node Solo, herd ")
    assert f" on {board}, up " in before[0]
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        client.iamat("plum")
        client.ask("WHERE")
        during = terminal.ask("status")
    assert value(before, "sessions", "iamat") == 0
    assert value(during, "sessions", "iamat") == 2
    assert value(during, "sessions", "invalid") == 1
    assert value(during, "pool devices", "used") == 2
    assert value(during, "pool clients", "used") == 1
    assert value(during, "frames", "in") > value(before, "frames", "in")
    terminal.log.wait("session.ended")
    after = terminal.ask("status")
    assert value(after, "pool clients", "used") == 0
    assert value(after, "pool clients", "high") == 1


def test_devices_are_listed_by_prefix(herd, open_terminal):
    terminal = open_terminal(herd)
    with Client(herd.ports["Solo"][0]) as client:
        for name in ("kiwi", "apple", "kumquat"):
            client.iamat(name, stamp="1621464827.959498503")
    assert terminal.ask("clients k") == [
        "kiwi +34.068930-118.445127 1621464827.959498503 at Solo",
        "kumquat +34.068930-118.445127 1621464827.959498503 at Solo",
        "2 of 3 devices"]


def test_links_are_shown(new_herd, open_terminal):
    herd = new_herd(("One", "Two"), (("One", "Two"),))
    herd.start("Two")
    terminal = open_terminal(herd, "One")
    terminal.log.wait("link.up", peer="Two")
    assert re.match(r"Two up at 127\.0\.0\.1:\d+ pending=0 in_flight=0", terminal.ask("links")[0])
    herd["Two"].stop()
    terminal.log.wait("link.down", peer="Two")
    assert not terminal.ask("links")[0].startswith("Two up")


def test_a_thousand_devices_are_listed_while_clients_are_served(herd, open_terminal):
    terminal = open_terminal(herd, "Solo", "--log-level", "warn")
    with Client(herd.ports["Solo"][0]) as client:
        client.feed(b"".join(b"IAMAT d%04d +1-1 1.0\n" % i for i in range(1000)))
        client.lines(1000)
        lines = terminal.ask("clients")
        assert [line.split()[0] for line in lines[:-1]] == [f"d{i:04}" for i in range(1000)]
        assert lines[-1] == "1000 of 1000 devices"
        client.iamat("after")
    assert value(terminal.ask("status"), "log", "dropped") == 0


# --- Typing ------------------------------------------------------------------------------------

def test_a_line_can_be_edited_and_brought_back(herd, open_terminal):
    terminal = open_terminal(herd)
    assert terminal.ask("garbage\x15lo\x7fog debx\x08ug") == [
        "log level debug until the next start; config set log.level=... keeps it"]
    assert terminal.ask("log infos\x17info")[0].startswith("log level info")
    assert terminal.ask("\x1b[A\x1b[A") [0].startswith("log level debug")


def test_a_log_line_leaves_the_row_that_is_typed_whole(herd, open_terminal):
    terminal = open_terminal(herd)
    terminal.type(b"cli")
    terminal.until(b"cli", 0)
    since = len(terminal.screen)
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        terminal.until(b"session.answer", since)
        terminal.until(b"herd> cli", since)
        assert terminal.ask("ents")[-1] == "1 of 1 devices"
    for line in terminal.screen.split(b"\n"):  # whole log lines, whatever was on their row before
        line = line.rstrip(b"\r").split(b"\x1b[K")[-1]
        assert line.count(b"T") < 2 or line.startswith(b"2") or b" at Solo" in line, line


def test_the_terminal_is_given_back_as_it_was(herd, open_terminal):
    terminal = open_terminal(herd)
    assert termios.tcgetattr(terminal.slave)[3] & termios.ECHO == 0
    assert terminal.stop() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_control_c_stops_the_program_as_any_other(herd, open_terminal):
    terminal = open_terminal(herd)
    terminal.type(b"\x03")
    assert terminal.process.wait(PATIENCE_S) == 0


def test_the_log_file_holds_log_lines_only(herd, open_terminal):
    terminal = open_terminal(herd)
    terminal.ask("status")
    terminal.ask("help")
    assert terminal.stop() == 0
    for line in terminal.log_path.read_text().splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\S+Z (error|warn|info|debug) \S+", line), line


def test_a_terminal_that_nobody_reads_does_not_stop_the_node(herd, open_terminal):
    """As after ^S."""
    terminal = open_terminal(herd)
    with Client(herd.ports["Solo"][0]) as client:
        for number in range(1000):
            client.iamat(f"device-{number}-{'x' * 50}")
    assert "log level info" in terminal.ask("log")


def test_commands_come_from_a_pipe_when_asked_to(herd, programs, tmp_path):
    argv = [herdlib.BIN / "posix" / "herd", "-c", herd.conf, "--console", "--log-level", "error",
            "Solo"]
    node = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            cwd=tmp_path)
    try:
        node.stdin.write(b"log\nfrobnicate\n")
        node.stdin.close()
        assert node.stdout.readline() == b"log level error\n"
        assert node.stdout.readline() == b"unknown command frobnicate; help lists the commands\n"
        with Client(herd.ports["Solo"][0]) as client:  # the end of its input is not its own
            client.iamat("kiwi")
        node.terminate()
        assert node.stdout.read() == b""
        assert node.wait(PATIENCE_S) == 0
    finally:
        node.kill()
        node.wait()


# --- Configuration -----------------------------------------------------------------------------

def pasted(port):
    return (f"; pasted\n[node Other]\naddress = 127.0.0.1\nport = {port}\nlink_port = {port + 1}\n"
            "[places]\nprovider = none\n")


def listens(port):
    def try_it():
        try:
            with Client(port) as client:
                return client.iamat("kiwi")
        except ConnectionError:
            return None
    return wait_until(try_it, f"port {port} takes commands")


def test_a_setting_is_kept_by_the_state_file(herd, open_terminal, tmp_path):
    port = herdlib.free_port()
    terminal = open_terminal(herd, "Solo", "--state", "solo.state")
    assert terminal.ask("config set node.port=0") == [
        'setting node.port: "0" is not a port; use 1 to 65535']
    assert terminal.ask(f"config set node.port={port}")[0].startswith("valid; config save keeps it")
    assert terminal.ask("reboot") == [
        "there are changes that are not saved: config save, or reboot anyway"]
    assert terminal.ask("config save") == ["saved; reboot puts it into effect"]
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", port=str(port))
    assert listens(port)
    assert terminal.process.poll() is None  # the very same process
    assert terminal.stop() == 0
    again = open_terminal(herd, "Solo", "--state", "solo.state")
    assert f"port = {port}" in again.ask("config show")
    assert "config this node's own" in again.ask("status")
    assert (tmp_path / "solo.state").stat().st_mode & 0o777 == 0o600


def test_without_a_state_file_nothing_can_be_saved(herd, open_terminal):
    terminal = open_terminal(herd)
    assert terminal.ask("config set limits.idle_seconds=9")[0].startswith("valid")
    assert terminal.ask("config save") == ["there is no non-volatile memory"]


def test_a_pasted_herd_file_rollback_and_factory_reset(herd, open_terminal):
    port = herdlib.free_port()
    terminal = open_terminal(herd, "Solo", "--state", "solo.state")
    since = len(terminal.screen)
    terminal.type(b"config load Other\r" + pasted(port).replace("port", "prt", 1).encode() + b".\r")
    terminal.until(b"herd file:4: [node Other] prt: unknown key; did you mean port?", since)
    since = len(terminal.screen)
    terminal.type(b"config load Other\n" + pasted(port).encode() + b".\n")
    terminal.until(b"valid; config save keeps it", since)
    assert terminal.ask("config save") == ["saved; reboot puts it into effect"]
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", name="Other", port=str(port))
    assert listens(port).startswith(b"AT Other ")
    assert terminal.stop() == 0

    terminal = open_terminal(herd, "Solo", "--state", "solo.state")
    assert "[node Other] ; this node" in terminal.ask("config show")
    assert terminal.ask("config rollback")[0].startswith("the configuration before")
    mark = terminal.log.mark()
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", mark, name="Solo")
    since = len(terminal.screen)
    terminal.type(b"\r")
    terminal.until(PROMPT, since)
    assert terminal.ask("config rollback")[0].startswith("the configuration before")
    assert terminal.ask("factory-reset")[0].startswith("this forgets")
    assert terminal.ask("factory-reset yes")[0].startswith("forgotten")
    mark = terminal.log.mark()
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", mark, name="Solo")
    since = len(terminal.screen)
    terminal.type(b"\r")
    terminal.until(PROMPT, since)
    assert terminal.ask("config rollback") == ["there is none"]


def test_a_key_given_at_the_console_asks_the_provider_and_is_never_shown(
        new_herd, new_standin, open_terminal, tmp_path):
    standin = new_standin()
    herd = new_herd(places=standin.places())
    terminal = open_terminal(herd, "Solo", "--state", "solo.state")
    assert "no key" in terminal.ask("places")[0]
    since = len(terminal.screen)
    terminal.type(b"config key\r")
    terminal.until(b"not shown", since)
    terminal.type(herdlib.KEY.encode() + b"\r")
    terminal.until(b"taken; config save keeps it", since)
    terminal.ask("config save")
    mark = terminal.log.mark()
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", mark)
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        assert b'"status":"OK"' in client.whatsat("kiwi").text
    since = len(terminal.screen)
    terminal.type(b"\r")
    terminal.until(PROMPT, since)
    for command in ("config show", "config show new", "places", "status"):
        terminal.ask(command)
    assert herdlib.KEY.encode() not in terminal.screen
    assert herdlib.KEY.encode() not in terminal.log_path.read_bytes()


def test_the_key_of_the_environment_survives_a_reboot(new_herd, new_standin, open_terminal):
    standin = new_standin()
    herd = new_herd(places=standin.places())
    terminal = open_terminal(herd, env={"PLACES_KEY": herdlib.KEY})
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", count=2)
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        assert b'"status":"OK"' in client.whatsat("kiwi").text
    assert herdlib.KEY.encode() not in open(f"/proc/{terminal.process.pid}/environ", "rb").read()


# --- State -------------------------------------------------------------------------------------

def run_node(herd, *options):
    argv = [herdlib.BIN / "posix" / "herd", "-c", herd.conf, *options, "Solo"]
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE_S, text=True, cwd=herd.folder)


def test_the_boot_epoch_counts_starts(herd):
    for epoch in (1, 2, 3):
        node = herd.launch("Solo", "--state", "solo.state")
        assert node.log.wait("nv.ready").has({"epoch": str(epoch), "config": "0"})
        node.log.wait("node.ready")
        if epoch == 2:
            node.kill()  # as a power cut would
        else:
            assert node.stop() == 0


def test_a_state_file_serves_one_node_and_is_one(herd, tmp_path):
    node = herd.launch("Solo", "--state", "solo.state")
    node.log.wait("node.ready")
    second = run_node(herd, "--state", "solo.state")
    assert second.returncode == 2
    assert second.stderr == "herd: solo.state: another node uses this state file\n"
    (tmp_path / "poem").write_text("roses are red")
    wrong = run_node(herd, "--state", "poem")
    assert wrong.returncode == 2
    assert wrong.stderr == "herd: poem: not a state file of herd; name a new one\n"
    assert (tmp_path / "poem").read_text() == "roses are red"


def test_a_state_file_of_noise_counts_as_blank(herd, tmp_path):
    (tmp_path / "solo.state").write_bytes(os.urandom(65536))
    node = herd.launch("Solo", "--state", "solo.state")
    assert node.log.wait("nv.ready").has({"epoch": "1", "config": "0"})
    node.log.wait("node.ready")


# --- Time --------------------------------------------------------------------------------------

class NtpServer:
    """Answers on UDP port 123 of the loopback: `shift` seconds beside the truth; None: not at all."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind(("127.0.0.1", 123))
        except (PermissionError, OSError) as error:
            self.socket.close()
            pytest.skip(f"no port 123 here: {error}")
        self.shift = None
        self.asked = 0
        self.forge = False  # another time stamp than ours comes back
        self.closing = False
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.closing:
            try:
                request, peer = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            assert len(request) == 48 and request[0] & 7 == 3, request
            self.asked += 1
            if self.shift is None:
                continue
            now = time.time() + self.shift + 2208988800
            stamp = struct.pack(">II", int(now) & 0xFFFFFFFF, int(now % 1 * 2**32))
            origin = bytes(8) if self.forge else request[40:48]
            self.socket.sendto(struct.pack(">BBbb", 0x24, 2, 6, -20) + bytes(8) + b"TEST" + stamp
                               + origin + stamp + stamp, peer)

    def close(self):
        self.closing = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def ntp():
    server = NtpServer()
    yield server
    server.close()


def test_before_the_time_is_known_there_is_no_tls_and_whatsat_says_so(
        new_herd, new_standin, ntp, open_terminal):
    standin = new_standin()
    herd = new_herd(herd={"ntp": "127.0.0.1"}, places=standin.places())
    terminal = open_terminal(herd, "Solo", "--no-clock", env={"PLACES_KEY": herdlib.KEY})
    terminal.log.wait("clock.unknown")
    wait_until(lambda: ntp.asked, "it asks")
    assert any(line.startswith("clock unknown: no TLS to the places provider; waiting for NTP server")
               for line in terminal.ask("status"))
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        answer = client.whatsat("kiwi")
        assert b'"status":"UNKNOWN_ERROR"' in answer.text
        assert b"this server does not know the time yet" in answer.text
        assert standin.stats()["connections"] == 0
        ntp.shift = 0
        terminal.log.wait("clock.set", by="sntp", timeout_s=3 * PATIENCE_S)
        assert b'"status":"OK"' in client.whatsat("kiwi").text
        difference = herdlib.parse_at(client.iamat("plum")).difference
        assert abs(difference) < 2
    lines = terminal.ask("time")
    assert " by sntp" in lines[0]
    assert value(lines, "ntp on", "answers") == 1


def test_a_time_before_the_build_and_a_forged_answer_are_refused(new_herd, ntp, open_terminal):
    herd = new_herd(herd={"ntp": "127.0.0.1"})
    ntp.shift = -20 * 365 * 86400
    terminal = open_terminal(herd, "Solo", "--no-clock")
    terminal.log.wait("clock.refused")
    assert any(line.startswith("clock unknown") for line in terminal.ask("time"))
    assert terminal.stop() == 0
    ntp.shift, ntp.forge, ntp.asked = 0, True, 0
    terminal = open_terminal(herd, "Solo", "--no-clock")
    wait_until(lambda: ntp.asked, "it asks")
    time.sleep(0.5)
    assert any(line.startswith("clock unknown") for line in terminal.ask("time"))
    assert value(terminal.ask("time"), "ntp on", "answers") == 0


def test_a_clock_that_is_known_is_still_corrected_when_servers_are_named(new_herd, ntp,
                                                                         open_terminal):
    herd = new_herd(herd={"ntp": "127.0.0.1"})
    ntp.shift = 5000
    terminal = open_terminal(herd)
    terminal.log.wait("clock.set", by="sntp")
    with Client(herd.ports["Solo"][0]) as client:
        difference = herdlib.parse_at(client.iamat("kiwi")).difference
    assert 4990 < difference < 5010  # the node's clock, not the machine's
