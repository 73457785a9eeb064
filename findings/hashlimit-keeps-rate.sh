#!/bin/bash
# A `hashlimit` rule replaced by one with another rate shows the new rate and goes on using the old one.
#
# The kernel keeps the rate with the hash table (/proc/net/ipt_hashlimit/NAME), and takes a table that is there
# already as it is. While a rule is replaced (iptables -R, or a reload by iptables-restore) the old rule still holds
# the table, so the new rate never comes into force.
set -eu
. "$(dirname "$0")/lib.sh"
debian iptables=1.8.9-2
own_network

rule() { # iptables COMMAND... , then the rate
  local rate=$1 burst=$2 name=$3
  shift 3
  iptables-nft "$@" -p udp --dport 5060 -m hashlimit --hashlimit-name "$name" --hashlimit-mode srcip \
    --hashlimit-upto "$rate" --hashlimit-burst "$burst" -j ACCEPT
}
accepted() { # of ten datagrams
  iptables-nft -Z INPUT
  echo OPTIONS | node "$here/udp.mjs" send 127.0.0.1:5070 127.0.0.1:5060 10
  iptables-nft -L INPUT -v -n -x | awk '/hashlimit|limit:/ { print $1 }'
}

rule 1/hour 1 kept -A INPUT
rule 1000/sec 100 kept -R INPUT 1
shown=$(iptables-nft -S INPUT | grep -o 'hashlimit-upto [^ ]*')
replaced=$(accepted)
rule 1000/sec 100 other -R INPUT 1
renamed=$(accepted)
expected "the rule now says '$shown', burst 100: 10 of 10 datagrams are accepted"
seen "$replaced of 10 are accepted, as 1/hour, burst 1, had it; under another --hashlimit-name $renamed of 10"
[[ "$replaced" -eq 1 && "$renamed" -eq 10 ]] || changed
as_described
