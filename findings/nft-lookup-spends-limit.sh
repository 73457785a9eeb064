#!/bin/bash
# Looking an address up in an nft set spends the `limit` that its element holds.
#
# A dynamic set keeps a limit per source (`update @scanners { ip saddr limit rate over 5/minute burst 3 packets }`). A
# second rule that only asks whether the source is in that set, `ip saddr @scanners`, runs the element's limit as
# well: it takes a packet from the allowance, and it matches only when the limit says so. So the set cannot be asked
# "is this source known?".
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2
own_network

# The element's limit lets 5 packets through and then says "over". Ten datagrams come; one ruleset asks the set before it
# updates it, the other does not ask.
rules() {
  nft flush ruleset
  nft -f - <<NFT
table ip t {
  set scanners { type ipv4_addr; flags dynamic; size 64; }
  counter asked { }
  counter over { }
  chain c {
    type filter hook input priority 0;
    meta l4proto != udp accept
    $1
    update @scanners { ip saddr limit rate over 1/hour burst 5 packets } counter name over
  }
}
NFT
  echo OPTIONS | node "$here/udp.mjs" send 127.0.0.1:5070 127.0.0.1:5060 10
}
count() { nft -j list counter ip t "$1" | sed 's/.*"packets": \([0-9]*\).*/\1/'; }

rules ''
alone=$(count over)
rules 'ip saddr @scanners counter name asked'
beside=$(count over) asked=$(count asked)
expected "10 packets, burst 5: 5 are over the limit, and a rule that only asks the set changes nothing and matches 9 times"
seen "alone $alone are over; with the asking rule $beside are over, and the asking rule matched $asked times"
[[ "$beside" -gt "$alone" && "$asked" -lt 9 ]] || changed
as_described
