#!/usr/bin/env python3
"""libsignpost, through its C interface, against a real daemon: services beyond one message, short names as getaddrinfo
reads them, a loop of the program's own, link-local servers."""
import ctypes, ipaddress, json, os, select, shutil, socket, struct, subprocess, sys, tempfile, threading, unittest

from daemon import BIN, PATIENCE, SIGNPOST, SOURCE, Daemon, run

LIBRARY = BIN.parent / "lib/libsignpost.so"
OK, NOT_FOUND, NO_PORT = 0, 1, 14


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("servers", ctypes.c_char_p), ("name_space", ctypes.c_char_p),
                ("cluster_domain", ctypes.c_char_p), ("timeout_ms", ctypes.c_uint), ("tries", ctypes.c_uint),
                ("delivery", ctypes.c_uint), ("resolv_conf", ctypes.c_char_p)]


class Query(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("port", ctypes.c_char_p),
                ("protocol", ctypes.c_char_p), ("family", ctypes.c_int), ("timeout_ms", ctypes.c_uint)]


class Endpoint(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("address", ctypes.c_char_p), ("target", ctypes.c_char_p),
                ("port", ctypes.c_uint16), ("priority", ctypes.c_uint16), ("weight", ctypes.c_uint16),
                ("ttl", ctypes.c_uint32), ("family", ctypes.c_int), ("bytes", ctypes.c_uint8 * 16),
                ("scope_id", ctypes.c_uint32)]


Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def load():
    lib = ctypes.CDLL(str(LIBRARY))
    pointer, out = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    lib.signpost_open.argtypes = [ctypes.POINTER(Options), out]
    lib.signpost_close.argtypes = lib.signpost_result_free.argtypes = lib.signpost_fd.argtypes = [pointer]
    lib.signpost_resolve.argtypes = [pointer, ctypes.POINTER(Query), out]
    lib.signpost_resolve_async.argtypes = [pointer, ctypes.POINTER(Query), Callback, pointer, out]
    lib.signpost_result_count.argtypes = lib.signpost_process.argtypes = [pointer]
    lib.signpost_result_count.restype = lib.signpost_process.restype = ctypes.c_size_t
    lib.signpost_result_endpoint.argtypes = [pointer, ctypes.c_size_t, ctypes.POINTER(Endpoint)]
    lib.signpost_result_partial.argtypes = lib.signpost_result_name.argtypes = [pointer]
    lib.signpost_result_name.restype = ctypes.c_char_p
    return lib


class Client:
    def __init__(self, servers, delivery=0):
        self.lib, self.client = load(), ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), servers.encode(), b"default", b"cluster.local", PATIENCE * 1000, 0, delivery,
                          b"/nonexistent")
        assert self.lib.signpost_open(options, ctypes.byref(self.client)) == OK

    def close(self):
        self.lib.signpost_close(self.client)

    def query(self, name, port=None):
        return Query(ctypes.sizeof(Query), name.encode(), port and port.encode(), None, 0, 0)

    def resolve(self, name, port=None):
        """(error, {(address, port)}, partial)"""
        result = ctypes.c_void_p()
        error = self.lib.signpost_resolve(self.client, self.query(name, port), ctypes.byref(result))
        endpoints = set()
        for i in range(self.lib.signpost_result_count(result)):
            e = Endpoint(ctypes.sizeof(Endpoint))
            self.lib.signpost_result_endpoint(result, i, e)
            endpoints.add((e.address.decode(), e.port))
        partial = bool(self.lib.signpost_result_partial(result))
        self.lib.signpost_result_free(result)
        return error, endpoints, partial


def service(name, endpoints, hostnames=False):
    """A headless service and its slices."""
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
           "spec": {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"name": "http", "port": 80}]}}
    for first in range(0, endpoints, 500):
        yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
               "metadata": {"name": f"{name}-{first}", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
               "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
               "endpoints": [{"addresses": [str(ipaddress.ip_address("10.2.0.0") + i)], "conditions": {"ready": True},
                              **({"hostname": f"{name}-{i}"} if hostnames else {})}
                             for i in range(first, min(endpoints, first + 500))]}


@unittest.skipUnless(LIBRARY.exists() and BIN.resolve() == (SOURCE / "build/release/bin").resolve(),
                     "the library is loaded into this interpreter, which a sanitizer's cannot be")
class Library(unittest.TestCase):
    SIZES = (10, 290, 800, 1000, 1200, 3000)

    @classmethod
    def setUpClass(cls):
        items = [o for n in cls.SIZES for o in service(f"c{n}", n)] + list(service("db", 700, hostnames=True))
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": items}, file)
        cls.objects = file.name
        cls.d = Daemon(objects=[cls.objects]).__enter__()
        cls.client = Client(f"127.0.0.1:{cls.d.dns_port}")

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.d.__exit__(None, None, None)
        os.unlink(cls.objects)

    def test_all_endpoints_of_a_port_are_found(self):
        for n in self.SIZES:
            with self.subTest(n):
                error, endpoints, partial = self.client.resolve(f"c{n}", "http")
                self.assertEqual(error, OK)
                self.assertEqual(endpoints, {(str(ipaddress.ip_address("10.2.0.0") + i), 8080) for i in range(n)})
                self.assertEqual(partial, n > 1100)  # SRV records do not fit one message

    def test_short_names(self):
        for name in ("db-3.db", "db-3.db.default", "db-3.db.default.svc", "db-3.db.default.svc.cluster.local."):
            self.assertEqual(self.client.resolve(name), (OK, {("10.2.0.3", 0)}, False))
        for name in ("db-9999.db", "nosuch", "nosuch.default", "www.example.com"):
            self.assertEqual(self.client.resolve(name)[0], NOT_FOUND)
        self.assertEqual(self.client.resolve("db", "nosuch")[0], NO_PORT)
        self.assertEqual(self.client.resolve("localhost")[1], {("127.0.0.1", 0), ("::1", 0)})

    def test_a_loop_of_ones_own(self):
        client, got = Client(f"127.0.0.1:{self.d.dns_port}", delivery=1), []

        def note(context, error, result):
            got.append((error, client.lib.signpost_result_count(result), threading.get_ident()))
            client.lib.signpost_result_free(result)

        callback = Callback(note)
        for name in ("c10", "c290", "nosuch"):
            self.assertEqual(client.lib.signpost_resolve_async(client.client, client.query(name), callback, None, None), OK)
        fd = client.lib.signpost_fd(client.client)
        while len(got) < 3:
            self.assertTrue(select.select([fd], [], [], PATIENCE)[0])
            client.lib.signpost_process(client.client)
        self.assertFalse(select.select([fd], [], [], 0)[0])
        self.assertEqual(sorted(g[:2] for g in got), [(OK, 10), (OK, 290), (NOT_FOUND, 0)])
        self.assertEqual({g[2] for g in got}, {threading.get_ident()})
        client.close()

    def test_link_local_servers(self):
        unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("this machine does not let us make network namespaces (unshare)")
        done = run(*unshare, sys.executable, __file__, "link-local")
        self.assertEqual((done.returncode, done.stdout), (0, "10.0.0.1 10.0.0.1\n"), done.stderr)


def link_local():
    """In a network namespace of its own: a server at fe80::1 of lo, asked by the library and by signpost."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "-6", "address", "add", "fe80::1/64", "dev", "lo", "nodad"], check=True)
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("fe80::1", 5300, 0, socket.if_nametoindex("lo")))

    def serve():
        while True:
            query, peer = server.recvfrom(4096)
            at = 12
            while query[at]:
                at += 1 + query[at]
            answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + bytes([10, 0, 0, 1]) if query[at + 2] == 1 else b""
            server.sendto(query[:2] + struct.pack("!HHHHH", 0x8580, 1, 1 if answer else 0, 0, 0) + query[12 : at + 5] + answer, peer)

    threading.Thread(target=serve, daemon=True).start()
    client = Client("[fe80::1%lo]:5300")
    found = {address for address, _ in client.resolve("web")[1]}
    client.close()
    print(*found, run(SIGNPOST, "--dns", "[fe80::1%lo]:5300", "resolve", "web", "A", "-o", "short").stdout.strip())


if __name__ == "__main__":
    link_local() if sys.argv[1:] == ["link-local"] else unittest.main()
