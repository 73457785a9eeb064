#!/bin/bash
# A SIP message that fits the MTU by less than 5 bytes never arrives behind the kernel's SIP helper; a longer one, in
# fragments, does.
#
# The helper writes `:5060` behind an address that had no port. Where the datagram then exceeds the MTU and has DF set
# (Linux' default), the router drops it and answers "fragmentation needed, MTU 1500" to a phone whose MTU is 1500
# already, so every retransmission is lost too.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
alg_router

of_length() { # BYTES of UDP payload: an OPTIONS whose From has no port
  local head length
  head=$(request OPTIONS 192.168.1.10:5060 | sed 's/^From: .*/From: <sip:alice@192.168.1.10>;tag=a\r/; /^\r$/,$d'; echo .)
  head=${head%.}
  length=$(($1 - ${#head} - 13))
  printf '%sSubject: %s\r\n\r\n' "$head" "$(printf "%${length}s" '' | tr ' ' x)"
}
arrives() { # BYTES TO-PORT: what comes of the same message sent twice, in $result
  provider_listens "$2"
  of_length "$1" >"$folder/message"
  [ "$(wc -c <"$folder/message")" -eq "$1" ] || cannot "the message was made with $(wc -c <"$folder/message") bytes instead of $1"
  phone_sends 5060 "$2" <"$folder/message"
  phone_sends 5060 "$2" <"$folder/message"
  result=lost
  if arrived 1 2; then result="arrives with $(wc -c <"$folder/at/1")"; fi
}
arrives 1467 5060
short=$result
arrives 1470 5060
brink=$result
arrives 1473 5060
long=$result
arrives 1470 5080
plain=$result
expected "1467, 1470 and 1473 bytes (MTU 1500 carries 1472 in one packet) all arrive"
seen "1467 $short; 1470 $brink; 1473 $long; 1470 to port 5080, which has no helper, $plain"
[[ $short = 'arrives with 1472' && $brink = lost && $long = 'arrives with 1478' && $plain = 'arrives with 1470' ]] || changed
as_described
