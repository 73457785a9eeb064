#!/bin/bash
# A chain at the last priority of postrouting does not see what leaves: the SIP helper rewrites after it. Only netdev
# egress sees the result.
#
# The helper runs when conntrack confirms the packet, at priority 2147483647, after every chain there too. A capture,
# a log or a counter in postrouting shows the phone's private address and says the ALG is off while it is on.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

start="OPTIONS sip:bob@203.0.113.10 SIP/2.0__Via: SIP/2.0/UDP "
private="udp dport 5060 @th,$(((8 + ${#start}) * 8)),96 0x$(printf 192.168.1.10 | od -An -tx1 | tr -d ' \n')"
public="udp dport 5060 @th,$(((8 + ${#start}) * 8)),96 0x$(printf 203.0.113.20 | od -An -tx1 | tr -d ' \n')"
nft -f - <<NFT
table inet last { chain c { type filter hook postrouting priority 2147483647; $private counter; $public counter; }; }
table netdev egress { chain c { type filter hook egress device "wan0" priority 0; $private counter; $public counter; }; }
NFT
packets() { nft list table "$@" | sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | paste -sd' '; }
request OPTIONS 192.168.1.10:5060 | phone_sends 5060
arrived 1
last=$(packets inet last) egress=$(packets netdev egress)
expected "a chain at the highest priority of postrouting sees the Via that the provider receives, 203.0.113.20"
seen "packets with 192.168.1.10 and with 203.0.113.20 in Via: postrouting $last, netdev egress $egress"
[[ $last = '1 0' && $egress = '0 1' ]] || changed
as_described
