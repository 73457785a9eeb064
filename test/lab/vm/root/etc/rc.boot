#!/bin/sh
# What procd does at boot: every enabled init script in order. The agent waits for the file written at the end.
exec >/tmp/boot.log 2>&1
mkdir -p /tmp/lock /tmp/log /tmp/run /tmp/state /tmp/sysinfo
for script in /etc/rc.d/S*; do
	"$script" boot || echo "$script boot: status $?"
done
cat /proc/uptime >/tmp/boot.done
