#!/bin/bash
# A program on the router itself, bound to port 5060, speaks from a random port on the wire once a phone behind it
# speaks to the same server from 5060.
#
# `masquerade` is meant for hosts behind the router, and it also looks at what the router sends. The phone's flow has
# the port already, so the router's own packets are moved, though their address needs no change. getsockname(2) says
# 5060, and so do Via and Contact of a PBX on the router.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2
own_network
pair phone lan0 192.168.1.1/24 eth0 192.168.1.10/24
pair provider wan0 203.0.113.20/24 eth0 203.0.113.10/24
ip -n phone route add default via 192.168.1.1
echo 1 >/proc/sys/net/ipv4/ip_forward
nft 'table ip nat { chain postrouting { type nat hook postrouting priority 100; oifname "wan0" masquerade; }; }'

from() { sed -n "$1p" "$folder/at/from"; }
provider_listens 5060
echo OPTIONS | node "$here/udp.mjs" send 203.0.113.20:5070 203.0.113.10:5060
arrived 1
echo OPTIONS | phone_sends 5060
arrived 2
echo OPTIONS | node "$here/udp.mjs" send 203.0.113.20:5060 203.0.113.10:5060
arrived 3
expected "the phone, which is behind NAT, may get any port; the router, bound to 203.0.113.20:5060, sends from there"
seen "router from 5070: $(from 1); phone: $(from 2); router from 5060: $(from 3)"
[[ $(from 1) = 203.0.113.20:5070 && $(from 2) = 203.0.113.20:5060 && $(from 3) != 203.0.113.20:5060 ]] || changed
as_described
