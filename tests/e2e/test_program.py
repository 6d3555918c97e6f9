"""The program: options, herd file errors, signals, log."""

import re
import signal
import socket
import subprocess
import time

import pytest

from herdlib import BIN, KEY, PATIENCE_S, ROOT, STOP_S, Client, wait_until


def run(board, *arguments, env=None):
    return subprocess.run([BIN / board / "herd", *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, env=env, errors="backslashreplace")


def one_line(done, status, *words):
    """Checks for one clear line on stderr and nothing on stdout."""
    assert done.returncode == status, done
    assert done.stdout == ""
    assert re.fullmatch(r"herd: [^\n]+\n", done.stderr), done.stderr
    for word in words:
        assert str(word) in done.stderr, done.stderr


# ---- Options ----

def test_help_lists_the_options(board):
    done = run(board, "--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("-c", "--net", "--check", "--log-level", "--log-file", "--set", "--version",
                   "--help"):
        assert option in done.stdout


def test_version_names_libraries_and_trust_anchors(board):
    done = run(board, "--version")
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(r"lwIP 2\.2\.1", done.stdout, re.I)
    assert re.search(r"mbed ?TLS 3\.6\.\d", done.stdout, re.I)
    for anchor in ("GTS Root R1", "GTS Root R4", "GlobalSign"):
        assert anchor in done.stdout


@pytest.mark.parametrize("arguments", [
    [], ["--bogus", "Solo"], ["Solo", "Duo"], ["-c"], ["--log-level", "loud", "Solo"],
    ["--net", "carrier-pigeon", "Solo"], ["--net", "tap", "Solo"], ["--net", "tap=", "Solo"],
    ["--set", "nonsense", "Solo"], ["-c", "/nonexistent", "Solo"]])
def test_bad_usage_is_one_line_and_status_2(board, arguments):
    one_line(run(board, *arguments), 2)


@pytest.mark.parametrize("conf", ["bailey.conf", "bailey-tap.conf", "goloman.conf", "solo.conf"])
def test_check_accepts_the_presets_for_each_of_their_nodes(conf):
    path = ROOT / "tools" / "herds" / conf
    names = re.findall(r"^\[node (\S+)\]", path.read_text(), re.M)
    assert names
    for name in names:
        done = run("posix", "-c", path, "--check", name)
        assert done.returncode == 0, done


def test_check_refuses_a_name_that_is_no_node(new_herd, board):
    herd = new_herd(boards=board)
    one_line(run(board, "-c", herd.conf, "--check", "Nobody"), 2, "Nobody")


GOOD = """[herd]
link_suite = psk
[node A]
address = 127.0.0.1
port = 10000
link_port = 11000
[node B]
address = 127.0.0.1
port = 10001
link_port = 11001
[links]
A = B
[places]
provider = none
"""


@pytest.mark.parametrize("old, new, line", [
    ("[herd]", "[heard]", 1), ("link_suite", "link_suit", 2), ("= psk", "= perhaps", 2),
    ("link_suite = psk", "insecure_links = yes", 2), ("[links]", "[keys A]\nB = 1:00 2:11\n[links]", 11),
    ("[node A]", "[node A B]", 3), ("[node A]", "[node ]", 3), ("[node A]", "[node A", 3),
    ("[node A]", "[node " + "A" * 33 + "]", 3), ("address = 127.0.0.1", "address = 127.0.0.256", 4),
    ("address = 127.0.0.1", "address = localhost", 4), ("port = 10000", "port = 70000", 5),
    ("port = 10000", "port = 0", 5), ("port = 10000", "port = ten", 5), ("port = 10000", "port", 5),
    ("port = 10000", "port = 10000\nport = 10002", 6), ("link_port = 11000", "link_port = -1", 6),
    ("[node B]", "[node A]", 7), ("A = B", "A = C", 12), ("A = B", "A = A", 12),
    ("A = B", "A = B B", 12), ("A = B", "A = B\nB = A", 13), ("= none", "= bing", 14),
    ("= none", "= google\ntimeout_ms = 0", 15), ("= none", "= none\nkey = secret", 15),
    ("[herd]", "[herd]\nreport_bytes = 31", 2), ("[herd]", "[herd]\nreport_bytes = 100000", 2),
    ("[herd]", "[herd]\nskew_max = 0", 2), ("[herd]", "[herd]\nskew_max = 86401", 2),
])
def test_check_names_file_line_and_key_of_an_error(board, tmp_path, old, new, line):
    conf = tmp_path / "bad.conf"
    conf.write_text(GOOD)
    assert run(board, "-c", conf, "--check", "A").returncode == 0
    assert old in GOOD
    conf.write_text(GOOD.replace(old, new, 1))
    done = run(board, "-c", conf, "--check", "A")
    one_line(done, 2, f"bad.conf:{line}: ")


def test_a_bad_set_option_is_refused(board, tmp_path):
    conf = tmp_path / "herd.conf"
    conf.write_text(GOOD)
    for assignment in ("herd.skew=1", "places.port=0", "node.port=x", "herd.skew_max",
                       "nowhere.x=1"):
        one_line(run(board, "-c", conf, "--check", "--set", assignment, "A"), 2)
    assert run(board, "-c", conf, "--check", "--set", "herd.skew_max=5", "A").returncode == 0


def test_a_report_size_that_the_board_cannot_hold_is_refused(tmp_path):
    conf = tmp_path / "herd.conf"
    conf.write_text(GOOD.replace("[herd]", "[herd]\nreport_bytes = 512"))
    assert run("posix", "-c", conf, "--check", "A").returncode == 0
    one_line(run("posix-small", "-c", conf, "--check", "A"), 2, "herd.conf:2: ", "128")


@pytest.mark.net("slirp")  # on a wire all ports are the node's own
@pytest.mark.parametrize("which", ["port", "link_port"])
def test_a_port_in_use_is_one_clear_line(new_herd, board, which):
    herd = new_herd(("A", "B"), (("A", "B"),), board)
    taken = herd.ports["A"][which == "link_port"]
    with socket.create_server(("127.0.0.1", taken)):
        done = run(board, "-c", herd.conf, "--keys", herd.keys_file("A"), "A")
    assert done.returncode == 1
    assert str(taken) in done.stderr and "in use" in done.stderr
    assert done.stderr.startswith("herd: ") and done.stderr.count("\n") == 1
    assert "node.ready" not in done.stdout


@pytest.mark.parametrize("content", [None, "", "two words\n", "caf\u00e9\n"])
def test_a_key_file_that_cannot_be_used_is_one_clear_line(new_herd, tmp_path, content):
    key_file = tmp_path / "key"
    if content is not None:
        key_file.write_text(content)
        key_file.chmod(0o600)
    herd = new_herd(places={"provider": "google", "key_file": key_file})
    done = run("posix", "-c", herd.conf, "Solo")
    assert done.returncode in (1, 2) and "node.ready" not in done.stdout
    assert str(key_file) in done.stderr and done.stderr.count("\n") == 1
    assert "words" not in done.stderr


def test_a_key_file_that_everyone_can_read_is_warned_about(new_herd, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("word\n")
    key_file.chmod(0o644)
    node = new_herd(places={"provider": "google", "key_file": key_file}).start()
    assert re.fullmatch(r"herd: warning: [^\n]*\n", node.errors())
    assert str(key_file) in node.errors()
    node.err_path.write_text("")  # was expected


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_trust_file_that_cannot_be_used_is_one_clear_line(new_herd, tmp_path, content):
    trust_file = tmp_path / "trust.pem"
    if content is not None:
        trust_file.write_text(content)
    herd = new_herd(places={"provider": "google", "trust_file": trust_file})
    done = run("posix", "-c", herd.conf, "Solo", env={"PLACES_KEY": KEY})
    assert done.returncode in (1, 2) and "node.ready" not in done.stdout
    assert done.stderr.startswith("herd: ") and done.stderr.count("\n") == 1, done.stderr


# ---- Signals ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_node_cleanly_within_2_seconds(new_herd, board, how):
    herd = new_herd(("A", "B"), (("A", "B"),), board)
    herd.start()
    herd.linked()
    with Client(herd["A"].port) as client:
        client.iamat("kiwi")
        start = time.monotonic()
        assert herd["A"].stop(how) == 0
        assert time.monotonic() - start < 2
        assert client.is_over()
    assert herd["A"].log.find("node.stopped")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(herd.here("A"))  # nothing listens there any more


def test_a_node_starts_again_on_its_ports_at_once(new_herd, board):
    herd = new_herd(boards=board)
    for _ in range(3):
        node = herd.start()
        with Client(node.port) as client:
            client.iamat("kiwi")
            assert node.stop() == 0


def test_a_closed_stdout_does_not_end_the_node(new_herd, board, tmp_path):
    herd = new_herd(boards=board)
    reader, writer = socket.socketpair()
    log_file = tmp_path / "node.log"
    node = herd.launch("Solo", "--log-file", str(log_file), stdout=writer)
    writer.close()
    reader.settimeout(PATIENCE_S)
    assert reader.recv(1)
    wait_until(lambda: log_file.exists() and b"node.ready" in log_file.read_bytes(), "node.ready",
               check=node.check)
    reader.close()
    with Client(node.port) as client:
        for number in range(100):
            client.iamat(f"d{number}")
    node.check()


def test_sigpipe_is_harmless(new_herd, board):
    node = new_herd(boards=board).start()
    node.process.send_signal(signal.SIGPIPE)
    with Client(node.port) as client:
        client.iamat("kiwi")


def test_a_stdout_that_nobody_reads_does_not_hold_up_the_node(new_herd, board, tmp_path):
    herd = new_herd(boards=board)
    reader, writer = socket.socketpair()
    log_file = tmp_path / "node.log"
    node = herd.launch("Solo", "--log-file", str(log_file), stdout=writer)
    writer.close()
    wait_until(lambda: log_file.exists() and b"node.ready" in log_file.read_bytes(), "node.ready",
               check=node.check)
    with Client(node.port) as client:
        client.feed(b"".join(b"IAMAT d +1+2 %d\n" % i for i in range(5000)))
        assert client.lines(5000)[-1].endswith(b" 4999")
    assert node.stop() == 0
    reader.close()


# ---- Log ----

LINE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn|info|debug) [a-z]+\.[a-z_]+"
                  rb"( [a-z_0-9]+=(\"[^\"]*\"|[^\" ]*))*")


def test_every_log_line_has_the_form_time_level_event_fields(new_herd, board):
    herd = new_herd(("A", "B"), (("A", "B"),), board)
    herd.start()
    herd.linked()
    with Client(herd["A"].port) as client:
        client.iamat("kiwi")
        client.ask(b"huh")
    herd["A"].log.wait("session.ended")
    assert herd["A"].stop() == 0
    lines = herd["A"].log.text().split(b"\n")
    assert lines.pop() == b"" and len(lines) >= 10
    for line in lines:
        assert LINE.fullmatch(line), line
    events = {event.name for event in herd["A"].log.read()}
    assert {"node.start", "node.ready", "link.up", "session.taken", "session.command",
            "session.answer", "session.invalid", "session.ended", "node.stopped"} <= events


def test_commands_and_answers_are_logged(new_herd, board):
    node = new_herd(boards=board).start()
    with Client(node.port) as client:
        at = client.iamat("kiwi")
        assert node.log.wait("session.command").fields["line"].startswith("IAMAT kiwi ")
        assert node.log.wait("session.answer").fields["answer"] == at.decode()


def test_hostile_bytes_are_escaped_in_the_log(new_herd, board):
    node = new_herd(boards=board).start()
    hostile = [b"\x1b[2J\x1b]0;owned\x07", b"a\" level=error event=\"fake", b"\\x41\\",
               b"\xff\xfe\x80", b"\rfake line", b"\x00\x7f\x9b31m",
               b"2026-01-01T00:00:00.000Z error node.failed"]
    with Client(node.port) as client:
        for line in hostile:
            assert client.ask(line) == b"? " + line
        client.iamat("k\u012bwi\x9f")
    node.log.wait("session.ended")
    text = node.log.text()
    assert all(32 <= byte < 127 or byte == 10 for byte in text)
    logged = [event.fields["line"] for event in node.log.find("session.invalid")]
    assert len(logged) == len(hostile)

    def unescaped(value):
        return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]),
                      value.encode())
    assert [unescaped(value) for value in logged] == hostile
    assert not node.log.find("node.failed")


def test_the_log_file_gets_the_same_lines(new_herd, board, tmp_path):
    herd = new_herd(boards=board)
    log_file = tmp_path / "node.log"
    node = herd.launch("Solo", "--log-file", str(log_file))
    node.log.wait("node.ready")
    with Client(node.port) as client:
        client.iamat("kiwi")
    assert node.stop() == 0
    assert log_file.read_bytes() == node.log.text() != b""


def test_a_log_file_that_cannot_be_written_is_one_clear_line(new_herd, board, tmp_path):
    herd = new_herd(boards=board)
    done = run(board, "-c", herd.conf, "--log-file", str(tmp_path), "Solo")
    assert done.returncode in (1, 2) and "node.ready" not in done.stdout
    assert str(tmp_path) in done.stderr and done.stderr.count("\n") == 1


def test_the_log_level_of_the_command_line_overrides_the_herd_file(new_herd, board):
    herd = new_herd(boards=board, log={"level": "debug"})
    node = herd.launch("Solo", "--log-level", "error")

    def answers():
        try:
            with Client(node.port) as client:
                return client.iamat("kiwi")
        except (ConnectionError, AssertionError):
            return None
    wait_until(answers, "the node takes commands", check=node.check)
    assert node.stop() == 0
    assert node.log.text() == b""


def test_a_stop_takes_effect_while_clients_wait_for_places(new_standin, new_herd, board):
    standin = new_standin("--fault", "stall-headers")
    node = new_herd(boards=board, places=standin.places()).start()
    with Client(node.port) as client:
        client.iamat("kiwi")
        client.send(b"WHATSAT kiwi 10 5\n")
        node.log.wait("places.asked")
        start = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - start < min(2, STOP_S)
