#!/bin/bash
# sngrep takes HEP3 over the network and saves it as pcap with IPv6 addresses as 0.0.0.0 and TCP messages as UDP, and
# exits 0.
#
# Its screen and its reading of the messages are right; only the file is wrong, which is what one sends to a provider.
# Calls over IPv6 become calls from 0.0.0.0 to 0.0.0.0, all alike.
set -eu
. "$(dirname "$0")/lib.sh"
debian sngrep=1.6.0-1 tcpdump=4.99.3-1
own_network

TERM=xterm sngrep -N -L udp:127.0.0.1:9060 -O "$folder/hep.pcap" </dev/null >/dev/null 2>&1 &
sngrep=$!
# shellcheck disable=SC2317 # called by until_true
listens() { ss -Hlun 'sport = :9060' | grep -q .; }
until_true 10 listens || cannot 'sngrep does not listen'
# The same request three times, as an agent reports it: IPv4 and UDP, IPv4 and TCP, IPv6 and UDP.
request OPTIONS 192.0.2.1:5060 | node -e '
  const sip = require("fs").readFileSync(0);
  const chunk = (type, ...bytes) => Buffer.from([0, 0, type >> 8, type & 255, (bytes.length + 6) >> 8, (bytes.length + 6) & 255, ...bytes]);
  const report = (family, protocol, source, target) => {
    const six = family === 10;
    const body = Buffer.concat([chunk(1, family), chunk(2, protocol), chunk(six ? 5 : 3, ...source), chunk(six ? 6 : 4, ...target),
      chunk(7, 19, 196), chunk(8, 19, 196), chunk(9, 0x65, 0, 0, 0), chunk(10, 0, 0, 0, 0), chunk(11, 1),
      chunk(12, 0, 0, 0, 7), chunk(15, ...sip)]);
    return Buffer.from([..."HEP3"].map((letter) => letter.charCodeAt(0)).concat((body.length + 6) >> 8, (body.length + 6) & 255, ...body));
  };
  const six = (last) => [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
  const socket = require("dgram").createSocket("udp4");
  socket.send(report(2, 17, [192, 0, 2, 1], [203, 0, 113, 10]), 9060, "127.0.0.1");
  socket.send(report(2, 6, [192, 0, 2, 1], [203, 0, 113, 10]), 9060, "127.0.0.1");
  socket.send(report(10, 17, six(1), six(2)), 9060, "127.0.0.1", () => socket.close());'
sleep 1
kill -INT "$sngrep"
status=0
wait "$sngrep" || status=$?
rows=$(tcpdump -nn -t -v -r "$folder/hep.pcap" 2>/dev/null |
  awk '/^IP/ { transport = /TCP \(6\)/ ? "TCP" : "UDP" } /^ +[0-9a-f.:]+ > / { sub(/:$/, "", $3); print transport, $1, ">", $3 }')
expected "UDP 192.0.2.1.5060 > 203.0.113.10.5060, TCP the same, UDP 2001:db8::1.5060 > 2001:db8::2.5060"
seen "exit $status, $(paste -sd, <<<"$rows" | sed 's/,/, /g')"
ipv4='UDP 192.0.2.1.5060 > 203.0.113.10.5060' # for the first two, TCP or not
[[ $status -eq 0 && $rows = "$ipv4"$'\n'"$ipv4"$'\nUDP 0.0.0.0.5060 > 0.0.0.0.5060' ]] || changed
as_described
