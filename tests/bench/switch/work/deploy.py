from pyinfra import host
from pyinfra.operations import apt, files, server, systemd

server.hostname(hostname="alpha")
apt.packages(
    packages=[
        "ca-certificates", "dbus", "iproute2", "kmod", "libnss-systemd",
        "nftables", "openssh-server", "procps", "sudo", "tzdata",
    ],
)
server.user(user="bench", shell="/bin/bash")
files.directory("/etc/bench")
for number in range(1, 31):
    files.template(
        src="file.j2", dest=f"/etc/bench/{number}.conf", item=number, version=host.data.version
    )
sysctl = files.template(src="sysctl.j2", dest="/etc/sysctl.d/60-bench.conf")
server.shell(["sysctl -qp /etc/sysctl.d/60-bench.conf"], _if=sysctl.did_change)
firewall = files.template(src="firewall.j2", dest="/etc/bench.nft")
server.shell(["nft -f /etc/bench.nft"], _if=firewall.did_change)
units = [
    files.template(src="unit.j2", dest=f"/etc/systemd/system/bench-{number}.service", item=number)
    for number in range(1, 6)
]
systemd.daemon_reload(_if=lambda: any(unit.did_change() for unit in units))
for number in range(1, 6):
    systemd.service(f"bench-{number}.service", running=True, enabled=True)
