#!/usr/bin/env python3
"""Checks that includes only point down the layers and that every header opens as the style asks.

usage: layers.py SOURCE_DIR

    3   server        client
    2   zone          discovery
    1   zone/wire     discovery/model, discovery/memory

A file includes files of its own layer's folder and of the layers below, nothing else; the two of one line never
include each other. The exceptions are those of the design: zone and discovery (layer 2) both may use layer 1 as a
whole; client uses of layer 2 only discovery/watch and discovery/environment.
"""
import pathlib, re, sys

ROOMS = ["zone/wire", "discovery/model", "discovery/memory", "zone", "discovery", "server", "client"]
MAY = {
    "zone/wire": {"zone/wire"},
    "discovery/model": {"discovery/model"},
    "discovery/memory": {"discovery/memory"},
    "zone": {"zone", "zone/wire", "discovery/model", "discovery/memory"},
    "discovery": {"discovery", "discovery/model", "discovery/memory", "zone/wire"},
    "server": {"server", "zone", "discovery", "zone/wire", "discovery/model", "discovery/memory"},
    "client": {"client", "zone/wire", "discovery/model"},
}
CLIENT_EXTRA = ("discovery/watch/", "discovery/environment/")


def room(path):
    for r in ROOMS:
        if path.startswith(r + "/"):
            return r
    return None


def main(root):
    bad = []
    root = pathlib.Path(root)
    for top in ("zone", "discovery", "server", "client"):
        for f in sorted((root / top).rglob("*")):
            if f.suffix not in (".hpp", ".cpp", ".h"):
                continue
            here = str(f.relative_to(root))
            text = f.read_text()
            for n, line in enumerate(text.splitlines(), 1):
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not m:
                    continue
                to = room(m[1])
                if to is None:
                    if not m[1].startswith("signpost/"):
                        bad.append(f"{here}:{n}: write the include from the top of the tree: \"{m[1]}\"")
                    continue
                if room(here) == "client" and m[1].startswith(CLIENT_EXTRA):
                    continue
                if to not in MAY[room(here)]:
                    bad.append(f"{here}:{n}: {room(here)} must not include {m[1]}")
            if f.suffix in (".hpp", ".h"):
                if not text.startswith("//") and not text.startswith("/*"):
                    bad.append(f"{here}:1: a header opens with one sentence of purpose")
                if f.suffix == ".hpp" and "#pragma once" not in text:
                    bad.append(f"{here}:1: #pragma once is missing")
            if text.count("\n") > 800:
                bad.append(f"{here}: {text.count(chr(10))} lines; at 800 a file is two")
    for b in bad:
        print(b)
    print(f"layers: {len(bad)} violations")
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
