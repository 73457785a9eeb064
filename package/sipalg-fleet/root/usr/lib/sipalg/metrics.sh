#!/bin/sh
# Writes the metrics for the textfile collector of prometheus-node-exporter-lua, again and again. Run by procd
# (/etc/init.d/sipalg-metrics). $1: seconds between two; what is no number from 10 to 86400 is 60.

PROG=/usr/sbin/sipalg
FILE=/var/prometheus/sipalg.prom
EVERY=60
case "$1" in [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9] | [1-8][0-9][0-9][0-9][0-9]) EVERY=$1 ;; esac

nap=''
trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null; rm -f "$FILE"; exit 0' TERM INT
said=''
while :; do
	# What is wrong is said once, not each minute; the metrics grow old meanwhile, and that is what an alert is for.
	if problem=$("$PROG" metrics --file "$FILE" 2>&1); then
		said=''
	elif [ "$problem" != "$said" ]; then
		logger -t sipalg -p daemon.err "the metrics could not be written: $problem"
		said=$problem
	fi
	sleep "$EVERY" &
	nap=$!
	wait "$nap"
done
