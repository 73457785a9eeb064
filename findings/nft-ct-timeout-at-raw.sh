#!/bin/bash
# An nft rule `ct timeout set` in a chain at priority raw loads, counts its packets, and sets no timeout.
#
# At raw (-300) conntrack (-200) has not seen the packet yet. iptables' CT target belongs just there, because it makes
# a template; nft's `ct timeout set` writes to an entry that does not exist there, in silence. The chain's priority
# must be above -200.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network

timeout_at() { # the seconds a new flow has left, and the packets the rule saw
  nft flush ruleset
  nft "table ip t { ct timeout sip { protocol udp; l3proto ip; policy = { unreplied : 900, replied : 900 }; }
    chain c { type filter hook output priority $1; udp dport 5060 counter ct timeout set \"sip\"; }; }"
  conntrack -F >/dev/null 2>&1
  echo OPTIONS | node "$here/udp.mjs" send 127.0.0.1:5070 127.0.0.1:5060
  conntrack -L -p udp --orig-port-dst 5060 2>/dev/null | awk '{ print $3 }'
  nft list chain ip t c | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}
# The first call loads conntrack itself where it is a module: the rule is there from then on.
timeout_at -150 >/dev/null
mapfile -t raw < <(timeout_at -300)
mapfile -t mangle < <(timeout_at -150)
expected "900 seconds at both priorities, or an error where the rule cannot work"
seen "priority raw: ${raw[0]} seconds (the rule saw ${raw[1]} packet); priority mangle: ${mangle[0]} seconds (${mangle[1]} packet)"
[[ "${raw[0]}" -lt 200 && "${raw[1]}" -eq 1 && "${mangle[0]}" -gt 800 ]] || changed
as_described
