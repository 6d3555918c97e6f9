"""New keys without an outage: as `herdctl keys --help` says, one node after another, under load."""

import random
import shutil
import subprocess
import threading
import time

import pytest

from herdlib import BAILEY, BAILEY_LINKS, BIN, PATIENCE_S, Client, parse_at
from keyslib import LinkKeys
from linklib import HELLO, Caller, hello
from tlspsk import TlsError

DEVICES = 40  # of each client


class Walker(threading.Thread):
    """A client that reports all the time, at nodes that are not being started again."""

    def __init__(self, herd, number):
        super().__init__(daemon=True)
        self.herd, self.number = herd, number
        self.chance = random.Random(number)
        self.count = 0
        self.newest = {}  # device: (stamp, node), as acknowledged
        self.at = self.client = self.trouble = None
        self.avoid, self.over = None, False
        self.left = threading.Event()

    def run(self):
        try:
            stamp = 0
            while not self.over:
                if self.client is None or self.at == self.avoid or self.chance.random() < 0.01:
                    self.move()
                stamp += 1
                device = f"w{self.number}-{stamp % DEVICES}"
                at = parse_at(self.client.iamat(device, stamp=1000 + stamp))
                assert at.stamp == b"%d" % (1000 + stamp)
                self.count += 1
                self.newest[device] = 1000 + stamp, self.at
                time.sleep(0.002)
            self.client.close()
        except Exception as trouble:  # told by the test
            self.trouble = trouble
            self.left.set()

    def move(self):
        if self.client:
            self.client.close()
        avoid = self.avoid
        self.at = self.chance.choice([name for name in BAILEY if name != avoid])
        self.client = Client(self.herd[self.at].port)
        if self.avoid == avoid:
            self.left.set()

    def leave(self, node):
        self.left.clear()
        self.avoid = node

    def has_left(self):
        assert self.left.wait(PATIENCE_S)
        assert self.trouble is None, self.trouble


def rotate(herd, *options):
    """The files in `office`, from which nodes get theirs."""
    done = subprocess.run([BIN / "tools" / "herdctl", "keys", "-c", herd.conf, *options,
                           herd.folder / "office"], capture_output=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done


def give(herd, name):
    shutil.copy(herd.folder / "office" / f"{name}.keys", herd.keys_file(name))


def learn(herd):
    """What the test knows of keys, from the files."""
    for name in BAILEY:
        lines = (herd.folder / "office" / f"{name}.keys").read_text().splitlines()
        for peer, value in (line.split(" = ") for line in lines if " = " in line):
            number, key = value.split(":")
            herd.keys.known[tuple(sorted((name, peer))), int(number)] = bytes.fromhex(key)
    return min(int(value.split(":")[0]) for line in lines if " = " in line
               for value in [line.split(" = ")[1]])


def knows_all(herd, name, walkers, only_of=None):
    """Waits until a node knows at least what was acknowledged when this began."""
    wanted = {device: stamp for walker in walkers for device, (stamp, node) in
              list(walker.newest.items()) if only_of in (None, node)}
    deadline = time.monotonic() + PATIENCE_S
    with Client(herd[name].port) as client:
        while wanted:
            for device, stamp in list(wanted.items()):
                at = client.known(device)
                if at and int(parse_at(at).stamp) >= stamp:
                    del wanted[device]
            assert time.monotonic() < deadline, f"{name} does not know {len(wanted)}: {wanted}"
    return True


@pytest.mark.parametrize("suite", ["psk", "ecdhe-psk"])
def test_keys_are_rotated_twice_under_load_and_no_acknowledged_report_is_lost(new_herd, suite):
    herd = new_herd(BAILEY, BAILEY_LINKS, herd={"link_suite": suite})
    herd.keys = LinkKeys([])
    rotate(herd)
    for name in BAILEY:
        give(herd, name)
    learn(herd)
    herd.start()
    herd.linked()
    walkers = [Walker(herd, number) for number in range(4)]
    for walker in walkers:
        walker.start()
    longest_s = 0
    for order in (BAILEY, BAILEY[::-1]):
        rotate(herd, "--rotate")
        number = learn(herd)
        for name in order:
            for walker in walkers:
                walker.leave(name)
            for walker in walkers:
                walker.has_left()
            for other in herd.neighbours(name):  # what was told to it alone
                knows_all(herd, other, walkers, name)
            give(herd, name)
            down = {other: herd[other].log.count("link.down") for other in BAILEY if other != name}
            assert herd[name].stop() == 0
            herd.start(name)
            started = time.monotonic()
            herd.linked(name)
            longest_s = max(longest_s, time.monotonic() - started)
            knows_all(herd, name, walkers)
            for other, count in down.items():  # nobody else lost a link
                downs = herd[other].log.find("link.down")[count:]
                assert {event.fields["peer"] for event in downs} <= {name}, downs
    print(f"links are up {longest_s:.3f} s after a start, at most; "
          f"{sum(walker.count for walker in walkers)} reports")
    assert longest_s < 5
    for walker in walkers:
        walker.over = True
        walker.join(PATIENCE_S)
        assert walker.trouble is None, walker.trouble
    for name in BAILEY:
        knows_all(herd, name, walkers)
    assert sum(len(walker.newest) for walker in walkers) == 4 * DEVICES

    for name, peer in BAILEY_LINKS:  # in the end the old keys open nothing
        for old, reason in ((number - 1, "old key"), (number - 2, "unknown identity")):
            mark = herd[name].log.mark()
            with pytest.raises(TlsError):
                Caller(herd[name], peer, number=old)
            herd[name].log.wait("link.refused", mark, reason=reason,
                                identity=f"{peer}>{name}#{old}")
    herd["Clark"].stop()
    with Caller(herd["Bona"], "Clark", number=number) as caller:  # and the current one does
        caller.send(hello(sender=b"Clark", target=b"Bona"))
        caller.wait(HELLO)
