"""herdctl: the node, the herd file, time-outs; errors say what to do."""

import re
import socket
import time

import pytest

from herdctl_common import (AT, AnswerNode, FakeNode, fixture_node, herd_file, herdctl,
                            long_track, one_object)  # noqa: F401


# the node, the herd file, time-outs

def test_nothing_listening_ends_with_3_and_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = herdctl("--at", "127.0.0.1:%d" % port, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"make run" in done.stderr


@pytest.mark.parametrize("command", [["iamat", "kiwi", "1", "2"], ["whatsat", "kiwi", "1", "2"]])
def test_a_node_that_does_not_answer_ends_with_3_in_time(command):
    with FakeNode(mute=True) as node:
        start = time.monotonic()
        done = herdctl("--at", node.at, "--timeout", "1", *command)
        assert done.returncode == 3
        assert 0.9 < time.monotonic() - start < 3
        assert b"no answer from" in done.stderr


def test_replay_into_a_node_that_does_not_answer_ends_with_3_in_time(tmp_path):
    with FakeNode(mute=True) as node:
        start = time.monotonic()
        done = herdctl("--at", node.at, "--timeout", "1", "replay", long_track(tmp_path, 500),
                       "--as", "d")
        assert done.returncode == 3
        assert 0.9 < time.monotonic() - start < 3
        assert len(node.lines) <= 64


def test_something_that_is_no_node_of_herd_ends_with_1(tmp_path):
    with FakeNode(greeting=b"SSH-2.0-OpenSSH_9.2\r\n", mute=True) as node:
        for command in (["iamat", "kiwi", "1", "2"],
                        ["replay", long_track(tmp_path, 3), "--as", "d"]):
            done = herdctl("--at", node.at, *command)
            assert done.returncode == 1, command
            assert b"port for clients" in done.stderr


def test_nodes_are_found_by_name_in_the_herd_file(node, tmp_path):
    path = herd_file(tmp_path, node.port, "[links]\nFake = Idle\n[later]\nwhat = ever\n")
    for way in ({"env": {"HERD_FILE": path}}, {"env": {}}):
        options = [] if way["env"] else ["-c", path]
        done = herdctl(*options, "iamat", "kiwi", "1", "2", "--time", "3", "--at=Fake", **way)
        assert done.returncode == 0, done.stderr
    assert len(node.lines) == 2


def test_without_at_the_first_node_of_the_herd_file_is_asked(tmp_path):
    done = herdctl("-c", herd_file(tmp_path, 2), "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"Idle at 127.0.0.1:1:" in done.stderr


def test_an_unknown_node_is_answered_with_the_names_there_are():
    done = herdctl("-c", "tools/herds/goloman.conf", "--at", "Clark", "iamat", "kiwi", "1", "2")
    assert done.returncode == 2
    assert b"Goloman Hands Holiday Welsh Wilkes" in done.stderr


def test_a_missing_herd_file_is_one_clear_line(tmp_path):
    done = herdctl("-c", "/nowhere/herd.conf", "iamat", "kiwi", "1", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (b"herdctl: cannot read the herd file /nowhere/herd.conf: "
                           b"No such file or directory\n")


@pytest.mark.parametrize("text, line", [
    ("[node A]\nport = 70000\n", 2), ("[node A]\nport = 1\naddress = localhost\n", 3),
    ("[node A b]\nport = 1\n", 2), ("port\n", 1)])
def test_a_bad_herd_file_is_named_with_its_line(tmp_path, text, line):
    path = tmp_path / "bad.conf"
    path.write_text(text)
    done = herdctl("-c", str(path), "iamat", "kiwi", "1", "2")
    assert done.returncode == 2
    assert ("bad.conf:%d: " % line).encode() in done.stderr


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["iamat"], ["iamat", "kiwi", "1"], ["iamat", "kiwi", "1", "2", "3"],
    ["whatsat", "kiwi"], ["replay"], ["replay", "x.gpx"], ["--nope"], ["--at"],
    ["replay", "/nowhere.gpx", "--as", "d"], ["replay", "/", "--as", "d"],
    ["iamat", "kiwi", "1", "2", "--speed", "1"], ["whatsat", "kiwi", "1", "2", "--time", "1"],
    ["iamat", "kiwi", "1", "2", "--at", "localhost:1"], ["iamat", "kiwi", "1", "2", "--at", ":"],
    ["iamat", "kiwi", "1", "2", "--timeout", "0"], ["iamat", "kiwi", "1", "2", "--timeout", "x"],
    ["--help=yes"], ["a", "b", "c", "d", "e", "f"]])
def test_wrong_arguments_end_with_2_and_one_or_two_lines(node, arguments):
    if "--at" not in arguments:
        arguments = ["--at", node.at, *arguments]
    done = herdctl(*arguments)
    assert done.returncode == 2
    assert done.stdout == b"" or done.stdout.startswith(b"0 sent")
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert node.lines == []


@pytest.mark.parametrize("command", [None, "iamat", "whatsat", "replay"])
def test_help_has_examples_and_needs_no_herd(command, tmp_path):
    done = herdctl(*([command] if command else []), "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"herdctl" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_full_disk_is_not_taken_for_success(node):
    with open("/dev/full", "wb") as full:
        for options in ([], ["--json"]):
            done = herdctl("--at", node.at, *options, "iamat", "kiwi", "1", "2", stdout=full)
            assert done.returncode == 4
            assert b"cannot write the answer to stdout: No space left" in done.stderr


def test_a_long_answer_on_a_full_disk_is_said_too():
    with AnswerNode(AT + b'{"x":"' + b"y" * 20000 + b'"}\n\n') as node:
        with open("/dev/full", "wb") as full:
            done = herdctl("--at", node.at, "whatsat", "kiwi", "1", "2", stdout=full)
    assert done.returncode == 4
    assert b"cannot write the answer" in done.stderr


# errors say what to do

@pytest.mark.parametrize("arguments, words", [
    (["iamat", "kiwi", "91", "0"], [b"LAT is '91'", b"LAT goes before LON"]),
    (["iamat", "kiwi", "-118.4", "34.06"], [b"LAT is '-118.4'", b"LAT goes before LON"]),
    (["iamat", "kiwi", "34,06", "1"], [b"LAT is '34,06'", b"from -90 (south) to 90"]),
    (["iamat", "kiwi", "34", "118W"], [b"LON is '118W'", b"from -180 (west) to 180"]),
    (["iamat", "kiwi", "1", "0." + "1" * 200], [b"at most 125"]),
    (["iamat", "kiwi", "1", "2", "--time", "2026-01-02"], [b"--time is '2026", b"date +%s.%N"]),
    (["iamat", "kiwi", "34.06-118.44"], [b"3 arguments, not 2", b"iamat ID LAT LON"]),
    (["iamat", "k" * 1025, "1", "2"], [b"1 to 1024 bytes"]),
    (["whatsat", "kiwi", "51", "5"], [b"KM is '51'", b"from 0 to 50"]),
    (["whatsat", "kiwi", "5", "21"], [b"N is '21'", b"from 0 to 20"]),
    (["replay", "walk.gpx"], [b"--as ID", b"replay walk.gpx --as walker"]),
    (["replay"], [b"1 argument, not 0"]),
    (["fly"], [b"iamat, whatsat, replay and keys", b"--help"]),
    ([], [b"iamat, whatsat, replay and keys", b"--help"]),
    (["iamat", "kiwi", "1", "2", "--at", "clark"], [b"it is written Clark"]),
    (["iamat", "kiwi", "1", "2", "--at", "Nobody"], [b"Bailey Bona Campbell Clark Jaquez"]),
    (["iamat", "kiwi", "1", "2", "--at", "127.0.0.1"], [b"--at 127.0.0.1:10000"]),
    (["iamat", "kiwi", "1", "2", "--at", "localhost:10000"], [b"not looked up", b"127.0.0.1:"]),
    (["iamat", "kiwi", "1", "2", "--at", "127.0.0.1:99999"], [b"IPv4 ADDRESS:PORT"]),
    (["iamat", "kiwi", "1", "2", "--at", "[::1]:10000"], [b"IPv4 ADDRESS:PORT"]),
    (["iamat", "kiwi", "1", "2", "--timeout", "0"], [b"--timeout", b"from 1 to 86400"]),
    (["iamat", "kiwi", "1", "2", "--verbose"], [b"--verbose", b"--help"]),
])
def test_a_wrong_argument_is_told_what_would_be_right(arguments, words):
    done = herdctl(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    for word in words:
        assert word in done.stderr
    assert done.stderr.startswith(b"herdctl: ") and done.stderr.count(b"\n") == 1


def test_a_missing_default_herd_file_says_how_to_name_one(tmp_path):
    done = herdctl("iamat", "kiwi", "1", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert b"tools/herds/bailey.conf: No such file" in done.stderr
    assert b"-c FILE" in done.stderr and b"--at ADDRESS:PORT" in done.stderr


def test_a_missing_herd_file_of_the_environment_says_where_its_name_comes_from():
    done = herdctl("iamat", "kiwi", "1", "2", env={"HERD_FILE": "/nowhere/herd.conf"})
    assert done.returncode == 2
    assert b"environment's HERD_FILE" in done.stderr


def test_a_refused_connection_names_the_herd_file_that_it_trusted(tmp_path):
    path = herd_file(tmp_path, 2)
    done = herdctl("-c", path, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"nothing listens there" in done.stderr and path.encode() in done.stderr


def test_a_host_that_does_not_answer_ends_with_3_in_time():
    with socket.socket() as full:  # nobody accepts, and the queue is full: SYNs go unanswered
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        start = time.monotonic()
        done = herdctl("--at", "127.0.0.1:%d" % full.getsockname()[1], "--timeout", "1", "iamat",
                       "kiwi", "1", "2")
        for one in waiting:
            one.close()
    assert done.returncode == 3
    assert 0.9 < time.monotonic() - start < 3
    assert b"nothing answered within 1 s" in done.stderr and b"--timeout" in done.stderr


def test_a_connection_closed_without_an_answer_asks_for_the_port():
    with AnswerNode(b"", close=True) as node:
        done = herdctl("--at", node.at, "iamat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"not link_port" in done.stderr


def test_an_answer_cut_after_the_at_line_ends_with_3():
    with AnswerNode(AT + b'{"results":', close=True) as node:
        done = herdctl("--at", node.at, "whatsat", "kiwi", "1", "2")
    assert done.returncode == 3
    assert b"before it had answered everything" in done.stderr


def test_bytes_of_a_node_cannot_reach_the_terminal_through_errors(tmp_path):
    for reply in (b"? \x1b]0;owned\x07\xff\xc2\x9b\n", b"HTTP\x1b[2J\n"):
        with AnswerNode(reply) as node:
            done = herdctl("--at", node.at, "replay", long_track(tmp_path, 3), "--as", "d")
        assert done.returncode == 1
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", done.stderr)
        assert b"\\x1B" in done.stderr
        done.stderr.decode()


@pytest.mark.parametrize("reply", [
    b"AT\n", b"AT Fake\n", b"AT Fake +1 kiwi +1+2\n", b"AT Fake +1 kiwi 1+2 3\n",
    b"AT Fake +1 kiwi +1 3\n", b"AT Fake +1 kiwi +1+2 3 4\n", b"AT Fake +1 kiwi +1+2x 3\n",
    b"AT Fake +1 kiwi +.-. 3\n", b"AT Fake +1 kiwi +1+2 1e3\n", b" AT Fake +1 kiwi +1+2 3\n",
    b"\n", b"\0\n", b"HTTP/1.1 400 Bad Request\r\n", b"x" * 2000000 + b"\n"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_no_answer_of_a_node_ends_with_1(tmp_path, reply, options):
    with AnswerNode(reply) as node:
        for command in (["iamat", "kiwi", "1", "2"], ["whatsat", "kiwi", "1", "2"],
                        ["replay", long_track(tmp_path, 2), "--as", "d"]):
            done = herdctl("--at", node.at, *options, *command)
            assert done.returncode == 1, command
            if options:
                one_object(done)
