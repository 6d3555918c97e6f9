"""How a board gets its address: from the herd file, or from a DHCP server: QEMU's own."""

import os

import pytest

import herdlib
from test_provisioning import firmware

BOARDS = os.environ.get("HERD_BOARDS", "mps2-an385 lm3s6965evb").split()
GUEST = {"address": "10.0.2.15", "mask": "255.255.255.0", "gateway": "10.0.2.2"}


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


def is_up(node, **fields):
    up = node.log.wait("net.up").fields
    assert fields.items() <= up.items(), up
    assert node.log.count("net.up") == 1 and node.log.count("net.down") == 0


def answers(node, port):
    node.log.wait("node.ready")
    with herdlib.Client(port) as client:
        client.iamat("kiwi")


def test_a_board_gets_its_address_from_a_dhcp_server(new_herd, board):
    herd = new_herd(("Quito", "Oslo"), (("Quito", "Oslo"),), {"Quito": board, "Oslo": "posix"},
                    nodes={"Quito": {"dhcp": "yes"}})
    herd.start()
    is_up(herd["Quito"], **GUEST, by="dhcp", lease_s="86400")
    herd.linked()
    with herdlib.Client(herd["Quito"].port) as client:
        herd.knows("Oslo", "kiwi", client.iamat("kiwi"))


def as_on_hardware(programs, board, herd, *settings):
    """A node that nobody tells anything at its start: no boot block, an image of `make firmware`."""
    port = int(herd.ports["Solo"][0])
    image = firmware(board, herd, "Solo", *settings)
    node = programs.add(herdlib.Program("image", [
        herdlib.BIN / board / "herd", "--no-seed", "--no-wall", "--no-net", "--image", image, port],
        programs.folder))
    return node, port


def test_dhcp_on_a_board_without_a_boot_block(programs, new_herd, board):
    herd = new_herd(boards=board, nodes={"Solo": {"dhcp": "yes"}})
    node, port = as_on_hardware(programs, board, herd, "node.address=10.0.2.99")
    is_up(node, **GUEST, by="dhcp")
    wrong = node.log.wait("net.wrong_address").fields
    assert (wrong["got"], wrong["herd_file"]) == ("10.0.2.15", "10.0.2.99")
    answers(node, port)


def test_the_herd_files_address_mask_and_gateway_are_a_boards_own(programs, new_herd, board):
    herd = new_herd(boards=board)
    node, port = as_on_hardware(programs, board, herd, "node.address=10.0.2.15",
                                "node.mask=255.255.254.0", "node.gateway=10.0.2.2")
    is_up(node, address="10.0.2.15", mask="255.255.254.0", gateway="10.0.2.2", by="herd-file")
    answers(node, port)
