#!/bin/bash
# Whether the kernel's SIP helper rewrites a long INVITE over TCP depends on the segmentation offload of network
# cards.
#
# The helper reads each packet by itself. With offload (GSO, TSO, GRO) a 7 kB message passes the router as one packet,
# and all of it is rewritten; cut into segments of the wire's size, the same message arrives as it was sent. So the
# ALG is "on" in a lab of virtual machines and "off" on a wire, or the reverse.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router
nft -f - <<'NFT'
table inet algtcp {
  ct helper sip { type "sip" protocol tcp; }
  chain prerouting { type filter hook prerouting priority 0; iifname "lan0" tcp dport 5060 ct helper set "sip"; }
}
NFT

# Contact stands in front, Content-Length and SDP behind 6 kB of Route headers.
{ sdp 192.168.1.10 16384 | request INVITE 192.168.1.10:5060 application/sdp; echo .; } | sed '$s/\.$//' >"$folder/short"
{
  sed '/^Content-Type/,$d' "$folder/short"
  for ((i = 0; i < 100; i++)); do printf 'Route: <sip:proxy-%03d.example.net;lr;x=yyyyyyyyyyyyyyyyyyyyyyyy>\r\n' "$i"; done
  sed -n '/^Content-Type/,$p' "$folder/short"
} >"$folder/message"

arrives() { # FILE: the message as the provider reads it
  rm -f "$folder/listens"
  ip netns exec provider node -e '
    const [file, ready] = process.argv.slice(1);
    const { writeFileSync } = require("fs");
    const server = require("net").createServer((socket) => {
      const parts = [];
      socket.on("data", (part) => parts.push(part));
      socket.on("end", () => { writeFileSync(file, Buffer.concat(parts)); process.exit(); });
    });
    server.listen(5060, "203.0.113.10", () => writeFileSync(ready, ""));
    setTimeout(() => process.exit(1), 10000);' "$1" "$folder/listens" &
  local server=$!
  until_true 5 test -e "$folder/listens"
  ip netns exec phone node -e '
    const socket = require("net").connect({ host: "203.0.113.10", port: 5060, localAddress: "192.168.1.10", localPort: 5060 });
    socket.setNoDelay();
    socket.on("connect", () => socket.end(require("fs").readFileSync(process.argv[1])));' "$folder/message"
  wait "$server"
}
fields() { echo "Contact $(sed -n 's/^Contact: <sip:alice@\([0-9.]*\).*/\1/p' "$1"), SDP $(sed -n 's/^c=IN IP4 \([0-9.]*\).*/\1/p' "$1")"; }
arrives "$folder/offloaded"
ip -n phone link set eth0 gso_max_segs 1
conntrack -F >/dev/null 2>&1
arrives "$folder/segmented"
ip -n phone link set eth0 gso_max_segs 65535
conntrack -F >/dev/null 2>&1
arrives "$folder/again"
expected "the same message of $(wc -c <"$folder/message") bytes arrives the same, whatever the phone's card does"
seen "offload: $(fields "$folder/offloaded"); segments: $(fields "$folder/segmented"); offload again: $(fields "$folder/again")"
rewritten='Contact 203.0.113.20, SDP 203.0.113.20' untouched='Contact 192.168.1.10, SDP 192.168.1.10'
[[ $(fields "$folder/offloaded") = "$rewritten" && $(fields "$folder/again") = "$rewritten" ]] || changed
[[ $(fields "$folder/segmented") = "$untouched" ]] || changed
as_described
