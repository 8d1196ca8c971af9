#!/usr/bin/env python3
"""Every record type, both name forms, both families, UDP and TCP, asked with dig of a real daemon."""
import unittest

from daemon import SOURCE, Daemon, has_ipv6


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon().__enter__()
        for example in sorted((SOURCE / "deploy/examples").glob("*.yaml")):
            cls.d.apply(example.read_text())
        cls.web = cls.d.request("GET", "/api/v1/namespaces/default/services/web")[1]["spec"]["clusterIP"]
        cls.cart = cls.d.request("GET", "/api/v1/namespaces/shop/services/cart")[1]["spec"]["clusterIPs"]
        cls.d.dig_until([cls.cart[0]], "cart.shop.svc.cluster.local")
        cls.d.dig_until(["10.244.1.20", "10.244.2.20"], "db.default.svc.cluster.local")

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(None, None, None)

    def every_way(self, name, rtype, want):
        """Over UDP and TCP, both transports' families, with and without EDNS, upper and lower case."""
        for options in (["+notcp"], ["+tcp"], ["+noedns"], ["+tcp", "+noedns"]):
            for host in self.d.hosts:
                with self.subTest(name=name, type=rtype, options=options, host=host):
                    self.assertEqual(self.d.dig(name, rtype, *options, host=host), sorted(want))
        shouted = [line.lower() for line in self.d.dig(name.upper(), rtype)]  # names in answers echo the question's case
        self.assertEqual(sorted(shouted), sorted(line.lower() for line in want))

    def test_a_service_has_one_address_under_both_names(self):
        self.every_way("web.default.svc.cluster.local", "A", [self.web])
        self.every_way("web.default.cluster.local", "A", [self.web])

    def test_dual_stack_service_has_both_addresses(self):
        self.assertEqual(len(self.cart), 2)
        v4, v6 = self.cart
        for form in ("cart.shop.svc.cluster.local", "cart.shop.cluster.local"):
            self.every_way(form, "A", [v4])
            self.every_way(form, "AAAA", [v6])

    def test_srv_of_named_ports(self):
        target = "web.default.svc.cluster.local."
        self.every_way("_http._tcp.web.default.svc.cluster.local", "SRV", [f"0 100 80 {target}"])
        self.every_way("_metrics._tcp.web.default.cluster.local", "SRV", [f"0 100 9090 {target}"])
        self.every_way("web.default.svc.cluster.local", "SRV", [f"0 50 80 {target}", f"0 50 9090 {target}"])
        full = self.d.dig_full("_http._tcp.web.default.svc.cluster.local", "SRV")
        self.assertIn("ADDITIONAL: 2", full)  # the address and OPT
        self.assertIn(self.web, full)

    def test_ptr_of_virtual_ips_and_endpoints(self):
        for ip in [self.web, self.cart[0], self.cart[1]]:
            name = "web.default" if ip == self.web else "cart.shop"
            out = self.d.dig("-x", ip)
            self.assertEqual(out, [f"{name}.svc.cluster.local."])
        self.assertEqual(self.d.dig("-x", "10.244.1.20"), ["db-0.db.default.svc.cluster.local."])

    def test_headless_service_answers_with_ready_endpoints(self):
        self.every_way("db.default.svc.cluster.local", "A", ["10.244.1.20", "10.244.2.20"])
        self.every_way("db-1.db.default.svc.cluster.local", "A", ["10.244.2.20"])
        self.every_way("db-1.db.default.cluster.local", "A", ["10.244.2.20"])
        self.every_way("_postgres._tcp.db.default.svc.cluster.local", "SRV",
                       [f"0 50 5432 db-{i}.db.default.svc.cluster.local." for i in (0, 1)])
        self.assertEqual(self.d.rcode("db-2.db.default.svc.cluster.local"), "NXDOMAIN")

    def test_external_name_is_an_alias(self):
        for rtype in ("A", "AAAA", "CNAME"):
            self.every_way("docs.default.svc.cluster.local", rtype, ["docs.example.com."])

    def test_the_zone_itself(self):
        soa = self.d.dig("cluster.local", "SOA")
        self.assertEqual(len(soa), 1)
        self.assertRegex(soa[0], r"^ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5$")
        self.every_way("cluster.local", "NS", ["ns.dns.cluster.local."])
        self.every_way("dns-version.cluster.local", "TXT", ['"1.1.0"'])
        self.every_way("ns.dns.cluster.local", "A", ["127.0.0.1"])
        if has_ipv6():
            self.every_way("ns.dns.cluster.local", "AAAA", ["::1"])

    def test_nodata_and_nxdomain_carry_the_soa(self):
        nodata = ["svc.cluster.local", "default.svc.cluster.local", "default.cluster.local", "dns.cluster.local",
                  "_tcp.web.default.svc.cluster.local", "pod.cluster.local", "10.in-addr.arpa"]
        nxdomain = ["nobody.default.svc.cluster.local", "web.nowhere.svc.cluster.local", "nobody.cluster.local",
                    "a.web.default.svc.cluster.local", "_ftp._tcp.web.default.svc.cluster.local"]
        for name in nodata:
            with self.subTest(name=name):
                full = self.d.dig_full(name)
                self.assertIn("status: NOERROR", full)
                self.assertIn("ANSWER: 0, AUTHORITY: 1", full)
                self.assertIn("SOA", full)
        for name in nxdomain:
            with self.subTest(name=name):
                full = self.d.dig_full(name)
                self.assertIn("status: NXDOMAIN", full)
                self.assertIn("ANSWER: 0, AUTHORITY: 1", full)
        self.assertIn("ANSWER: 0, AUTHORITY: 1", self.d.dig_full("web.default.svc.cluster.local", "AAAA"))
        self.assertEqual(self.d.rcode("web.default.svc.cluster.local", "AAAA"), "NOERROR")

    def test_names_of_others_are_refused(self):
        self.assertEqual(self.d.rcode("www.example.com"), "REFUSED")

    def test_flags(self):
        full = self.d.dig_full("web.default.svc.cluster.local")
        self.assertRegex(full, r"flags: qr aa rd;")
        self.assertRegex(full, r"web\.default\.svc\.cluster\.local\.\s+5\s+IN\s+A")

    def test_a_large_answer_is_cut_over_udp_and_whole_over_tcp(self):
        endpoints = [{"addresses": [f"10.250.{i // 250}.{i % 250 + 1}"]} for i in range(300)]
        self.d.apply(f"""
apiVersion: v1
kind: Service
metadata: {{name: big, namespace: default}}
spec: {{clusterIP: None, ports: [{{port: 80}}]}}
""")
        code, body = self.d.request("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "big-1", "labels": {"kubernetes.io/service-name": "big"}},
            "ports": [{"port": 80, "protocol": "TCP", "name": ""}], "endpoints": endpoints})
        self.assertEqual(code, 201, body)
        self.d.dig_until(sorted(e["addresses"][0] for e in endpoints), "big.default.svc.cluster.local", "A", "+tcp")
        for options, least, most in ((["+noedns", "+ignore"], 25, 512), (["+bufsize=4096", "+ignore"], 70, 1232)):
            full = self.d.dig_full("big.default.svc.cluster.local", "A", "+notcp", *options)
            self.assertRegex(full, r"flags: qr aa tc rd;")
            self.assertGreaterEqual(full.count("10.250."), least)
            size = int(full.split("MSG SIZE  rcvd: ")[1].split()[0])
            self.assertLessEqual(size, most)

    def test_a_change_becomes_visible(self):
        manifest = """
apiVersion: v1
kind: Service
metadata: {name: flip, namespace: default}
spec: SPEC
"""
        self.d.apply(manifest.replace("SPEC", "{type: ExternalName, externalName: one.example.com}"))
        self.d.dig_until(["one.example.com."], "flip.default.svc.cluster.local", "CNAME")
        self.d.apply(manifest.replace("SPEC", "{type: ClusterIP, ports: [{port: 80}]}"))
        ip = self.d.request("GET", "/api/v1/namespaces/default/services/flip")[1]["spec"]["clusterIP"]
        self.d.dig_until([ip], "flip.default.svc.cluster.local")
        self.assertEqual(self.d.signpost("delete", "service", "flip").returncode, 0)
        self.d.dig_until([], "flip.default.svc.cluster.local")
        self.assertEqual(self.d.rcode("flip.default.svc.cluster.local"), "NXDOMAIN")


if __name__ == "__main__":
    unittest.main()
