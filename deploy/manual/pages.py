#!/usr/bin/env python3
"""Makes the manual pages: signpostd(8), signpost(1) and signpost-corefile(5) of what the programs print of their own
tables (`--reference`, `reference`), libsignpost(3) of the public header. Nothing is listed here a second time.

@config@ and @state@ in them are written by install.cmake.

usage: pages.py --signpostd PROGRAM --signpost PROGRAM --header signpost.h --output DIR
"""
import argparse, itertools, json, os, pathlib, re, subprocess, time

SOURCES = "Signpost"


def escape(text):
    """Text for roff: nothing in it is taken for a request or an escape, and hyphens stay what was typed."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha")
    text = text.replace("~", "\\(ti").replace("…", "...").replace("“", '"').replace("”", '"').replace("–", "\\(en")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return re.sub(r"(?m)^\.", "\\\\&.", text)


def sentence(text):
    """A meaning of the tables, as a sentence."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


class Page:
    def __init__(self, name, section, version, purpose):
        # Packages are built again, octet for octet, from a date that the builder gives.
        date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
        self.file = f"{name}.{section}"
        self.lines = [f'.TH "{name.upper()}" "{section}" "{date}" "{SOURCES} {version}" "{SOURCES}"',
                      ".nh", ".SH NAME", f"{escape(name)} \\- {escape(purpose)}"]

    def heading(self, text):
        self.lines.append(f".SH {text}")

    def sub(self, text):
        self.lines.append(f'.SS "{escape(text)}"')

    def new_paragraph(self):
        if not self.lines[-1].startswith((".SH", ".SS")):
            self.lines.append(".PP")

    def paragraph(self, text):
        self.new_paragraph()
        self.lines.append(escape(" ".join(text.split())))

    def item(self, term, text):
        self.lines += [".TP", f"\\fB{escape(term)}\\fR", escape(" ".join(text.split()))]

    def verbatim(self, text, bold=False):
        self.new_paragraph()
        self.lines += [".nf", *(["\\fB"] if bold else []), escape(text.rstrip("\n")), *(["\\fR"] if bold else []), ".fi"]

    def indented(self, make):
        self.lines.append(".RS")
        make()
        self.lines.append(".RE")

    def see_also(self, *pages):
        self.heading('"SEE ALSO"')
        self.lines.append(",\n".join(f"\\fB{escape(name)}\\fR({section})" for name, section in pages))

    def write(self, directory):
        (directory / self.file).write_text("\n".join(self.lines) + "\n")


def signpostd(reference):
    page = Page("signpostd", 8, reference["version"], reference["purpose"])
    page.heading("SYNOPSIS")
    page.verbatim("\n".join(reference["usage"]), bold=True)
    page.heading("DESCRIPTION")
    page.paragraph("signpostd answers DNS for the services of a cluster, keeps the registry of these services, which it serves "
                   "with a subset of the Kubernetes REST API, and forwards and caches other names where it is told to.")
    page.paragraph("Without --config the flags are the configuration; a Corefile, signpost-corefile(5), says more. "
                   "The installed service reads @config@.")
    page.heading("OPTIONS")
    for flag in reference["flags"]:
        page.item(" ".join(filter(None, (flag["name"], flag["value"]))), sentence(flag["meaning"]))
    page.heading("EXAMPLES")
    for example in reference["examples"]:
        page.item(example["command"], example["meaning"].split("\n")[0])
        if "\n" in example["meaning"]:
            page.indented(lambda text=example["meaning"].split("\n", 1)[1]: page.verbatim(text))
    page.heading('"EXIT STATUS"')
    page.paragraph(sentence(reference["exit"]))
    page.heading("FILES")
    page.item("@config@", "The configuration of the installed service.")
    page.item("@state@", "Where the installed service keeps its registry.")
    page.see_also(("signpost-corefile", 5), ("signpost", 1), ("libsignpost", 3))
    return page


def entries(page, list_):
    for entry in list_:
        page.item(entry["usage"], sentence(entry["meaning"]))
        if entry["options"]:
            page.indented(lambda: entries(page, entry["options"]))


def corefile(reference):
    page = Page("signpost-corefile", 5, reference["version"], "the configuration of signpostd")
    page.heading("SYNOPSIS")
    page.lines.append("\\fB@config@\\fR")
    page.heading("DESCRIPTION")
    page.paragraph("A Corefile is what CoreDNS calls its configuration. It is a list of server blocks: names of zones, with a "
                   "port where it is not 53, and in braces what answers them, a directive a line. Of all blocks of an address "
                   "the one with the longest zone that holds a name answers it.")
    page.verbatim("ZONE[:PORT]... {\n    DIRECTIVE ARGUMENT... {\n        OPTION ARGUMENT...\n    }\n}")
    page.paragraph("Words are divided by blanks and may stand in double quotes; # begins a comment. {$NAME} is replaced by the "
                   "environment's variable NAME. (NAME) { ... } is a snippet, and import NAME, or import FILE, puts one in.")
    page.paragraph("What CoreDNS has and Signpost has not is refused by name, with file and line; what cannot change an answer "
                   "is accepted with a warning. signpostd --config FILE --check tells without starting anything.")
    page.heading("DIRECTIVES")
    entries(page, reference["directives"])
    page.see_also(("signpostd", 8))
    return page


def usage_of(option):
    value = re.sub(r"^TEXT:(?=\{)", "", option["value"]) or ""
    value = "|".join(value[1:-1].split(",")) if value.startswith("{") else value
    return ", ".join(option["names"]) + (f" {value}" if value else "")


def signpost(reference):
    page = Page("signpost", 1, reference["version"], "shows and changes the services of a cluster")
    page.heading("SYNOPSIS")
    page.lines.append("\\fBsignpost\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]")
    page.heading("DESCRIPTION")
    page.paragraph(sentence(reference["meaning"]) + " It asks the API of a signpostd(8), or of any server that speaks the "
                   "Kubernetes API, and its DNS.")

    def options(command):
        for option in command["options"]:
            if "--help" not in option["names"]:
                page.item(usage_of(option), sentence(option["meaning"]) +
                          (f" Default: {option['default']}." if option["default"] else ""))

    page.heading("OPTIONS")
    options(reference)
    page.heading("COMMANDS")
    for command in reference["commands"]:
        page.sub(" ".join([command["name"], *(p["names"][0] if p["required"] else f"[{p['names'][0]}]"
                                               for p in command["positionals"])]))
        page.paragraph(sentence(command["meaning"]))
        for positional in command["positionals"]:
            page.item(positional["names"][0], sentence(positional["meaning"]))
        options(command)
        page.verbatim(command["footer"].split("\n\nOptions of all commands")[0])
    page.heading("NOTES")
    page.verbatim(reference["footer"])
    page.see_also(("signpostd", 8), ("libsignpost", 3))
    return page


def comment_text(comment):
    """Lines of a /* … */ comment, without its stars."""
    return [re.sub(r"^ ?\* ?", "", line) for line in comment.strip()[2:-2].strip().splitlines()]


def prose(page, lines):
    """Text in paragraphs, and what is indented as it stands."""
    for code, block in itertools.groupby(lines, key=lambda line: line.startswith(" ") if line else None):
        if code:
            page.verbatim("\n".join(block))
        elif code is False:
            page.paragraph(" ".join(block))


def libsignpost(header, version):
    text = pathlib.Path(header).read_text()
    page = Page("libsignpost", 3, version, "finds the addresses and ports of services")
    page.heading("SYNOPSIS")
    page.verbatim("#include <signpost/signpost.h>      /* C */\n#include <signpost/signpost.hpp>    // C++20\n\n"
                  "cc program.c $(pkg-config --cflags --libs signpost)", bold=True)
    page.heading("DESCRIPTION")
    opening = re.match(r"/\*.*?\*/", text, re.S).group(0)
    prose(page, comment_text(opening))
    body = text[text.index("SIGNPOST_C_API __attribute__"):].split("\n", 1)[1].rsplit("#ifdef __cplusplus", 1)[0]
    page.heading("DECLARATIONS")
    # A comment speaks of the declarations behind it, up to the next comment or blank line.
    for group in re.findall(r"(/\*(?:(?!\*/).)*\*/\n)?((?:(?:SIGNPOST_C_API|typedef)[^;{]*(?:\{[^}]*\}[^;]*)?;\n)+)", body, re.S):
        comment, declarations = group
        page.verbatim(declarations.replace("SIGNPOST_C_API ", ""), bold=True)
        if comment:
            page.indented(lambda: prose(page, comment_text(comment)))
    page.see_also(("signpostd", 8), ("signpost", 1), ("getaddrinfo", 3))
    return page


def output_of(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def main():
    parser = argparse.ArgumentParser()
    for name in ("signpostd", "signpost", "header", "output"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    daemon = output_of(options.signpostd, "--reference")
    client = output_of(options.signpost, "reference")
    directory = pathlib.Path(options.output)
    directory.mkdir(parents=True, exist_ok=True)
    for page in (signpostd(daemon), corefile(daemon), signpost(client),
                 libsignpost(options.header, daemon["version"])):
        page.write(directory)


main()
