"""Programs of the ecosystem that are built from their Go modules and run against a signpostd of the test's.

Each folder beside this file that has a go.mod is one of them: its versions are pinned there.
"""
import contextlib, pathlib, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "process"))

SKIPPED = 77
PATIENCE = 60


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def fetch(module, *flags):
    if shutil.which("go") is None:
        skip("there is no go on the PATH")
    fetched = subprocess.run(["go", "mod", "download", *flags], cwd=module, capture_output=True, text=True)
    if fetched.returncode != 0:
        skip(f"the Go modules of {module.name} cannot be had: {fetched.stderr.strip()}")


def build(folder, package, *flags):
    """The program's path. Go keeps what it has compiled, so only the first build takes its minutes."""
    module = HERE / folder
    fetch(module)
    program = pathlib.Path(tempfile.gettempdir()) / f"signpost-e2e-{package.rsplit('/', 1)[-1]}"
    subprocess.run(["go", "build", *flags, "-o", str(program), package], cwd=module, check=True)
    return str(program)


@contextlib.contextmanager
def running(work, *command, env=None):
    """The program, until the end of the block; what it said goes to the terminal when the block fails."""
    log = pathlib.Path(work) / (pathlib.Path(command[0]).name + ".log")
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
    try:
        yield process
    except BaseException:
        print(log.read_text(errors="replace")[-6000:])
        raise
    finally:
        process.terminate()
        process.wait(PATIENCE)


def eventually(what, holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.1)


def post(daemon, path, body):
    code, answer = daemon.request("POST", path, body)
    if code != 201:
        raise AssertionError(f"{path}: {code} {answer}")
    return answer


def slice_of(service, name, endpoints, ports=(("http", 8080),), family="IPv4"):
    """`endpoints`: (address, ready, hostname or None)."""
    return {"metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}}, "addressType": family,
            "endpoints": [{"addresses": [a], "conditions": {"ready": ready}, **({"hostname": h} if h else {})}
                          for a, ready, h in endpoints],
            "ports": [{"name": n, "port": p, "protocol": "TCP"} for n, p in ports]}
