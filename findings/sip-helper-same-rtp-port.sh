#!/bin/bash
# Two phones behind one router that offer the same RTP port: the kernel's SIP helper drops the second one's INVITE.
#
# NAT could move the port, and the code to do so is there; but an equal expectation of another flow is answered with
# EALREADY, and the search for a free port goes on at EBUSY alone. Phones of one make share their factory RTP port, so
# "only the first phone can call".
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

pair second lan1 192.168.2.1/24 eth0 192.168.2.10/24
ip -n second route add default via 192.168.2.1
nft add rule inet alg prerouting iifname lan1 udp dport 5060 ct helper set '"sip"'

sdp 192.168.1.10 16384 | request INVITE 192.168.1.10:5060 application/sdp | phone_sends 5060
arrived 1 || cannot "the first phone's INVITE does not arrive"
sdp 192.168.2.10 16384 | request INVITE 192.168.2.10:5060 application/sdp | phone_sends 5060 5060 second 192.168.2.10
same=dropped
if arrived 2 2; then same=arrives; fi
sdp 192.168.2.10 16386 | request INVITE 192.168.2.10:5060 application/sdp | phone_sends 5060 5060 second 192.168.2.10
other=dropped
if arrived 2 2; then other=arrives; fi
expected "both INVITEs arrive, the second with another port in its SDP"
seen "second phone's INVITE with the first one's RTP port 16384: $same; with 16386: $other"
[[ $same = dropped && $other = arrives ]] || changed
as_described
