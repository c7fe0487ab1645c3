"""JupyterHub for a class. Copy this file, change what is marked SET, and start

    jupyterhub -f jupyterhub_config.py

in the environment of the course, installed with its extra `hub`, which all students share and none
can write. What a student takes, and what that means for a class, is in GUIDE.md, "JupyterHub".
"""

import sys
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub puts it there

PROGRAMS = Path(sys.executable).parent

# SET who may come in. Left so, it is everybody with an account on this machine; for a university's
# login see "authenticators" in JupyterHub's manual.
c.Authenticator.allow_all = True
c.Authenticator.admin_users = set()

# Each start hands out, or brings up to date, the student's own copy of the notebooks, with empty
# outputs. A hub whose copy cannot be made (a full disk) starts all the same.
PREPARE = f'"{PROGRAMS}/course" lab --prepare >&2; exec "{PROGRAMS}/jupyterhub-singleuser" "$@"'
c.Spawner.cmd = ["/bin/sh", "-c", PREPARE, "jupyterhub-singleuser"]
c.Spawner.default_url = "/lab/tree/my-very-deep-networks/00_start_here.ipynb"

# SET the folder with MNIST, Fashion-MNIST and CIFAR, one for all, or take the line away. One thread
# a kernel: networks this thin gain nothing from a second one, and a class needs the cores.
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "COURSE_DATA": "/srv/course-data"}

# Kept by the spawners for systemd, Docker and Kubernetes. The plain one keeps neither.
c.Spawner.mem_limit = "1500M"
c.Spawner.cpu_limit = 1.0

# A notebook that is closed leaves its kernel behind, with all its memory: it ends after an hour
# without work, though a page may still show it (what was computed is lost, what was written not).
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
]

# At the beginning of a lesson everybody comes at once. So many start at a time; the others' pages
# try again by themselves. Where cores are few a start takes long, and is no failure.
c.JupyterHub.concurrent_spawn_limit = 10
c.Spawner.start_timeout = c.Spawner.http_timeout = 180

# Servers that nobody has used for an hour end.
CULL = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600", "--cull-every=300"]
c.JupyterHub.services = [{"name": "cull", "command": CULL}]
c.JupyterHub.load_roles = [  # without these rights it gets 403
    {
        "name": "cull",
        "services": ["cull"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
