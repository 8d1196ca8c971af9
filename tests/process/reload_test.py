#!/usr/bin/env python3
"""Signals: SIGHUP takes another configuration without losing a question, an answer of the cache or the catalog; none but
those that say so end the process. Pages on addresses of their own."""
import http.client, json, pathlib, signal, socket, subprocess, threading, time, unittest

from daemon import PATIENCE, SIGNPOSTD, Daemon, free_port, run

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: default}}
spec: {{clusterIP: {ip}, ports: [{{port: 80}}]}}
"""


class Upstream:
    """Answers every A question with one address, and counts."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.address, self.names = socket.inet_aton(address), []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            q, who = self.socket.recvfrom(4096)
            end = q.index(b"\0", 12) + 5
            self.names.append(q[12:end].lower())
            self.socket.sendto(q[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + q[12:end] + b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" +
                               self.address, who)


class Reload(unittest.TestCase):
    def wait_for(self, d, words, count=1):
        end = time.monotonic() + PATIENCE
        while sum(all(w in line for w in words) for line in d.log_text().splitlines()) < count:
            self.assertLess(time.monotonic(), end, f"{words} not {count} times in\n{d.log_text()}")
            time.sleep(0.02)

    def write(self, d, text):
        (d.work / "Corefile").write_text(text.format(dns=d.dns_port, api=d.api_port, data=d.data, work=d.work))

    def hup(self, d, text, how=signal.SIGHUP):
        """Reloads with this Corefile; returns when that is done."""
        done = lambda: d.log_text().count("config: reloaded") + d.log_text().count('"message":"reloaded"')
        before, end = done(), time.monotonic() + PATIENCE
        self.write(d, text)
        d.process.send_signal(how)
        while done() == before:
            self.assertLess(time.monotonic(), end, d.log_text())
            time.sleep(0.02)

    REGISTRY = """cluster.local:{{dns}} {{{{
    bind 127.0.0.1
    registry {{{{
        data {{data}}
        listen 127.0.0.1:{{api}}
        {registry}
    }}}}
}}}}
"""
    FORWARD = """{zone}:{{dns}} {{{{
    bind 127.0.0.1
    forward . 127.0.0.1:{port}
    cache 300
}}}}
"""

    def test_routes_upstreams_and_zones_change_and_nothing_is_lost(self):
        one, two = Upstream("192.0.2.1"), Upstream("192.0.2.2")
        registry = self.REGISTRY.format(registry="")
        a, b = (self.FORWARD.format(zone="a.example", port=u.port) for u in (one, two))
        stay = self.FORWARD.format(zone="stay.example", port=one.port)
        with Daemon(config=registry + a + stay, hosts=["127.0.0.1"]) as d:
            self.assertEqual(d.dig("x.a.example"), ["192.0.2.1"])
            self.assertEqual(d.dig("x.stay.example"), ["192.0.2.1"])
            self.assertEqual(d.rcode("x.new.example"), "REFUSED")
            d.apply(OBJECTS.format(name="web", ip="10.96.0.20"))
            d.dig_until(["10.96.0.20"], "web.default.svc.cluster.local")
            lost, asked, done = [], [0], threading.Event()

            def ask(name):
                while not done.is_set():
                    asked[0] += 1
                    if d.dig(name) != ["10.96.0.20"]:
                        lost.append(name)

            asking = [threading.Thread(target=ask, args=("web.default.svc.cluster.local",)) for _ in range(3)]
            for t in asking:
                t.start()
            new = self.FORWARD.format(zone="forward.new.example", port=two.port)
            for i in range(4):
                self.hup(d, registry + b + stay + new)
                self.assertEqual(d.dig("y%d.a.example" % i), ["192.0.2.2"])
                self.assertEqual(d.dig("x.a.example"), ["192.0.2.2"], "what the old server said of it is forgotten")
                self.assertEqual(d.dig("x.forward.new.example"), ["192.0.2.2"])
                self.assertEqual(d.dig("x.stay.example"), ["192.0.2.1"])
                self.hup(d, registry + a + stay, signal.SIGUSR1)
                self.assertEqual(d.dig("z%d.a.example" % i), ["192.0.2.1"])
                self.assertEqual(d.rcode("x.forward.new.example"), "REFUSED")
            done.set()
            for t in asking:
                t.join()
            self.assertEqual(lost, [], f"of {asked[0]}")
            self.assertEqual(sum(b"stay" in n for n in one.names), 1, "the cache is kept while other zones come and go")
            # A connection that is open meanwhile asks what is there now.
            connection = socket.create_connection(("127.0.0.1", d.dns_port), timeout=PATIENCE)
            self.hup(d, registry + b + stay)
            question = b"\0\1\1\0\0\1\0\0\0\0\0\0\1x\1a\7example\0\0\1\0\1"
            connection.sendall(len(question).to_bytes(2, "big") + question)
            self.assertTrue(connection.recv(4096).endswith(socket.inet_aton("192.0.2.2")))
            connection.close()
            self.assertIn('signpost_config_reloads_total{result="done"} 9', d.request("GET", "/metrics")[1])

    def test_a_zone_of_files_comes_and_goes(self):
        stay = self.FORWARD.format(zone="stay.example", port=Upstream("192.0.2.1").port)
        objects = "new.example:{dns} {{\n bind 127.0.0.1\n objects {work}/o.yaml\n}}\n"
        with Daemon(config=stay, hosts=["127.0.0.1"], api=False) as d:
            (d.work / "o.yaml").write_text(OBJECTS.format(name="file", ip="10.97.0.1"))
            for _ in range(3):
                self.hup(d, stay + objects)
                self.assertEqual(d.dig("file.default.svc.new.example"), ["10.97.0.1"])
                self.hup(d, stay)
                self.assertEqual(d.rcode("file.default.svc.new.example"), "REFUSED")

    def test_what_is_wrong_or_fixed_keeps_the_old_state(self):
        registry = self.REGISTRY.format(registry="")
        with Daemon(config=registry, hosts=["127.0.0.1"]) as d:
            taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for i, (text, words) in enumerate((
                ("cluster.local {{\n registri\n forwrad\n", ["Corefile:3", "forward"]),
                (self.REGISTRY.format(registry="vip 10.1.0.0/16"), ["virtual IPs", "restart"]),
                (registry.replace("{data}", "{data}.other"), ["data folder", "restart"]),
                (registry + "x.example:{dns} {{\n bind 127.0.0.1\n objects {work}/none.yaml\n}}\n", ["none.yaml"]),
                (registry + "x.example:%d {{\n bind 127.0.0.1\n forward . 127.0.0.1:9\n}}\n" % port, [str(port)]),
                (registry.replace("bind 127.0.0.1", "bind 127.0.0.1\n prometheus 127.0.0.1:%d" % port), [str(port)]),
            )):
                with self.subTest(text=text):
                    self.write(d, text)
                    d.process.send_signal(signal.SIGHUP)
                    self.wait_for(d, ["old configuration stays", *words])
                    self.assertEqual(d.dig("kubernetes.default.svc.cluster.local"), ["10.96.0.1"])
            self.assertIn('result="refused"} 6', d.request("GET", "/metrics")[1])
            self.hup(d, registry)
            taken.close()

    def test_log_and_ports_change(self):
        registry = self.REGISTRY.format(registry="")
        with Daemon(config=registry, hosts=["127.0.0.1"]) as d:
            old, d.dns_port = d.dns_port, free_port()
            self.hup(d, registry.replace("bind 127.0.0.1", "bind 127.0.0.1\n log {{\n format json\n }}"))
            self.assertEqual(d.dig("kubernetes.default.svc.cluster.local"), ["10.96.0.1"])
            self.wait_for(d, ['"component":"query"', '"message":"kubernetes.default.svc.cluster.local."'])
            for line in d.log_text().splitlines():
                if line.startswith("{"):
                    self.assertEqual(json.loads(line)["level"], "info")
            gone = run("dig", "@127.0.0.1", "-p", str(old), "kubernetes.default.svc.cluster.local", "+tries=1", "+time=1")
            self.assertNotEqual(gone.returncode, 0)

    def test_file_that_changes_is_read_when_it_says_reload(self):
        registry = self.REGISTRY.format(registry="").replace("bind 127.0.0.1", "bind 127.0.0.1\n reload 2s 0s\n import *.part")
        with Daemon(config=registry, hosts=["127.0.0.1"]) as d:
            (d.work / "a.part").write_text("nsid one\n")
            self.wait_for(d, ["config: reloaded"])
            self.assertIn("one", d.dig_full("kubernetes.default.svc.cluster.local", "A", "+nsid"))

    def test_other_signals_end_nothing(self):
        with Daemon(hosts=["127.0.0.1"]) as d:
            for how in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGVTALRM,
                        signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGXFSZ, signal.SIGRTMIN, signal.SIGWINCH):
                d.process.send_signal(how)
            self.wait_for(d, ["SIGUSR2"])
            self.assertEqual(d.dig("kubernetes.default.svc.cluster.local"), ["10.96.0.1"])
            self.assertEqual(d.stop(signal.SIGQUIT), 0)


class Pages(unittest.TestCase):
    def get(self, port, path, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": "dns.example", "Origin": "http://dashboard.example"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def test_pages_without_a_registry(self):
        metrics, health, ready = free_port(), free_port(), free_port()
        corefile = f"""a.example:{{dns}} {{{{
    bind 127.0.0.1
    prometheus :{metrics}
    health :{health} {{{{
        lameduck 1s
    }}}}
    ready :{ready}
    forward . 127.0.0.1:9
}}}}
b.example:{{dns}} {{{{
    bind 127.0.0.1
    prometheus :{metrics}
    health :{health}
    forward . 127.0.0.1:9
}}}}
"""
        with Daemon(config=corefile, hosts=["127.0.0.1"], api=False) as d:
            status, text = self.get(metrics, "/metrics")
            self.assertEqual(status, 200)
            self.assertIn("signpost_dns_messages_total", text)
            self.assertEqual(self.get(health, "/health"), (200, "OK"))
            self.assertEqual(self.get(ready, "/ready"), (200, "OK"))
            self.assertEqual(self.get(ready, "/health")[0], 404)
            self.assertEqual(self.get(metrics, "/api/v1/services")[0], 404)
            d.process.send_signal(signal.SIGTERM)
            while (answer := self.get(ready, "/ready")) == (200, "OK"):
                pass
            self.assertEqual(answer, (503, "stopping"))
            self.assertEqual(self.get(health, "/health"), (200, "OK"))
            self.assertEqual(d.rcode("x.c.example"), "REFUSED", "DNS goes on")


class Check(unittest.TestCase):
    def test_all_problems_in_one_run(self):
        with Daemon() as d:
            work = d.work
            (work / "bad.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: eighty}\n")
            corefile = work / "Corefile"
            corefile.write_text("""cluster.local:5353 {
    bind 127.0.0.1 203.0.113.99
    objects bad.yaml missing.yaml
    nsid {$NO_SUCH_VARIABLE}x
}
.:5353 {
    bind 127.0.0.1
    forward . 127.0.0.1:5353
}
""".replace("bad.yaml", str(work / "bad.yaml")).replace("missing.yaml", str(work / "missing.yaml")))
            done = run(SIGNPOSTD, "--config", str(corefile), "--check")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            lines = done.stderr.splitlines()
            for words in (["Corefile:3:", "bad.yaml", "ports"], ["Corefile:3:", "missing.yaml"],
                          ["Corefile:4:", "NO_SUCH_VARIABLE"], ["Corefile:8:", "127.0.0.1:5353", "itself"],
                          ["203.0.113.99"]):
                self.assertTrue(any(all(w in line for w in words) and "; instead: " in line for line in lines),
                                f"{words} not in {done.stderr}")
            corefile.write_text(". {\n chache\n forwrad\n bind nowhere\n}\n")
            done = run(SIGNPOSTD, "--config", str(corefile), "--check")
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 3), done.stderr)
            done = run(SIGNPOSTD, "--config", str(corefile))
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
            self.assertIn("and 2 more", done.stderr)


if __name__ == "__main__":
    unittest.main()
