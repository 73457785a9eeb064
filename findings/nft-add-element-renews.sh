#!/bin/bash
# `nft add element` of an element that is there renews its timeout only where the command names a timeout other than
# the one it has.
#
# Whoever keeps addresses alive by adding them again (dnsmasq's nftset option does, at each answer) loses them at the
# end of the first timeout. The same command with `timeout 60s` in it does not renew an element of 60 s either, and
# with `timeout 61s` it does. No error, no message in any case. (Linux 6.1 renewed in neither case.)
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2
own_network
kernel_from 6.12

nft 'table ip t { set s { type ipv4_addr; timeout 60s; }; }'
age() { # ADDRESS TIMEOUT: whole seconds since the element's timeout began
  nft -j list set ip t s | node -p "
    const elements = JSON.parse(require('fs').readFileSync(0)).nftables.find((entry) => entry.set).set.elem;
    $2 - 1 - elements.find(({ elem }) => elem.val === '$1').elem.expires"
}
nft add element ip t s '{ 192.0.2.1, 192.0.2.2 timeout 50s, 192.0.2.3 timeout 50s }'
sleep 4
nft add element ip t s '{ 192.0.2.1 }'
nft add element ip t s '{ 192.0.2.2 timeout 50s }'
nft add element ip t s '{ 192.0.2.3 timeout 51s }'
plain=$(age 192.0.2.1 60) same=$(age 192.0.2.2 50) other=$(age 192.0.2.3 51)
expected "all three elements, added again after 4 s, begin their timeout anew"
seen "age after adding again: without a timeout ${plain}s, with the timeout it has ${same}s, with another ${other}s"
[[ $plain -ge 3 && $same -ge 3 && $other -le 1 ]] || changed
as_described
