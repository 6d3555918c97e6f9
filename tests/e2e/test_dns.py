"""Names are looked up at the DNS server that the herd file says, on either net."""

from dnsmasq import Dnsmasq
from herdlib import NET, Client


def test_the_provider_is_found_by_the_herd_files_dns_server(programs, new_standin, new_herd, board):
    standin = new_standin()
    # As the node sees it: under slirp 10.0.2.2 is this machine.
    address = standin.address if NET == "tap" else "10.0.2.2"
    server = Dnsmasq(programs, f"--host-record=places.googleapis.com,{address}")
    places = standin.places()
    del places["address"]
    node = new_herd(boards=board, places=places, nodes={"Solo": {"dns": server.address}}).start()
    with Client(node.port) as client:
        client.iamat("kiwi")
        assert b'"status":"OK"' in client.whatsat("kiwi").text


def test_a_name_that_the_server_does_not_know_is_a_failure_in_the_right_shape(programs, new_standin,
                                                                              new_herd, board):
    standin = new_standin()
    server = Dnsmasq(programs, "--address=/googleapis.com/")  # NXDOMAIN
    places = standin.places()
    del places["address"]
    node = new_herd(boards=board, places=places, nodes={"Solo": {"dns": server.address}}).start()
    with Client(node.port) as client:
        client.iamat("kiwi")
        assert b'"results":[]' in client.whatsat("kiwi").text
        client.iamat("kiwi")
    assert standin.stats()["connections"] == 0
