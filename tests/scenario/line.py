"""A serial line between two programs: a pty for each end, and in the middle what happens to the octets on the way: they pass, are garbled, or the cable is cut."""
import os
import random
import select
import threading
import tty


class Line:
    """`a` and `b`: where the ends are. An end given as ("make", path) is a pty with a symbolic link at path; ("open", path) is a line that another program made."""

    def __init__(self, a, b, seed=1):
        self.where = (a, b)
        self.random = random.Random(seed)
        self.garble = [0, 0]  # how many of the next pieces from a, from b are garbled
        self.heard = [b"", b""]  # what came from a, from b
        self.thread = None
        self.mend()

    def open_end(self, end):
        kind, path = end
        if kind == "open":
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(fd)
            return fd, None
        master, slave = os.openpty()
        tty.setraw(slave)
        if os.path.islink(path):
            os.unlink(path)
        os.symlink(os.ttyname(slave), path)
        # the slave stays open here, so that the line outlives a program that ends
        return master, slave

    def mend(self):
        self.ends = [self.open_end(w) for w in self.where]
        self.wake_read, self.wake_write = os.pipe()
        self.thread = threading.Thread(target=self.relay, daemon=True)
        self.thread.start()

    def cut(self):
        """Both programs see their line hang up, and find none at its path until mend()."""
        os.close(self.wake_write)
        self.thread.join()
        for (fd, slave), (kind, path) in zip(self.ends, self.where):
            os.close(fd)
            if slave is not None:
                os.close(slave)
                os.unlink(path)
        os.close(self.wake_read)

    def say(self, side, octets):
        """Whoever holds the wire: into the end of a, of b."""
        os.write(self.ends[side][0], octets)

    def noise(self, octets=400):
        """Octets out of nowhere into both ends, flags and escapes among them."""
        for fd, _ in self.ends:
            os.write(fd, bytes(self.random.choice((self.random.randrange(256), 0x7E, 0x7D)) for _ in range(octets)))

    def spoil(self, octets):
        octets = bytearray(octets)
        for i in range(0, len(octets), 7):
            octets[i] ^= 1 << self.random.randrange(8)
        return bytes(octets)

    def relay(self):
        a, b = self.ends[0][0], self.ends[1][0]
        while True:
            ready = select.select([a, b, self.wake_read], [], [])[0]
            if self.wake_read in ready:
                return
            for fd in ready:
                side = 0 if fd == a else 1
                try:
                    octets = os.read(fd, 4096)
                except OSError:
                    return  # the program that made this end is gone; cut() and mend() follow
                self.heard[side] += octets
                if self.garble[side] > 0:
                    self.garble[side] -= 1
                    octets = self.spoil(octets)
                try:
                    os.write(b if side == 0 else a, octets)
                except OSError:
                    return
