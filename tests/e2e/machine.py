"""A Debian 12 of its own for tests that install and boot: a folder made by debootstrap, started by systemd-nspawn.

    machine = Machine()                          # ends the program with 77 where it cannot be
    machine.run("apt-get", "install", "-y", …)   # in a chroot, with this machine's network
    machine.boot("systemctl is-active …")        # a shell script, run once systemd is up; a network of its own

SIGNPOST_DEBIAN names a folder that debootstrap made; it is copied instead of made anew.
"""
import atexit, os, pathlib, shutil, subprocess, sys, tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/bin/bash /root/script >/root/said 2>&1; echo $? >/root/code'
ExecStopPost=/bin/systemctl --no-block --force poweroff
[Install]
WantedBy=default.target
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def need(*programs):
    if os.geteuid() != 0:
        skip("only root can make and boot a machine")
    for program in programs:
        if not shutil.which(program):
            skip(f"there is no {program} here; Debian's packages debootstrap and systemd-container have it")


def mirror():
    """Where this machine has its packages from, or DEBIAN_MIRROR."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm"],
                            capture_output=True, text=True).stdout.split()
    return os.environ.get("DEBIAN_MIRROR") or (listed[0] if listed else skip("this machine has no Debian 12 packages; set DEBIAN_MIRROR"))


class Machine:
    def __init__(self):
        need("debootstrap", "systemd-nspawn")
        work = pathlib.Path(tempfile.mkdtemp(prefix="signpost-machine."))
        atexit.register(shutil.rmtree, work, ignore_errors=True)
        self.root = work / "root"
        made = os.environ.get("SIGNPOST_DEBIAN")
        if made:
            subprocess.run(["cp", "-a", "--reflink=auto", made, self.root], check=True)
        else:
            print("machine: a bare Debian 12 by debootstrap", flush=True)
            done = subprocess.run(["debootstrap", "--variant=minbase", "bookworm", self.root, mirror()], capture_output=True, text=True)
            if done.returncode:
                skip("debootstrap does not get Debian's packages: " + done.stdout.strip().splitlines()[-1])

    def run(self, *command, network=True, said=None, check=True):
        """A command in the folder; without `network` in a loopback of its own. What it prints goes to `said`, else is shown."""
        shell = "exec chroot \"$@\"" if network else "ip link set lo up && exec chroot \"$@\""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}
        isolated = [] if network else ["--net"]
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", *isolated, "sh", "-c",
                               f'mount -t proc proc "$1/proc" && {shell}', "sh", self.root, *command],
                              env=environment, stdout=subprocess.PIPE if said is not None else None, stderr=subprocess.STDOUT, text=True)
        if said is not None:
            said.append(done.stdout)
        if check and done.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed with {done.returncode}:\n{done.stdout or ''}")
        return done

    def boot(self, script, timeout=300):
        """Starts systemd, runs the bash script as root once it is up, ends. (exit code, what it printed)."""
        (self.root / "root/script").write_text(script)
        (self.root / "etc/systemd/system/script.service").write_text(UNIT)
        for old in ("said", "code"):
            (self.root / "root" / old).unlink(missing_ok=True)
        wants = self.root / "etc/systemd/system/default.target.wants"
        wants.mkdir(exist_ok=True)
        if not (wants / "script.service").is_symlink():
            (wants / "script.service").symlink_to("/etc/systemd/system/script.service")
        done = subprocess.run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--resolv-conf=off",
                               "--link-journal=no", "-D", self.root, "--boot"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout)
        code = self.root / "root/code"
        if not code.exists():
            skip("systemd does not start in a container here:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-5:]))
        return int(code.read_text()), (self.root / "root/said").read_text(errors="replace")
