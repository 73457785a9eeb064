#!/bin/bash
# The kernel's SIP helper cuts a multipart body: it sets Content-Length to what follows from the SDP's `v=` on, as if
# the SDP were the whole body.
#
# An INVITE with multipart/mixed (SDP beside ISUP, geolocation or a resource list) leaves the router with all its
# bytes and a Content-Length that is short by the first boundary and the part's headers. Over UDP the receiver ends
# the body there, before the closing boundary.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

{
  printf '%s\n' --b 'Content-Type: application/sdp' ''
  sdp 192.168.1.10 16384
  printf '%s\n' --b 'Content-Type: text/plain' '' hello --b--
} | request INVITE 192.168.1.10:5060 'multipart/mixed;boundary=b' >"$folder/invite"
phone_sends 5060 <"$folder/invite"
arrived 1
declared() { sed -n 's/^Content-Length: *\([0-9]*\).*/\1/p' "$1"; }
body() { sed '1,/^\r$/d' "$1" | wc -c; }
expected "sent: body $(body "$folder/invite"), Content-Length $(declared "$folder/invite"); arrived: body and Content-Length agree"
in_front=$(sed '1,/^\r$/d; /^v=0/,$d' "$folder/at/1" | wc -c)
seen "arrived: body $(body "$folder/at/1"), Content-Length $(declared "$folder/at/1"), and $in_front bytes stand before v="
[[ $(declared "$folder/at/1") -lt $(body "$folder/at/1") ]] || changed
as_described
