#!/bin/sh
# What procd does at boot: every enabled init script in order. The agent waits for the file written at the end.
exec >/tmp/boot.out 2>/tmp/boot.log
mkdir -p /tmp/lock /tmp/log /tmp/run /tmp/state /tmp/sysinfo
for script in /etc/rc.d/S*; do
	"$script" boot || echo "$script boot: status $?" >&2
done
cat /proc/uptime >/tmp/boot.done
