"""A board from the bag to a member of a herd: its configuration and seed come by the console on its
emulated UART, or by `make firmware`, and stay on its EEPROM or card when QEMU is killed."""

import os
import re
import secrets
import subprocess

import pytest

import herdlib
from herdlib import ROOT, Client, Event, wait_until
from terminal import PROMPT, Terminal

BOARDS = os.environ.get("HERD_BOARDS", "mps2-an385 lm3s6965evb").split()
SEED = secrets.token_hex(32)


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


class Console(Terminal):
    """A board's UART. Each start is a new one; what the board keeps is in `folder`."""

    def __init__(self, board, folder, *options, conf=None, name=None, keeps=True, env=None):
        state = ["--state", folder / "state"] if keeps else []
        super().__init__(conf, name, *state, *options, folder=folder, board=board, env=env)
        self.prompt()

    def prompt(self, since=0):
        """Waits for the board's start, and has its prompt: the first Enter shows one, and is a line."""
        self.until(b"Enter gives a prompt", since)
        typed = len(self.screen)
        self.type(b"\r")

        def has_two():
            self.read(0)
            rows = self.rows(typed)
            return rows[-1] == PROMPT and PROMPT in rows[:-1]
        wait_until(has_two, "a prompt", check=self.check)
        return self

    def event(self, name, since=0, /, **fields):
        """The first such event of the log on the screen."""
        def found():
            self.read(0)
            for row in self.rows(since):
                match = re.search(rb"\d{4}-\d\d-\d\dT.*", row)
                event = Event(match.group().decode()) if match else None
                if event and event.name == name and event.has(fields):
                    return event
            return None
        return wait_until(found, f"{name} {fields}", check=self.check)

    def paste(self, command, text, answer):
        """A command that takes lines, and what it says behind the last one."""
        since = len(self.screen)
        self.type(command.encode() + b"\r" + text.replace("\n", "\r").encode() + b".\r")
        return self.until(answer.encode(), since)

    def give_seed(self, seed, answer):
        since = len(self.screen)
        self.type(b"seed\r")
        self.until(b"not shown", since)
        self.type(seed.encode() + b"\r")
        self.until(answer.encode(), since)

    def reboot(self):
        since = len(self.screen)
        self.type(b"reboot\r")
        self.prompt(since)
        return since

    def kill(self):
        """As when the plug is pulled."""
        self.process.kill()
        self.process.wait()
        self.read(0)


@pytest.fixture
def consoles():
    started = []
    yield started
    for console in started:
        console.end()


@pytest.fixture
def plug_in(consoles, tmp_path, board):
    """Starts the board; by itself it has neither configuration nor seed nor a herd file at hand."""
    def start(herd, *options, image=None, **named):
        words = list(options)
        if "conf" not in named:
            ports = [port for name in herd.names if herd.boards[name] == board
                     for port in herd.ports[name]]
            words += ["--image", image or herdlib.BIN / "boards" / board / "herd.bin", *ports]
        consoles.append(Console(board, tmp_path, "--no-seed", *words, **named))
        return consoles[-1]
    return start


@pytest.fixture
def pair(new_herd, board):
    """A herd of the board and a program, and the ports of the board under another name. The only herd
    file here: what a console is given is its text."""
    return new_herd(("Quito", "Oslo"), (("Quito", "Oslo"),), {"Quito": board, "Oslo": "posix"})


def load(console, herd, node="Quito"):
    console.paste(f"config load {node}", herd.conf.read_text(), "valid; config save keeps it")
    console.paste("keys load", herd.keys.text(node), "valid; config save keeps it")
    assert console.ask("config save") == ["saved; reboot puts it into effect"]


def says(console, command, *starts):
    lines = console.ask(command)
    for start in starts:
        assert any(line.startswith(start) for line in lines), lines


def is_member(console, herd, device, since=0):
    """It takes a report, and the program hears of it."""
    console.event("node.ready", since, name="Quito", port=str(int(herd.ports["Quito"][0])))
    console.event("link.up", since, peer="Oslo")
    with Client(herd.ports["Quito"][0]) as client:
        at = client.iamat(device)
    herd.knows("Oslo", device, at)


def test_an_image_without_a_configuration_becomes_a_member_at_its_console(plug_in, pair):
    pair.start("Oslo")
    console = plug_in(pair)
    assert "config load at the console" in console.event("setup.needed").fields["meaning"]
    assert "seed" in console.event("entropy.missing").fields["meaning"]
    says(console, "status", "config none: config load takes a herd file", "memory ready epoch=1",
         "entropy no")

    console.give_seed("too short", "not enough: 32 characters or more")
    console.give_seed("a" * 64, "not enough: 32 characters or more")
    says(console, "status", "entropy no")
    console.give_seed(SEED, "taken, and a successor is kept for the next start")
    says(console, "status", "entropy seed")

    text = pair.conf.read_text()
    console.paste("config load Quito", text.replace("link_port", "lnk_port", 1),
                  "lnk_port: unknown key; did you mean link_port?")
    console.paste("config load Lima", text, "\"Lima\" is not a node of this herd")
    says(console, "status", "config none", "entropy seed")  # nothing lost, nothing half taken
    assert console.ask("config save") != ["saved; reboot puts it into effect"]
    load(console, pair)
    since = console.reboot()
    is_member(console, pair, "first", since)
    assert SEED.encode() not in console.screen

    console.kill()
    console = plug_in(pair)
    assert console.event("nv.ready").fields["config"] == "1"
    is_member(console, pair, "second")
    says(console, "status", "config this node's own", "memory ready epoch=3", "entropy seed")
    assert b"entropy.missing" not in console.screen


def test_settings_are_shown_set_and_rolled_back_and_survive_the_plug(plug_in, pair):
    pair.start("Oslo")
    console = plug_in(pair)
    console.give_seed(SEED, "taken, and a successor is kept")
    load(console, pair)
    console.reboot()
    assert "idle_seconds = 77" not in console.ask("config show")
    assert "not a" in console.ask("config set limits.idle_seconds=soon")[0]
    assert console.ask("config set limits.idle_seconds=77")[0].startswith("valid")
    assert "idle_seconds = 77" in console.ask("config show new")
    assert console.ask("reboot") == [
        "there are changes that are not saved: config save, or reboot anyway"]

    console.kill()  # before it was saved
    console = plug_in(pair)
    assert "idle_seconds = 77" not in console.ask("config show new")
    assert console.ask("config set limits.idle_seconds=77")[0].startswith("valid")
    assert console.ask("config save") == ["saved; reboot puts it into effect"]

    console.kill()  # as soon as it was
    console = plug_in(pair)
    assert "idle_seconds = 77" in console.ask("config show")
    assert "[node Quito] ; this node" in console.ask("config show")
    is_member(console, pair, "with")
    assert console.ask("config rollback")[0].startswith("the configuration before")

    console.kill()
    console = plug_in(pair)
    assert "idle_seconds = 77" not in console.ask("config show")
    is_member(console, pair, "without")


def test_after_a_factory_reset_it_is_set_up_from_the_console_alone_again(plug_in, pair):
    pair.start("Oslo")
    console = plug_in(pair)
    console.give_seed(SEED, "taken, and a successor is kept")
    load(console, pair)
    is_member(console, pair, "before", console.reboot())
    assert console.ask("factory-reset")[0].startswith("this forgets")
    assert console.ask("factory-reset yes")[0].startswith("forgotten")

    console.kill()
    console = plug_in(pair)
    console.event("setup.needed")
    assert console.ask("config rollback") == ["there is none"]
    says(console, "status", "config none", "entropy seed")  # the seed stays
    load(console, pair)
    is_member(console, pair, "after", console.reboot())


def test_without_a_medium_nothing_is_kept_and_the_console_says_so(plug_in, pair):
    console = plug_in(pair, keeps=False)
    console.give_seed(SEED, "taken for now, but not kept for the next start")
    console.paste("config load Quito", pair.conf.read_text(), "valid; config save keeps it")
    assert console.ask("config save")[0].startswith("there are no keys for the link of Quito with Oslo")
    console.paste("keys load", pair.keys.text("Quito"), "valid; config save keeps it")
    assert console.ask("config save") == ["there is no non-volatile memory"]
    says(console, "status", "memory there is no non-volatile memory", "entropy seed")


def firmware(board, herd, node, *settings):
    """`make firmware`: its image."""
    name, profile = (board.removesuffix("-small"), "small") if board.endswith("-small") else (board, "")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")
             and key not in ("BOARD", "PROFILE", "HERD", "NODE", "KEYS")}
    made = subprocess.run(["make", "--no-print-directory", "-C", ROOT, "firmware", f"BOARD={name}",
                           f"PROFILE={profile}", f"HERD={herd.conf}", f"NODE={node}",
                           f"KEYS={herd.folder / 'keys'}" if herd.keys_options(node) else "KEYS=",
                           f"SETTINGS={' '.join(settings)}"],
                          env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    image = ROOT / made.stdout.split()[-1]
    assert image == ROOT / "build/boards" / board / node / "herd.bin", made.stdout
    return image


def test_the_configuration_of_make_firmware_is_overridden_at_the_console(plug_in, pair, board):
    pair.start("Oslo")
    image = firmware(board, pair, "Quito", "limits.idle_seconds=55")
    console = plug_in(pair, image=image)
    console.give_seed(SEED, "taken, and a successor is kept")
    is_member(console, pair, "factory")
    says(console, "status", "config the factory's")
    assert "idle_seconds = 55" in console.ask("config show")
    assert console.ask("config set limits.idle_seconds=66")[0].startswith("valid")
    assert console.ask("config save") == ["saved; reboot puts it into effect"]

    console.kill()
    console = plug_in(pair, image=image)
    assert "idle_seconds = 66" in console.ask("config show")
    is_member(console, pair, "own")
    says(console, "status", "config this node's own")
    assert console.ask("factory-reset yes")[0].startswith("forgotten")
    since = console.reboot()
    assert "idle_seconds = 55" in console.ask("config show")
    is_member(console, pair, "factory-again", since)


def test_a_seed_that_was_kept_is_enough_for_tls(plug_in, new_herd, new_standin, board):
    if board in herdlib.NO_UPSTREAM:
        pytest.skip("it has no TLS to an upstream")
    herd = new_herd(boards=board, places=new_standin().places())
    named = {"conf": herd.conf, "name": "Solo", "env": {"PLACES_KEY": herdlib.KEY}}
    console = plug_in(herd, **named)
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        assert b"no entropy for TLS" in client.whatsat("kiwi").text
        console.give_seed(SEED, "taken, and a successor is kept")
        assert b'"status":"OK"' in client.whatsat("kiwi").text
    console.kill()
    console = plug_in(herd, **named)
    with Client(herd.ports["Solo"][0]) as client:
        client.iamat("kiwi")
        assert b'"status":"OK"' in client.whatsat("kiwi").text
    assert b"entropy.missing" not in console.screen
