#!/usr/bin/env python3
"""What a service manager hears: READY when DNS answers, signs of life for the watchdog, STOPPING before the end."""
import os, socket, unittest

from daemon import PATIENCE, Daemon


class Manager:
    """The listening end of systemd's notification protocol, sd_notify(3)."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)

    def heard(self):
        """The next message's assignments."""
        return dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines())


class ServiceManager(unittest.TestCase):
    def start(self, **environment):
        d = Daemon()
        manager = Manager(d.work)
        self.addCleanup(manager.socket.close)
        os.environ.update(NOTIFY_SOCKET=manager.path, **environment)
        try:
            d.start(wait=False)
        finally:
            for name in ("NOTIFY_SOCKET", *environment):
                del os.environ[name]
        self.addCleanup(d.__exit__, None, None, None)
        return d, manager

    def test_ready_and_stopping(self):
        d, manager = self.start()
        first = manager.heard()
        self.assertEqual(first["READY"], "1")
        self.assertTrue(first["STATUS"])
        self.assertEqual(d.rcode("cluster.local", "SOA"), "NOERROR")  # ready means that it answers
        self.assertEqual(d.request("GET", "/readyz")[0], 200)
        self.assertEqual(d.stop(), 0)
        self.assertEqual(manager.heard(), {"STOPPING": "1"})

    def test_watchdog(self):
        _, manager = self.start(WATCHDOG_USEC="200000")
        self.assertEqual(manager.heard()["READY"], "1")
        for _ in range(3):
            self.assertEqual(manager.heard(), {"WATCHDOG": "1"})

    def test_watchdog_of_another_process(self):
        d, manager = self.start(WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        self.assertEqual(manager.heard()["READY"], "1")
        self.assertEqual(d.stop(), 0)
        self.assertEqual(manager.heard(), {"STOPPING": "1"})


if __name__ == "__main__":
    unittest.main()
