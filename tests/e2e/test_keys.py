"""A node and the keys of its links: the file that --keys names, and `keys load` at the console."""

import os
import subprocess

import pytest

import herdlib
from herdlib import BIN, PATIENCE_S
from keyslib import LinkKeys
from linklib import HELLO, Caller, hello
from terminal import PROMPT, Terminal


@pytest.fixture(name="pair")
def fixture_pair(new_herd):
    return new_herd(("A", "B"), (("A", "B"),))


def fails(herd, *options, name="A", board="posix", env=None):
    """Its one line on stderr."""
    done = subprocess.run([str(word) for word in (BIN / board / "herd", "-c", herd.conf, *options, name)],
                          capture_output=True, text=True, timeout=PATIENCE_S, cwd=herd.folder,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 2, done
    assert done.stdout == "" and done.stderr.startswith("herd: ") and done.stderr.count("\n") == 1, done
    return done.stderr.removeprefix("herd: ").strip()


def test_a_node_with_neighbours_and_no_keys_does_not_start_and_says_what_to_do(pair, board):
    assert fails(pair, board=board) == (
        "there are no keys for the link of A with B; links are always authenticated: make key files "
        "with herdctl keys, and give this node its own (herd --keys FILE)")


def test_a_herd_file_is_checked_without_keys(pair, board):
    done = subprocess.run([BIN / board / "herd", "-c", pair.conf, "--check"], capture_output=True,
                          timeout=PATIENCE_S)
    assert done.returncode == 0 and done.stderr == b""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o777])
def test_a_key_file_that_others_can_read_or_change_is_refused(pair, mode):
    path = pair.keys_file("A")
    path.chmod(mode)
    assert fails(pair, "--keys", path) == (
        f"{path}: others can read or change these keys; chmod 600 it, and if somebody may have read it "
        "make new ones (herdctl keys --rotate, twice)")


def test_a_key_file_of_somebody_elses_is_refused(pair):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    path = pair.keys_file("A")
    os.chown(path, 12345, -1)
    assert fails(pair, "--keys", path) == (
        f"{path}: somebody else's file; keys must be this user's own, or root's")


def test_a_key_file_has_to_be_there_and_to_be_a_file(pair, tmp_path):
    assert fails(pair, "--keys", "nowhere") == "nowhere: No such file or directory"
    assert fails(pair, "--keys", tmp_path) == f"{tmp_path}: not a file"
    assert fails(pair, "--keys", "/dev/null") == "/dev/null: not a file"
    (tmp_path / "huge").write_bytes(b";" * 20000)
    (tmp_path / "huge").chmod(0o600)
    assert fails(pair, "--keys", "huge") == "huge: the file is too large"


@pytest.mark.parametrize("text, words", [
    ("[keys B]\n", "line 1: these are the keys of B; this node is A"),
    ("[keys A]\nB = 1:00\n", "line 2: B: not a key; use NUMBER:KEY, number 1 to 65535, key of 64 "
     "hexadecimal digits"),
    ("[keys A]\n", "there are no keys for the link of A with B; links are always authenticated: make "
     "key files with herdctl keys, and give this node its own"),
    ("nonsense\n", "line 1: neither [keys NAME] nor NEIGHBOUR = NUMBER:KEY")])
def test_what_is_wrong_with_a_key_file_is_told_with_its_line_and_without_its_keys(pair, board, text,
                                                                                  words):
    LinkKeys.write_file(pair.keys_file("A"), text)
    assert fails(pair, "--keys", pair.keys_file("A"), board=board) == f"{pair.keys_file('A')}: {words}"


def test_keys_are_nowhere_to_be_seen(pair, tmp_path):
    """Not in the log at its loudest, in the arguments or in the environment."""
    node = pair.launch("A", "--log-level", "debug")
    pair.start("B")
    pair.linked()
    secrets = [pair.keys.key("A", "B", number) for number in (1, 2)]
    seen = (node.log.text() + pair["B"].log.text() + open(f"/proc/{node.pid}/cmdline", "rb").read()
            + open(f"/proc/{node.pid}/environ", "rb").read())
    for secret in secrets:
        assert secret.hex().encode() not in seen.lower() and secret not in seen


def test_keys_of_links_that_are_not_yet_are_no_mistake(new_herd):
    """So that key files can be given before the herd file that needs them."""
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.keys = LinkKeys([("A", "B"), ("A", "Later")])
    herd.keys.write(herd.folder / "keys")
    herd.start()
    herd.linked()


def test_herdctl_makes_keys_that_nodes_take(new_herd):
    herd = new_herd(("A", "B", "C"), (("A", "B"), ("B", "C")))
    for options in ((), ("--rotate",)):
        done = subprocess.run([BIN / "tools" / "herdctl", "keys", "-c", herd.conf, *options,
                               herd.folder / "own"], capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done
    for name in herd.names:
        (herd.folder / "own" / f"{name}.keys").rename(herd.keys_file(name))
    herd.start()
    herd.linked()


# ---- At the console ----

pytest_slirp = pytest.mark.net("slirp")


@pytest.fixture(name="console")
def fixture_console(tmp_path):
    started = []

    def start(herd, name, *options):
        terminal = Terminal(herd.conf, name, *options, folder=tmp_path)
        started.append(terminal)
        return terminal.ready()
    yield start
    for terminal in started:
        terminal.end()


def load(terminal, text, answer):
    since = len(terminal.screen)
    terminal.type(b"keys load\r")
    terminal.until(b"it is not shown", since)
    terminal.type(text.replace("\n", "\r").encode() + b".\r")
    terminal.until(answer.encode(), since)
    terminal.until(PROMPT, since)


@pytest_slirp
def test_keys_loaded_at_the_console_are_kept_and_used_after_the_reboot(pair, console):
    """Also: what --keys says counts when the node has none of its own."""
    pair.start("B")
    terminal = console(pair, "A", *pair.keys_options("A"), "--state", "a.state")
    terminal.log.wait("link.up", peer="B")
    assert {"link B current=1 next=2", "keys of the factory"} <= set(terminal.ask("keys"))
    load(terminal, "[keys B]\nA = 1:00\n", "line 2 is none of a key file's")
    load(terminal, pair.keys.text("B"), "these are the keys of B; this node is A")
    pair.keys.rotate()
    load(terminal, pair.keys.text("A"), "valid; config save keeps it")
    assert "link B current=1 next=2" in terminal.ask("keys")  # still
    assert terminal.ask("config save") == ["saved; reboot puts it into effect"]
    mark = terminal.log.mark()
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", mark)
    terminal.log.wait("link.up", mark, peer="B")  # by the key that B knows as its next
    since = len(terminal.screen)
    terminal.type(b"\r")
    terminal.until(PROMPT, since)
    assert {"link B current=2 next=3",
            "keys of the node's own; they replace the factory's"} <= set(terminal.ask("keys"))
    terminal.ask("config show")
    terminal.ask("status")
    terminal.ask("links")
    for number in (1, 2, 3):
        assert pair.keys.key("A", "B", number).hex().encode() not in terminal.screen
    assert terminal.stop() == 0
    again = console(pair, "A", "--state", "a.state")  # they are enough without --keys
    again.log.wait("link.up", peer="B")


@pytest_slirp
def test_a_reboot_reads_the_key_file_again(pair, console):
    pair.start("B")
    terminal = console(pair, "A", *pair.keys_options("A"))
    terminal.log.wait("link.up", peer="B")
    pair.keys.rotate()
    pair.keys.write(pair.folder / "keys", "A")
    mark = terminal.log.mark()
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", mark)
    terminal.log.wait("link.up", mark, peer="B", dialled="yes")
    since = len(terminal.screen)
    terminal.type(b"\r")
    terminal.until(PROMPT, since)
    assert "link B current=2 next=3" in terminal.ask("keys")


@pytest_slirp
def test_a_configuration_is_not_saved_without_the_keys_that_it_needs(new_herd, console):
    herd = new_herd(("Solo",))
    terminal = console(herd, "Solo", "--state", "solo.state")
    port = herdlib.free_port()
    text = "".join(f"[node {name}]\naddress = 127.0.0.1\nport = {port + 2 * i}\n"
                   f"link_port = {port + 2 * i + 1}\n" for i, name in enumerate(("Solo", "Duo")))
    since = len(terminal.screen)
    terminal.type(b"config load\r" + text.replace("\n", "\r").encode()
                  + b"[links]\rSolo = Duo\r[places]\rprovider = none\r.\r")
    terminal.until(b"valid; config save keeps it", since)
    assert terminal.ask("config save")[0].startswith("there are no keys for the link of Solo with Duo;")
    load(terminal, LinkKeys([("Solo", "Duo")]).text("Solo"), "valid; config save keeps it")
    assert terminal.ask("config save") == ["saved; reboot puts it into effect"]
    terminal.type(b"reboot\r")
    terminal.log.wait("node.ready", port=str(port))


# ---- Suites ----

@pytest.mark.parametrize("suite", ["psk", "ecdhe-psk"])
def test_a_link_has_the_suite_of_the_herd_file_and_no_other(new_herd, suite):
    herd = new_herd(("A", "B", "Carol"), (("A", "B"), ("A", "Carol")), herd={"link_suite": suite})
    herd.start("A", "B")
    herd.linked("A", "B")
    assert herd["A"].log.find("link.up", peer="B", suite=suite)
    assert herd["B"].log.find("link.up", peer="A", suite=suite)
    with Caller(herd["A"]) as caller:
        assert caller.tls.suite == suite
        caller.send(hello())
        assert caller.frame()[0] == HELLO
        herd["A"].log.wait("link.up", peer="Carol", suite=suite)


def test_each_link_may_have_its_own(new_herd):
    herd = new_herd(("A", "B", "C"), (("A", "B"), ("A", "C")))
    text = herd.conf.read_text()
    assert "A = B C\n" in text
    herd.conf.write_text(text.replace("A = B C\n", "A = B:ecdhe-psk C\n"))
    herd.start()
    herd.linked()
    for one, other, suite in (("A", "B", "ecdhe-psk"), ("A", "C", "psk")):
        assert herd[one].log.find("link.up", peer=other, suite=suite)
        assert herd[other].log.find("link.up", peer=one, suite=suite)
    at = herd.client("B").iamat("kiwi")
    herd.knows("C", "kiwi", at)
