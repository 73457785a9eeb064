#!/bin/bash
# The kernel's SIP helper goes on rewriting a flow after its nft rule and its `ct helper` object are gone, for as long
# as the flow lives.
#
# The helper hangs on the conntrack entry, and each packet renews that entry to 3600 s. So a registered phone stays
# behind the ALG for days after the rule was taken away; only `conntrack -D`, or the module's end, stops it.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

via() { sed -n 's/^Via: SIP\/2.0\/UDP \([0-9.]*\):.*/\1/p' "$folder/at/$1"; }
request OPTIONS 192.168.1.10:5060 | phone_sends 5060
arrived 1
nft delete table inet alg
request OPTIONS 192.168.1.10:5060 | phone_sends 5060
arrived 2
left=$(conntrack -L -p udp --orig-port-src 5060 2>/dev/null | awk '{ print $3 }')
request OPTIONS 192.168.1.10:5070 | phone_sends 5070
arrived 3
conntrack -D -p udp --orig-port-src 5060 >/dev/null 2>&1
request OPTIONS 192.168.1.10:5060 | phone_sends 5060
arrived 4
expected "with the table deleted that held rule and helper object, Via keeps the phone's own address, 192.168.1.10"
seen "Via before: $(via 1); after: $(via 2) ($left s left); another flow: $(via 3); same ports, entry deleted: $(via 4)"
[[ $(via 1) = 203.0.113.20 && $(via 2) = 203.0.113.20 && $(via 3) = 192.168.1.10 && $(via 4) = 192.168.1.10 && $left -gt 3000 ]] || changed
as_described
