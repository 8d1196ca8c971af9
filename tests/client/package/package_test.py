#!/usr/bin/env python3
"""Installs libsignpost to a temporary prefix and uses it as another project would: with find_package, and with
pkg-config and a bare compiler; runs the examples against a small DNS server.

usage: package_test.py BUILD_DIR SOURCE_DIR CC CXX [FLAGS…]
"""
import os, pathlib, shutil, socket, struct, subprocess, sys, tempfile, threading

WEB = "web.default.svc.cluster.local"


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(name, rtype, data):
    return wire(name) + struct.pack("!HHIH", rtype, 1, 5, len(data)) + data


def reply(query):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    name = ".".join(labels)
    (qtype,) = struct.unpack("!H", query[at + 1 : at + 3])
    answer, extra, rcode = [], [], 0
    if name == WEB and qtype == 1:
        answer = [record(WEB, 1, bytes([10, 96, 0, 5]))]
    elif name == "_http._tcp." + WEB and qtype == 33:
        answer = [record(name, 33, struct.pack("!HHH", 0, 0, 80) + wire(WEB))]
        extra = [record(WEB, 1, bytes([10, 96, 0, 5]))]
    elif name != WEB:
        rcode = 3
    head = query[:2] + struct.pack("!HHHHH", 0x8580 | rcode, 1, len(answer), 0, len(extra))
    return head + query[12 : at + 5] + b"".join(answer + extra)


def serve(sock):
    while True:
        try:
            query, peer = sock.recvfrom(4096)
        except OSError:
            return
        sock.sendto(reply(query), peer)


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    return done


def must(*command, **more):
    done = run(*command, **more)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def check_programs(env, cpp, c):
    for program in (cpp, c):
        for arguments, output, code in (
            (["web"], f"10.96.0.5 0 {WEB}\n", 0),
            (["web", "http"], f"10.96.0.5 80 {WEB}\n", 0),
            (["web.default", "8080"], f"10.96.0.5 8080 {WEB}\n", 0),
            (["nosuch"], "", 3),
            ([], "", 2),
        ):
            done = run(program, *arguments, env=env)
            expect(f"{program} {arguments}", (done.stdout, done.returncode), (output, code))
            if code:
                assert done.stderr, f"{program} {arguments} says nothing"


def snippets(source):
    """The C++ example of the README, as a program."""
    text = (pathlib.Path(source) / "client/README.md").read_text()
    block = text.split("```cpp\n", 1)[1].split("```", 1)[0]
    includes = [line for line in block.splitlines() if line.startswith("#include")]
    body = [line for line in block.splitlines() if not line.startswith("#include")]
    return "\n".join(["#include <iostream>", *includes, "int main() {", *body, "}", ""])


def main(build, source, cc, cxx, *flags):
    flags = [f for f in flags if f]
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="signpost-package-"))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(sock,), daemon=True).start()
    try:
        prefix = tmp / "prefix"
        for component in ("libsignpost", "libsignpost-dev"):
            must("cmake", "--install", build, "--component", component, "--prefix", prefix)
        headers = sorted(p.name for p in (prefix / "include/signpost").iterdir())
        expect("installed headers", headers, ["signpost.h", "signpost.hpp"])
        library = next(prefix.rglob("libsignpost.so.0"))
        names = must("nm", "-DC", "--defined-only", library)
        for line in names.splitlines():
            name = line.split(None, 2)[2]
            good = name.startswith(("signpost_", "SIGNPOST_0", "signpost::")) and "resolver" not in name and "detail" not in name
            assert good, f"exported but not public: {name}"

        env = dict(os.environ, SIGNPOST_DNS=f"127.0.0.1:{sock.getsockname()[1]}", SIGNPOST_NAMESPACE="default",
                   SIGNPOST_CLUSTER_DOMAIN="cluster.local")
        examples = pathlib.Path(source) / "client/examples"
        out = tmp / "examples"
        must("cmake", "-G", "Ninja", "-S", examples, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={cc}",
             f"-DCMAKE_CXX_COMPILER={cxx}", f"-DCMAKE_C_FLAGS={' '.join(flags)}", f"-DCMAKE_CXX_FLAGS={' '.join(flags)}")
        must("cmake", "--build", out)
        check_programs(env, out / "lookup_cpp", out / "lookup_c")
        lines = sorted(must(out / "many", "web", "web.default", "10.1.2.3", env=env).splitlines())
        expect("many", lines, ["10.1.2.3: 10.1.2.3", "web.default: 10.96.0.5", "web: 10.96.0.5"])
        lines = sorted(must(out / "poll", "web", "localhost", env=env).splitlines())
        expect("poll", lines, ["localhost: 127.0.0.1", "localhost: ::1", "web: 10.96.0.5"])
        done = run(out / "poll", "web", env=dict(env, SIGNPOST_DNS="nonsense"))
        assert done.returncode == 1 and "nonsense" in done.stderr, f"a bad option is not said: {done.stderr}"

        # A tree that was moved is found by pkg-config all the same.
        moved = tmp / "moved"
        prefix.rename(moved)
        library = next(moved.rglob("libsignpost.so.0"))
        pc_env = dict(os.environ, PKG_CONFIG_PATH=str(library.parent / "pkgconfig"))
        pkg = must("pkg-config", "--cflags", "--libs", "signpost", env=pc_env).split()
        must(cc, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *flags, examples / "lookup.c", "-o", tmp / "c", *pkg)
        must(cxx, "-std=c++20", "-Wall", "-Wextra", "-Werror", *flags, examples / "lookup.cpp", "-o", tmp / "cpp", *pkg)
        check_programs(dict(env, LD_LIBRARY_PATH=str(library.parent)), tmp / "cpp", tmp / "c")

        readme = tmp / "readme.cpp"
        readme.write_text(snippets(source))
        must(cxx, "-std=c++20", "-Wall", "-Werror", *flags, readme, "-o", tmp / "readme", *pkg)
        done = run(tmp / "readme", env=dict(env, LD_LIBRARY_PATH=str(library.parent)))
        expect("the README's example", (done.stdout, done.returncode), ("10.96.0.5 80\n", 0))

        # Headers stand alone, and the C one is also C++.
        for name, compiler, language in (("signpost.h", cc, "c"), ("signpost.h", cxx, "c++"), ("signpost.hpp", cxx, "c++")):
            std = "-std=c11" if language == "c" else "-std=c++20"
            must(compiler, "-fsyntax-only", std, "-Wall", "-Wextra", "-Werror", f"-I{moved}/include", "-x", language, "-",
                 input=f"#include <signpost/{name}>\n")
    finally:
        sock.close()
        shutil.rmtree(tmp, ignore_errors=True)
    print("package: ok")


main(*sys.argv[1:])
