#!/usr/bin/env python3
"""The `log` directive: a line for every query of its block, over UDP and TCP, answered at once or later."""
import time, unittest

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


if __name__ == "__main__":
    unittest.main()
