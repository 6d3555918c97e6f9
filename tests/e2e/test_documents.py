"""What the documents tell people to type is typed, and what they say comes is what comes.

Every code block of the documents below is run by one of the functions here; a block that none of
them knows is a failure. Blocks marked `console` hold commands behind `$ ` and what each prints;
other blocks have a function of their own in BLOCKS, by document and first line.

What may differ from the document, and nothing else (see `normal`):
- differences of clocks (+0.000263873): the first one becomes <difference 1>, and so on, so that
  equal ones have to stay equal;
- stamps that herdctl takes from the clock: any that no command of the block contains becomes <now>.

`make run` is what starts the herd here, by the command that it runs (herd-run, on the ports of the
document, in the test's own network namespace). `make test` would run this test: it is only checked
to exist. Commands are run in a folder with links named `build` and `tools`, as in the project.
"""

import json
import os
import re
import signal
import socket
import subprocess

import pytest

import wire
from herdlib import BIN, CERTS, PATIENCE_S, ROOT, Client, Program, Programs, parse_at, wait_until
from terminal import Terminal

DOCUMENTS = ("README.md", "firmware/PROTOCOL.md", "tools/places-standin/README.md", "hal/README.md",
             "firmware/DESIGN.md")
BAILEY = {"Bailey": 10000, "Bona": 10001, "Campbell": 10002, "Clark": 10003, "Jaquez": 10004}
KIWI = "kiwi.cs.ucla.edu"


# ---- Blocks ----

class Block:
    def __init__(self, document, line, kind, lines):
        self.document, self.line, self.kind, self.lines = document, line, kind, lines
        self.text = "\n".join(lines) + "\n"

    def __repr__(self):
        return f"{self.document}:{self.line}"

    @property
    def first(self):
        return self.lines[0]


def blocks_of(document):
    """Fenced blocks, with the word behind the fence as kind, and indented ones, of kind ''."""
    blocks, lines = [], (ROOT / document).read_text().splitlines()
    at = 0
    while at < len(lines):
        fence = re.fullmatch(r"( *)(```+|~~~+)(\S*)", lines[at])
        if fence:
            end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == fence[2])
            blocks.append(Block(document, at + 1, fence[3] or "text", lines[at + 1:end]))
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (not lines[end].strip() or lines[end].startswith("    ")):
                end += 1
            while not lines[end - 1].strip():
                end -= 1
            blocks.append(Block(document, at + 1, "", [line[4:] for line in lines[at:end]]))
            at = end
        else:
            at += 1
    return blocks


def commands_of(block):
    """[(command, what it prints)] of a console block."""
    commands = []
    for line in block.lines:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            assert commands, f"{block}: output without a command"
            commands[-1][1].append(line)
    return [(command, "".join(line + "\n" for line in output)) for command, output in commands]


def normal(text, known_stamps):
    """Without what varies; see the head of this file."""
    differences = {}

    def difference(match):
        return differences.setdefault(match[0], f"<difference {len(differences) + 1}>")

    def stamp(match):
        return match[0] if match[0] in known_stamps else "<now>"
    text = re.sub(r"(?<=\bAT \w{4} )[+-]\d+\.\d{9}|(?<= )[+-]\d+\.\d{9}(?= )", difference, text)
    return re.sub(r"\b\d{10}\.\d{9}\b", stamp, text)


def test_only_what_may_vary_is_normalised():
    line = "AT Clark +0.263873386 kiwi +34.068930-118.445127 1621464827.959498503"
    at = "AT Clark <difference 1> kiwi +34.068930-118.445127"
    assert normal(line, {"1621464827.959498503"}) == f"{at} 1621464827.959498503"
    assert normal(line, {}) == f"{at} <now>"
    other = line.replace("+0.2", "-0.3")
    assert normal(f"{line}\n{other}\n{line}", {}).count("<difference 1>") == 2
    exact = "lat 34.0686985 place ChIJOlSa6i3 12345"
    assert normal(exact, {}) == exact
    assert normal("AT Clark +0.26 kiwi +34.068930000-118.445127000 1", {}) == (
        "AT Clark +0.26 kiwi +34.068930000-118.445127000 1")


def test_blocks_are_found():
    kinds = {document: [block.kind for block in blocks_of(document)] for document in DOCUMENTS}
    assert kinds["README.md"].count("console") >= 3 and "ini" in kinds["README.md"]
    assert len(kinds["README.md"]) >= 7 and len(kinds["firmware/PROTOCOL.md"]) >= 2
    text = (ROOT / "README.md").read_text()
    assert text.count("```") == 2 * sum(kind != "" for kind in kinds["README.md"])


# ---- A folder in which commands run ----

def is_alone():
    """In a network namespace of the test's own."""
    return [name for _, name in socket.if_nameindex()] == ["lo"]


class World:
    """The folder, and the programs that run for a document."""

    def __init__(self, folder):
        self.folder = folder
        self.programs = Programs(folder)
        (folder / "tools").symlink_to(ROOT / "tools")
        (folder / "firmware").symlink_to(ROOT / "firmware")
        build = folder / "build"
        build.mkdir()
        for name in ("posix", "tools"):
            (build / name).symlink_to(BIN / name)
        (build / "certs").symlink_to(CERTS)
        self.launcher = None
        self.ports = {}

    def run(self, command, timeout_s=PATIENCE_S):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("PLACES_KEY", "HERD_FILE")}
        return subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s)

    def start(self, command, name):
        """A program that goes on; `exec`, so that signals reach it and no shell."""
        program = Program(name, ["sh", "-c", f"exec {command}"], self.folder)
        return self.programs.add(program)

    def make_run(self, *options, conf="tools/herds/bailey.conf", ports=None):
        """What `make run` starts."""
        self.end_herd()
        self.ports = ports or BAILEY
        for port in self.ports.values():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    why = f"port {port}, which is in the documents, is in use"
                    assert not is_alone(), why
                    pytest.skip(f"{why} on this machine")
        self.launcher = self.start(" ".join(["build/tools/herd-run", *options, conf]), "herd-run")
        wait_until(lambda: b"herd is ready" in self.launcher.log.text(), "herd is ready",
                   check=self.launcher.check)

    def herd(self):
        if not self.launcher:
            self.make_run()

    def end_herd(self):
        if self.launcher:
            assert self.launcher.stop(signal.SIGINT) == 0, "as Ctrl-C does"
            self.launcher = None

    def known_everywhere(self, device):
        """Waits until all nodes say the same of a device; people type slower than herds tell."""
        def agreed():
            answers = set()
            for port in self.ports.values():
                with Client(port) as client:
                    answers.add(client.known(device))
            return len(answers) == 1 and None not in answers
        wait_until(agreed, f"all know {device}")


@pytest.fixture(name="world")
def fixture_world(tmp_path):
    world = World(tmp_path)
    yield world
    world.programs.end()


# ---- What runs a block ----

def run_console(world, block):
    """Each command prints exactly what the document says, and succeeds."""
    if "herdctl" in block.text or "nc " in block.text:
        world.herd()
    commands = commands_of(block)
    stamps = set(re.findall(r"\b\d{10}\.\d{9}\b", " ".join(command for command, _ in commands)))
    printed = []
    for command, _ in commands:
        done = world.run(command)
        assert (done.returncode, done.stderr) == (0, ""), f"{block}: {command}\n{done.stderr}"
        printed.append(f"$ {command}\n{done.stdout}")
        if re.search(r"\biamat\b", command, re.I):
            world.known_everywhere(KIWI)
    # All at once: a difference is the same wherever it is printed.
    # Newlines at the very end of a block do not show in the document; those within it do.
    wanted = "".join(f"$ {command}\n{output}" for command, output in commands).rstrip("\n")
    assert normal("".join(printed).rstrip("\n"), stamps) == normal(wanted, stamps), block


def run_two_commands(world, block):
    assert block.lines == ["make run", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^run: all run-boards ##.*\n\t(.*)$", makefile, re.M)[1]
    assert "/tools/herd-run " in recipe and "'$(HERD)'" in recipe
    assert re.search(r"^HERD \?= tools/herds/bailey\.conf$", makefile, re.M)
    assert re.search(r"^test:.*##", makefile, re.M)
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"^  make run ", listed.stdout, re.M)
    assert re.search(r"^  make test ", listed.stdout, re.M)
    world.make_run()
    said = world.launcher.log.text().decode()
    # What it says to type is typed as well.
    typed = re.search(r"and type +(IAMAT .*)\n +(WHATSAT .*)\n", said)
    with Client(BAILEY["Bailey"]) as client:
        parse_at(client.ask(typed[1]))
        client.send(typed[2] + "\n")
        assert json.loads(client.read_answer().text)["status"] == "OK"
    world.end_herd()


def check_drawing(world, block):
    """Not commands: what the drawing names is there."""
    names = re.findall(r"^ *(tools/[\w-]+|port/\w+(?:/\w+\.c)?|firmware/|hal/)", block.text, re.M)
    assert len(names) >= 4
    for name in names:
        assert (ROOT / name).exists(), name
    rooms = [re.split("  +", line[10:].strip())[0].split() for line in block.lines
             if line.startswith(" " * 10)]
    assert len(rooms) >= 8, rooms
    for room in sum(rooms, []):
        assert (ROOT / "firmware" / f"{room}.c").exists(), room


def write_herd_file(world, block):
    (world.folder / "my.conf").write_text(block.text)


def run_own_herd_file(world, block):
    run, node = (re.sub(r" +#.*", "", line) for line in block.lines)
    assert run == "make run HERD=my.conf"
    world.make_run(conf="my.conf", ports={"Here": 10000, "There": 10001})
    with Client(10000) as here:
        here.iamat(KIWI)
    world.known_everywhere(KIWI)
    world.end_herd()
    one = world.start(node, "Here")
    one.log.wait("node.ready", name="Here")
    assert one.stop() == 0


def run_on_a_wire(world, block):
    """As root, where nothing else is: it makes a network."""
    assert block.lines == ["sudo make run NET=tap"]
    makefile = (ROOT / "Makefile").read_text()
    assert "--net $(NET)" in makefile
    assert "ifeq ($(NET),tap)\nHERD ?= tools/herds/bailey-tap.conf\n" in makefile
    if wire.is_possible() is None:
        world.make_run("--net tap", conf="tools/herds/bailey-tap.conf")
        with socket.create_connection(("10.42.0.1", 10000), PATIENCE_S) as client:
            client.sendall(b"hello\n")
            assert client.recv(100) == b"? hello\n"
        world.end_herd()
        wait_until(lambda: wire.is_possible() is None, "its network is gone")


def run_on_own_device(world, block):
    *make, node = block.lines
    if wire.is_possible() is None:
        for command in make:
            done = world.run(command.replace("sudo ", "").replace("$USER", "root"))
            assert (done.returncode, done.stderr) == (0, ""), command
        one = world.start(node, "Bailey")
        one.log.wait("node.ready", name="Bailey")
        with socket.create_connection(("10.42.0.1", 10000), PATIENCE_S) as client:
            client.sendall(b"hello\n")
            assert client.recv(100) == b"? hello\n"
        assert one.stop() == 0
        world.run("ip link del herd0")


def check_boards(world, block):
    """Targets, boards and nodes are there; that the targets work is tested in tests/qemu."""
    listed = subprocess.run(["make", "-s", "help", "boards"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    for line in block.lines:
        target, *words = re.sub(r" +#.*", "", line).split()[1:]
        assert re.search(rf"^  make {target} ", listed, re.M), target
        options = dict(word.split("=") for word in words)
        assert re.search(rf"^{options.get('BOARD', 'posix')} ", listed, re.M), line
        herd = options.get("HERD", "my.conf")
        assert herd == "my.conf" or (ROOT / herd).exists(), herd
        assert options.get("NODE", "Here") == "Here" and options.get("KEYS", "keys") == "keys"


def run_with_key_file(world, block):
    """Without the world outside: the herd starts, and says that it does not reach Google."""
    assert block.lines == ["make run PLACES_KEY_FILE=key.txt"]
    recipe = (ROOT / "Makefile").read_text()
    assert "--places-key-file '$(PLACES_KEY_FILE)'" in recipe
    key = world.folder / "key.txt"
    key.write_text("a-key\n")
    key.chmod(0o600)
    world.make_run("--places-key-file key.txt", "--set=places.timeout_ms=500",
                   "--set=places.address=127.0.0.1", "--set=places.port=9")
    with Client(BAILEY["Bona"]) as client:
        client.iamat(KIWI)
        answer = json.loads(client.whatsat(KIWI, 10, 1).text)
    assert answer["status"] == "UNKNOWN_ERROR"
    assert answer["error_message"] == "places.googleapis.com cannot be reached: connection refused"
    world.end_herd()


def run_iamat(world, block):
    """A command, and its answer by Clark."""
    command, answer = block.lines
    world.herd()
    with Client(BAILEY["Clark"]) as client:
        got = client.ask(command).decode()
    stamp = command.split()[-1]
    assert normal(got, {stamp}) == normal(answer, {stamp})
    world.known_everywhere(KIWI)


def run_whatsat(world, block):
    (command,) = block.lines
    world.herd()
    with Client(BAILEY["Clark"]) as client:
        client.send(command + "\n")
        answer = client.read_answer()
    bound = int(command.split()[-1])
    assert answer.at.split()[3].decode() == command.split()[1]
    assert len(json.loads(answer.text)["results"]) == bound


def run_standin(world, block):
    """certs.sh, the stand-in, and one request to it."""
    certs, standin, *curl = block.lines
    done = world.run(certs, timeout_s=120)
    assert (done.returncode, done.stderr) == (0, "")
    variable, program = standin.split(" ", 1)
    running = world.start(f"env {variable} {program}", "standin")
    wait_until(lambda: b"ready port=14443 control=14444\n" in running.log.text(), "it is ready",
               check=running.check)
    done = world.run("\n".join(curl).replace("curl ", "curl -sS ", 1))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "OK" and len(answer["results"]) == 20


def run_console_session(world, block):
    """A node at a terminal: what is typed behind its prompt, and the answers, as they stand there."""
    command, hint, *rest = block.lines
    words = command.removeprefix("$ build/posix/herd -c ").split()
    terminal = Terminal(ROOT / words[0], words[-1], *words[1:-1], folder=world.folder)
    try:
        terminal.ready()
        assert hint in terminal.screen.decode()
        while rest:
            typed = rest.pop(0).removeprefix("herd> ")
            answer = []
            while rest and not rest[0].startswith("herd> "):
                answer.append(rest.pop(0))
            if typed == "reboot":  # behind it there need not be a prompt any more
                terminal.type(b"reboot\r")
                terminal.until(answer[-1].encode(), 0)
                continue
            got = terminal.ask(typed)
            if answer[-1] == "...":
                answer, got = answer[:-1], got[:len(answer) - 1]
            assert [re.sub(r"herd \S+ on posix, up \d+ s", "herd 0.1.0 on posix, up 5 s", line)
                    for line in got] == answer, typed
        terminal.log.wait("node.ready", port="10007")
        assert terminal.stop() == 0
    finally:
        terminal.end()


def check_order_of_calls(world, block):
    """Not commands: the functions that it names are there."""
    names = re.findall(r"\b(?:hal|herd|config|sched)_[a-z_]+\b", block.text)
    headers = "".join(path.read_text() for folder in ("hal", "firmware")
                      for path in (ROOT / folder).glob("*.h"))
    assert len(names) >= 8
    for name in names:
        assert re.search(rf"\b{name}\(", headers), name


BLOCKS = {
    ("README.md", "make run"): run_two_commands,
    ("README.md", "tools/herd-run        starts five of these, and the Places stand-in"):
        check_drawing,
    ("README.md", "[node Here]"): write_herd_file,
    ("README.md",
     "make run HERD=my.conf                                    # all nodes of it, on this machine"):
        run_own_herd_file,
    ("README.md", "sudo make run NET=tap"): run_on_a_wire,
    ("README.md", "sudo ip tuntap add mode tap user $USER name herd0"): run_on_own_device,
    ("README.md", "make boards"): check_boards,
    ("README.md", "make run PLACES_KEY_FILE=key.txt"): run_with_key_file,
    ("README.md", "$ build/posix/herd -c tools/herds/solo.conf --state solo.state Solo"):
        run_console_session,
    ("firmware/PROTOCOL.md", "IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1621464827.959498503"):
        run_iamat,
    ("firmware/PROTOCOL.md", "WHATSAT kiwi.cs.ucla.edu 10 5"): run_whatsat,
    ("tools/places-standin/README.md", "tools/places-standin/certs.sh build/certs"): run_standin,
    ("hal/README.md", "your main       clocks, pins, console, then:"): check_order_of_calls,
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document(world, document):
    """All blocks in their order: what one makes, the next ones use."""
    for block in blocks_of(document):
        if block.kind == "console":
            run_console(world, block)
            continue
        assert (document, block.first) in BLOCKS, f"{block}: nothing knows how to run\n{block.text}"
        BLOCKS[document, block.first](world, block)


def test_every_function_still_has_its_block():
    there = {(document, block.first) for document in DOCUMENTS for block in blocks_of(document)}
    assert set(BLOCKS) <= there
