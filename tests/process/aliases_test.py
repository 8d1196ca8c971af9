#!/usr/bin/env python3
"""Aliases that lead from one authority to another are followed by the server, and everyone is believed about his own
zones only."""
import json, unittest

from daemon import Daemon
from upstream import Scripted, a, cname, says, soa

WEB = "web.default.svc.cluster.local"


def service(name, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def external(name, target):
    return service(name, type="ExternalName", externalName=target)


CLUSTER = [
    service("web", clusterIP="10.96.0.20", ports=[{"name": "http", "port": 80}]),
    external("ext", "ok.example"), external("back", "tocluster.example"), external("gone", "togone.example"),
    external("loop", "toloop.example"), external("inner", "ok.inner.test"), external("other", "web.shop.other.local"),
    external("nowhere", "toother.example"),
] + [external(f"c{i}", f"c{i + 1}.default.svc.cluster.local" if i < 30 else WEB) for i in range(31)] \
  + [external(f"ring{i}", f"ring{(i + 1) % 3}.default.svc.cluster.local") for i in range(3)] \
  + [external(f"far{i}", f"far{i + 1}.default.svc.cluster.local") for i in range(40)]
OTHER = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
          "spec": {"clusterIP": "10.97.0.1", "ports": [{"port": 80}]}},
         {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "home", "namespace": "shop"},
          "spec": {"type": "ExternalName", "externalName": WEB}}]

COREFILE = """
cluster.local:{dns} in-addr.arpa:{dns} ip6.arpa:{dns} {{
    bind 127.0.0.1
    objects {work}/cluster.json
}}
other.local:{dns} {{
    bind 127.0.0.1
    objects {work}/other.json
}}
inner.test:{dns} {{
    bind 127.0.0.1
    forward . 127.0.0.1:INNER
    CACHE
}}
.:{dns} {{
    bind 127.0.0.1
    errors
    forward . 127.0.0.1:OUTER
    CACHE
}}
"""

OUTER = {
    ("tocluster.example", "A"): says(cname("tocluster.example", WEB), rcode=3, authority=[soa("")]),
    ("toweb.example", "A"): says(cname("toweb.example", WEB, 77)),
    ("liar.example", "A"): says(cname("liar.example", WEB), a(WEB, "203.0.113.66")),
    ("togone.example", "A"): says(cname("togone.example", "gone-too.default.svc.cluster.local"),
                                  a("gone-too.default.svc.cluster.local", "203.0.113.66")),
    ("toinner.example", "A"): says(cname("toinner.example", "ok.inner.test")),
    ("lieinner.example", "A"): says(cname("lieinner.example", "ok.inner.test"), a("ok.inner.test", "203.0.113.66")),
    ("toexternal.example", "A"): says(cname("toexternal.example", "ext.default.svc.cluster.local")),
    ("toother.example", "A"): says(cname("toother.example", "home.shop.other.local")),
    ("toloop.example", "A"): says(cname("toloop.example", "loop.default.svc.cluster.local")),
    ("bare.example", "A"): says(cname("bare.example", "ok.example")),
    ("baregone.example", "A"): says(cname("baregone.example", "nobody.example")),
    ("tofail.example", "A"): says(cname("tofail.example", "fail.inner.test")),
    ("ok.example", "A"): says(a("ok.example", "192.0.2.1")),
    ("tozigzag.example", "A"): says(cname("tozigzag.example", "zigzag.inner.test")),
    ("ping.example", "A"): says(cname("ping.example", "pong.inner.test")),
}
INNER = {
    ("ok.inner.test", "A"): says(a("ok.inner.test", "192.0.2.7", 123)),
    ("zigzag.inner.test", "A"): says(cname("zigzag.inner.test", "toexternal.example")),
    ("pong.inner.test", "A"): says(cname("pong.inner.test", "ping.example")),
    ("fail.inner.test", "A"): says(rcode=2),
    ("lies.inner.test", "A"): says(cname("lies.inner.test", "ok.example"), a("ok.example", "203.0.113.66")),
}


class Following:
    cache = ""

    @classmethod
    def setUpClass(cls):
        cls.outer, cls.inner = Scripted(OUTER), Scripted(INNER)
        config = COREFILE.replace("OUTER", str(cls.outer.port)).replace("INNER", str(cls.inner.port))
        cls.d = Daemon(config=config.replace("CACHE", cls.cache), hosts=["127.0.0.1"], api=False)
        for name, objects in (("cluster", CLUSTER), ("other", OTHER)):
            (cls.d.work / f"{name}.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        cls.d.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(None, None, None)
        cls.outer.close()
        cls.inner.close()

    def answer(self, name, rtype="A", *options):
        """(rcode, [(owner, ttl, type, rdata)], whole text)."""
        full = self.d.dig_full(name, rtype, *options)
        status = full.split("status: ")[1].split(",")[0]
        lines = full.split(";; ANSWER SECTION:\n")[1].split("\n\n")[0].splitlines() if "ANSWER SECTION" in full else []
        records = [line.split(None, 4) for line in lines]
        return status, [(r[0].rstrip("."), int(r[1]), r[3], r[4].rstrip(".")) for r in records], full

    def leads(self, name, *links, rcode="NOERROR", flags=None):
        """Twice, so that a cached answer is followed as well; over UDP and TCP."""
        for options in ((), ("+tcp",), ()):
            status, records, full = self.answer(name, "A", *options)
            self.assertEqual((status, [r[3] for r in records]), (rcode, list(links)), full)
            if flags:
                self.assertRegex(full, rf"flags: {flags};")
        return records, full

    def test_an_alias_from_outside_leads_to_a_service(self):
        records, _ = self.leads("tocluster.example", WEB, "10.96.0.20", flags="qr rd ra")
        self.assertEqual([r[0] for r in records], ["tocluster.example", WEB])
        records, _ = self.leads("toweb.example", WEB, "10.96.0.20")
        self.assertLessEqual(records[0][1], 77)
        self.assertEqual(records[1][1], 5)

    def test_others_are_not_believed_about_our_names(self):
        self.leads("liar.example", WEB, "10.96.0.20")
        _, full = self.leads("togone.example", "gone-too.default.svc.cluster.local", rcode="NXDOMAIN")
        self.assertIn("ns.dns.cluster.local.", full)  # our SOA
        self.assertEqual(self.outer.asked_below("cluster.local"), [])

    def test_others_are_not_believed_about_the_names_of_another_block(self):
        self.leads("lieinner.example", "ok.inner.test", "192.0.2.7")
        self.leads("lies.inner.test", "ok.example", "192.0.2.1")

    def test_a_service_that_leads_outside_and_back_in(self):
        self.leads("back.default.svc.cluster.local", "tocluster.example", WEB, "10.96.0.20", flags="qr aa rd ra")
        self.leads("gone.default.svc.cluster.local", "togone.example", "gone-too.default.svc.cluster.local",
                   rcode="NXDOMAIN")
        self.leads("nowhere.default.svc.cluster.local", "toother.example", "home.shop.other.local", WEB, "10.96.0.20")

    def test_from_one_block_into_another(self):
        self.leads("toinner.example", "ok.inner.test", "192.0.2.7")
        self.leads("inner.default.svc.cluster.local", "ok.inner.test", "192.0.2.7", flags="qr aa rd ra")
        self.leads("tozigzag.example", "zigzag.inner.test", "toexternal.example", "ext.default.svc.cluster.local",
                   "ok.example", "192.0.2.1")

    def test_from_one_source_into_another(self):
        self.leads("other.default.svc.cluster.local", "web.shop.other.local", "10.97.0.1")
        self.leads("home.shop.other.local", WEB, "10.96.0.20", flags="qr aa rd ra")

    def test_a_bare_alias_is_followed_by_asking(self):
        self.leads("bare.example", "ok.example", "192.0.2.1")
        self.leads("baregone.example", "nobody.example", rcode="NXDOMAIN")

    def test_the_end_decides(self):
        status, records, _ = self.answer("tofail.example")
        self.assertEqual((status, records), ("SERVFAIL", []))
        status, records, full = self.answer("toweb.example", "MX")
        self.assertEqual(status, "NXDOMAIN")  # what its own upstream says of that type
        status, records, full = self.answer("home.shop.other.local", "MX")
        self.assertEqual((status, [r[3] for r in records]), ("NOERROR", [WEB]))
        self.assertIn("hostmaster.cluster.local.", full)

    def test_long_chains_are_answers(self):
        chain = [f"c{i}.default.svc.cluster.local" for i in range(1, 31)]
        status, records, _ = self.answer("c0.default.svc.cluster.local", "A", "+tcp")
        self.assertEqual((status, [r[3] for r in records]), ("NOERROR", chain + [WEB, "10.96.0.20"]))

    def test_loops_are_errors(self):
        for name in ("loop.default.svc.cluster.local", "toloop.example", "ping.example", "pong.inner.test",
                     "ring0.default.svc.cluster.local", "far0.default.svc.cluster.local"):
            for options in ((), ("+tcp",)):
                with self.subTest(name=name, options=options):
                    status, records, full = self.answer(name, "A", *options, "+bufsize=1232")
                    if "flags: qr aa tc" in full:
                        continue
                    self.assertEqual((status, records), ("SERVFAIL", []))
                    self.assertIn("EDE: 0 (Other)", full)
                    self.assertIn("aliases without an end", full)

    def test_every_reply_tells_that_we_forward(self):
        for name, rtype, *options in ((WEB, "A"), (WEB, "MX"), ("nobody.cluster.local", "A"), ("ok.example", "A"),
                                      ("nobody.example", "A"), (WEB, "A", "+opcode=2"),
                                      (WEB, "A", "+edns=1", "+noednsneg"), (WEB, "A", "-c", "CH"),
                                      ("fail.inner.test", "A"), ("ring0.default.svc.cluster.local", "A")):
            with self.subTest(name=name, type=rtype, options=options):
                self.assertRegex(self.d.dig_full(name, rtype, *options), r"flags: qr[a-z ]* ra[ ;]")

    def test_the_alias_itself_is_not_followed(self):
        status, records, _ = self.answer("back.default.svc.cluster.local", "CNAME")
        self.assertEqual((status, [r[3] for r in records]), ("NOERROR", ["tocluster.example"]))


class Cached(Following, unittest.TestCase):
    cache = "cache"


class Uncached(Following, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main()
