"""Keys of links, as `herdctl keys` makes them: a test knows them all."""

import os


class LinkKeys:
    """The keys of a herd's links: `number` is that of the current ones, which every link has."""

    def __init__(self, links, number=1):
        self.number = number
        self.links = [tuple(sorted(link)) for link in links]
        self.known = {(link, n): os.urandom(32) for link in self.links
                      for n in (number, self.after(number))}

    @staticmethod
    def after(number):
        return number % 65535 + 1

    def key(self, a, b, number=None):
        """The key of the link between a and b; the current one unless another number is asked for."""
        return self.known[tuple(sorted((a, b))), number or self.number]

    def rotate(self):
        """The next keys become the current ones. Old ones are still known here."""
        self.number = self.after(self.number)
        for link in self.links:
            self.known[link, self.after(self.number)] = os.urandom(32)

    def text(self, node):
        """A node's key file."""
        lines = [f"[keys {node}]"]
        for link in self.links:
            if node in link:
                peer = link[link[0] == node]
                lines += [f"{peer} = {n}:{self.key(node, peer, n).hex()}"
                          for n in (self.number, self.after(self.number))]
        return "\n".join(lines) + "\n"

    def write(self, folder, *nodes):
        """folder/NAME.keys of these nodes, or of all."""
        folder.mkdir(exist_ok=True)
        for node in nodes or sorted({name for link in self.links for name in link}):
            self.write_file(folder / f"{node}.keys", self.text(node))

    @staticmethod
    def write_file(path, text):
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
