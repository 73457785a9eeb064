#!/bin/bash
# A router with two lines, and its default route moves to the other one. A phone that speaks on from its port is known anew
# there after one lost packet where the rule is `masquerade`; where it is `snat to` the very same address, each packet goes out
# by the new line with the address of the old one, for as long as the phone keeps trying.
#
# Both are told to be the same where the address is fixed. The kernel ends a masqueraded flow that is about to leave by another
# device than it began on (nf_nat_core.c, nf_nat_oif_changed), and nothing alike is there for snat.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2
own_network
pair phone lan0 192.168.1.1/24 eth0 192.168.1.10/24
pair first wan1 203.0.113.20/24 eth0 203.0.113.10/24
pair second wan2 198.51.100.20/24 eth0 198.51.100.10/24
ip -n phone route add default via 192.168.1.1
# The provider is behind either line.
for each in first second; do ip -n "$each" address add 192.0.2.10/32 dev lo; ip -n "$each" route add default dev eth0; done
echo 1 >/proc/sys/net/ipv4/ip_forward

# sources RULE: what the second line gets of five packets of one flow that began on the first.
sources() {
  nft "table ip nat { chain post { type nat hook postrouting priority 100; oifname wan1 $1; oifname wan2 masquerade; }; }"
  ip route replace default via 203.0.113.10
  ip netns exec second node "$here/udp.mjs" receive 192.0.2.10:5060 "$seconds" "$folder/at" &
  local listener=$!
  until_true 10 test -e "$folder/at/ready"
  echo OPTIONS | ip netns exec phone node "$here/udp.mjs" send "192.168.1.10:$2" 192.0.2.10:5060
  ip route replace default via 198.51.100.10
  for _ in 1 2 3 4 5; do
    echo OPTIONS | ip netns exec phone node "$here/udp.mjs" send "192.168.1.10:$2" 192.0.2.10:5060
    sleep 0.2
  done
  kill $listener
  wait $listener 2>/dev/null || true
  nft delete table ip nat
  cut -d: -f1 "$folder/at/from" | uniq -c | awk '{ printf "%s%s from %s", (NR > 1 ? ", " : ""), $1, $2 }'
  rm -rf "${folder:?}/at"
  mkdir "$folder/at"
}
mkdir "$folder/at"
masqueraded=$(sources masquerade 5060) fixed=$(sources 'snat to 203.0.113.20' 5062)
expected "the same of both, for both rules give the first line's only address"
seen "of 5 packets after the change, masquerade: $masqueraded; snat: $fixed"
[ "$masqueraded" = '4 from 198.51.100.20' ] && [ "$fixed" = '5 from 203.0.113.20' ] || changed
as_described
