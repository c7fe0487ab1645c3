"""The walls of level "namespaces": a view of the file system with one folder that can be written.

Inside, a submission sees the system's programs and this Python, read-only, and its own folder; no
network, no other process; it has no capability, and may not make user namespaces of its own, in
which it could mount memory beyond its limit. Bubblewrap builds this where it is installed and works
(from 0.8 on; as an ordinary user, who must be able to read this Python), else `unshare`,
`pivot_root` and `setpriv` of util-linux do.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

TEMPORARY, SHARED = 128 * 2**20, 64 * 2**20  # bytes of /tmp and /dev/shm


def readable() -> list[str]:
    """What a kernel must be able to read: system programs, this Python, its packages."""
    system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives"]
    system += ["/etc/ld.so.cache", "/etc/localtime", "/nix/store"]
    python = {os.path.abspath(p) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    python.add(str(Path(sys.executable).resolve().parent.parent))
    for package in ("ipykernel", "IPython", "zmq", "numpy", "torch"):
        spec = find_spec(package)
        if spec and spec.origin:
            python.add(str(Path(spec.origin).parent.parent))
    paths: list[str] = []
    for path in system + sorted(python):
        folders = [p for p in paths if not os.path.islink(p)]
        inside = any(path == folder or path.startswith(folder + "/") for folder in folders)
        if os.path.lexists(path) and path != "/" and not inside:
            paths.append(path)
    return paths


def bubblewrap(argv: list[str], work: str, uid: int) -> list[str]:
    """The command that runs `argv` within walls built by `bwrap`, as user `uid` if now root."""
    passwd = Path(work, ".passwd")
    passwd.write_text(_passwd(work, uid), encoding="utf-8")
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
    for path in readable():
        link = os.path.islink(path)
        options += ["--symlink", os.readlink(path), path] if link else ["--ro-bind", path, path]
    options += ["--proc", "/proc", "--dev", "/dev", "--ro-bind", str(passwd), "/etc/passwd"]
    for size, path in ((TEMPORARY, "/tmp"), (SHARED, "/dev/shm")):
        options += ["--size", str(size), "--perms", "1777", "--tmpfs", path]
    options += ["--bind", work, work, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", work]
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    # An interrupt is for the kernel alone: bwrap, which waits for it, would end with it.
    deaf = ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "deaf"]
    return [*(become if os.getuid() == 0 else []), *deaf, "bwrap", *options, "--", *argv]


# In the end the root is seen in one of its own folders: to whoever lives in such a folder (after
# chroot) the kernel refuses user namespaces.
_SCRIPT = f"""
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1; work=$2; passwd=$3; shift 3
mount -t tmpfs -o size=256m,mode=755 tmpfs "$root"
mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/etc" "$root/.old" "$root/view"
mount -t tmpfs -o size={TEMPORARY},mode=1777 tmpfs "$root/tmp"
while [ "$1" != "--" ]; do
  if [ -L "$1" ]; then mkdir -p "$(dirname "$root$1")"; ln -s "$(readlink "$1")" "$root$1"
  else
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; : > "$root$1"; fi
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro,nosuid "$root$1"
  fi
  shift
done
shift
for d in null zero random urandom; do
  : > "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"; mount -t tmpfs -o size={SHARED},mode=1777 tmpfs "$root/dev/shm"
echo "$passwd" > "$root/etc/passwd"
mkdir -p "$root$work"; mount --bind "$work" "$root$work"
mount -t proc proc "$root/proc" 2>/dev/null || true
cd "$root"; pivot_root . .old; umount -l /.old; rmdir /.old
mount -i -t tmpfs -o remount,ro,nosuid,nodev tmpfs /
mount --rbind / /view
exec chroot /view setpriv --no-new-privs --inh-caps=-all --bounding-set=-all $DROP -- "$@"
"""


def unshare(argv: list[str], work: str, uid: int) -> list[str]:
    """The command that runs `argv` within walls built by util-linux, as user `uid` if now root."""
    root = Path(work, ".view")  # becomes the root of what is seen inside; stays empty outside
    root.mkdir(exist_ok=True)
    root_user = os.getuid() == 0
    # The user is changed before the capabilities that would allow it are gone.
    drop = f"--reuid={uid} --regid={uid} --clear-groups" if root_user else ""
    script = ["/bin/sh", "-c", f"DROP='{drop}'\n{_SCRIPT}", "walls"]
    spaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    spaces += [] if root_user else ["--map-root-user"]
    arguments = [str(root), work, _passwd(work, uid), *readable(), "--", *argv]
    return ["setpriv", "--pdeathsig", "KILL", "unshare", *spaces, *script, *arguments]


def _passwd(work: str, uid: int) -> str:
    return f"student:x:{uid}:{uid}::{work}:/bin/sh"


BUILDERS = {"bwrap": bubblewrap, "unshare": unshare}
_TOOLS = {"bwrap": ["bwrap", "setpriv"], "unshare": ["unshare", "setpriv", "mount", "pivot_root"]}


def installed() -> list[str]:
    """The builders whose tools are there, the preferred one first."""
    if sys.platform != "linux":
        return []
    return [name for name, tools in _TOOLS.items() if all(map(shutil.which, tools))]
