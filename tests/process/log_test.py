#!/usr/bin/env python3
"""The `log` directive: a line for every query of its block, over UDP and TCP, answered at once or later."""
import os, re, subprocess, threading, time, unittest

from daemon import PATIENCE, Daemon

COREFILE = """
cluster.local:{dns} {{
    bind 127.0.0.1
    log
    registry {{
        data {data}
        listen 127.0.0.1:{api}
    }}
}}
example.org:{dns} {{
    bind 127.0.0.1
    forward . 127.0.0.1:9 {{
        read_timeout 100ms
    }}
}}
"""


class QueryLog(unittest.TestCase):
    def wait_for(self, d, words):
        end = time.monotonic() + PATIENCE
        while not any(all(w in line for w in words) for line in d.log_text().splitlines()):
            self.assertLess(time.monotonic(), end, f"{words} not in\n{d.log_text()}")
            time.sleep(0.02)

    def test_queries_of_the_block_and_of_no_other(self):
        with Daemon(config=COREFILE, hosts=["127.0.0.1"]) as d:
            d.dig("kubernetes.default.svc.cluster.local")
            d.dig("nobody.default.svc.cluster.local", "AAAA", "+tcp")
            d.dig("x.example.org")
            self.wait_for(d, ["query: kubernetes.default.svc.cluster.local.", "type=A ", "client=127.0.0.1:", "proto=udp",
                              "rcode=NOERROR"])
            self.wait_for(d, ["query: nobody.default.svc.cluster.local.", "type=AAAA", "proto=tcp", "rcode=NXDOMAIN"])
            self.assertNotIn("example.org", d.log_text().split("ready")[-1])


class Reader(unittest.TestCase):
    """Who reads the log may go, or stop reading: nothing else does."""

    def served_with(self, stderr, dropping=None):
        """A daemon that logs queries there answers far more of them than a pipe holds lines, and ends with 0."""
        d = Daemon(config=COREFILE, hosts=["127.0.0.1"])
        try:
            d.log = open(d.work / "log", "ab")
            d.process = subprocess.Popen(d.command(), stdin=subprocess.DEVNULL, stdout=d.log, stderr=stderr)
            d.wait_ready()
            if dropping is not None:
                dropping()
            batch = d.work / "questions"
            batch.write_text("kubernetes.default.svc.cluster.local A\n" * 2000)
            out = subprocess.run(["dig", "@127.0.0.1", "-p", str(d.dns_port), "+short", "-f", str(batch)],
                                 capture_output=True, text=True, timeout=PATIENCE).stdout
            self.assertEqual(out.split(), ["10.96.0.1"] * 2000)
            self.assertEqual(d.rcode("x.example.org"), "SERVFAIL", "forwarding goes on, too")
            self.assertEqual(d.request("GET", "/readyz")[0], 200)
            dropped = int(re.search(r"^signpost_log_dropped_lines_total (\d+)", d.request("GET", "/metrics")[1], re.M)[1])
            return d, dropped
        except BaseException:
            d.stop()
            raise

    def test_reader_gone(self):
        r, w = os.pipe()
        d, dropped = self.served_with(w, lambda: os.close(r))
        os.close(w)
        self.assertGreater(dropped, 0)
        self.assertEqual(d.stop(), 0)

    def test_disk_full(self):
        with open("/dev/full", "wb") as full:
            d, dropped = self.served_with(full)
        self.assertGreater(dropped, 0)
        self.assertEqual(d.stop(), 0)

    def test_reader_that_reads_nothing_then_again(self):
        r, w = os.pipe()
        d, _ = self.served_with(w)
        os.close(w)
        text = []
        reader = threading.Thread(target=lambda: text.append(os.fdopen(r, "rb").read()))
        reader.start()
        self.assertEqual(d.stop(), 0)
        reader.join()
        self.assertTrue(text[0].endswith(b"signpostd: stopped\n"), text[0][-500:])

    def test_reader_that_never_reads(self):
        r, w = os.pipe()
        d, _ = self.served_with(w)
        os.close(w)
        self.assertEqual(d.stop(), 0)
        os.close(r)


if __name__ == "__main__":
    unittest.main()
