"""Clocks that a story moves, by libfaketime."""
import glob
import os

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Clock:
    """The time of what runs with env: ours, and some more. Unless all clocks are to move, those
    that only go on, which timers go by, stay as they are, as they do when somebody sets a host's
    time of day."""

    def __init__(self, ws, name="clock", all_clocks=False):
        self.file = ws.write(name, "+0\n")
        self.env = {"LD_PRELOAD": glob.glob(LIBRARY)[0], "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_TIMESTAMP_FILE": self.file}
        if not all_clocks:
            self.env["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"

    def set(self, offset):
        """As "+1d", or in seconds."""
        with open(self.file + ".new", "w", encoding="ascii") as f:
            f.write(offset + "\n")
        os.replace(self.file + ".new", self.file)
