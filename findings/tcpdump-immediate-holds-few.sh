#!/bin/bash
# tcpdump with --immediate-mode holds a handful of packets; what a burst has more is lost, and the capture shows none of it.
#
# It is what one reaches for to see packets at once. In immediate mode libpcap cuts its buffer of 2 MiB into slots that each hold
# the longest packet there may be, and the usual snapshot length (-s) makes that very long, however short those are that come. Who
# reads such a capture for what a router drops finds losses that were tcpdump's own; only its last lines on standard error tell.
set -eu
. "$(dirname "$0")/lib.sh"
debian tcpdump=4.99.3-1 libpcap0.8=1.10.3-1
own_network

count=200
# caught OPTION...: how many of the packets come into the file, sent while tcpdump has no time for them.
caught() {
  : >"$folder/said"
  tcpdump -i lo -Z root -U "$@" -w "$folder/caught" 'udp dst port 9' 2>"$folder/said" &
  local dump=$!
  until_true 10 grep -q 'listening on' "$folder/said"
  sleep 0.3
  kill -STOP $dump
  echo OPTIONS | node "$here/udp.mjs" send 127.0.0.1:5060 127.0.0.1:9 $count
  kill -CONT $dump
  sleep 1
  kill -INT $dump
  wait $dump || true
  tcpdump -r "$folder/caught" 2>/dev/null | wc -l
}

plain=$(caught) both=$(caught --immediate-mode) short=$(caught --immediate-mode -s 1500)
expected "all $count small packets of a burst, with --immediate-mode as without"
seen "without: $plain; --immediate-mode: $both; --immediate-mode -s 1500: $short"
[ "$plain" = $count ] && [ "$short" = $count ] && [ "$both" -lt 20 ] || changed
as_described
