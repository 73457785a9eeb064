#!/bin/bash
# Behind the kernel's SIP helper an answer goes to the port in Via, though the phone sent from another port and asked
# for rport.
#
# RFC 3581: with rport the answer goes to where the request came from, and the server sends it there. On its way in,
# the router changes the port to the one that the request's Via named (a way of certain old phones). A softphone with
# a port of its own for sending waits in vain.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

printf '%s\r\n' 'SIP/2.0 200 OK' 'Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK-1;rport=5062;received=203.0.113.20' \
  'From: <sip:alice@192.168.1.10>;tag=a' 'To: <sip:bob@203.0.113.10>;tag=b' 'Call-ID: 1@alice' 'CSeq: 1 OPTIONS' \
  'Content-Length: 0' '' >"$folder/ok"
answered_at() { # TO-PORT: which of the phone's two ports gets the answer
  provider_listens "$1" "$folder/ok"
  rm -rf "$folder/via-port"
  mkdir "$folder/via-port"
  ip netns exec phone node "$here/udp.mjs" receive 192.168.1.10:5060 6 "$folder/via-port" &
  local waiting=$!
  until_true 5 test -e "$folder/via-port/ready"
  if request OPTIONS 192.168.1.10:5060 |
    ip netns exec phone node "$here/udp.mjs" exchange 192.168.1.10:5062 "203.0.113.10:$1" 2 >/dev/null; then
    answer='5062, its own'
  else
    answer=nowhere
  fi
  if [ -e "$folder/via-port/1" ]; then answer="5060, Via's"; fi
  kill "$waiting"
  wait "$waiting" 2>/dev/null || true
}
answered_at 5080
without=$answer
answered_at 5060
with=$answer
expected "sent from 5062 with ;rport, the answer arrives at 5062, its own"
seen "to the provider's port 5080, which has no helper, it arrives at $without; to 5060 at $with"
[[ $without = '5062, its own' && $with = "5060, Via's" ]] || changed
as_described
