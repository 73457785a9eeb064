#!/bin/bash
# `conntrack -E expect -o timestamp` writes the microseconds without leading zeros, filled with blanks behind: `.71630
# ` is .071630.
#
# A tenth of all events therefore read as up to 0.9 s too late, and time runs backwards. `conntrack -E -o timestamp`,
# for flows, writes the zeros.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2 conntrack=1:1.4.7-1+b2
own_network
[ -d /sys/module/nf_conntrack_sip ] || cannot 'this kernel has not loaded nf_conntrack_sip (modprobe it first)'

nft -f - <<'NFT'
table ip alg {
  ct helper sip { type "sip" protocol udp; }
  chain output { type filter hook output priority 0; udp dport 5060 ct helper set "sip"; }
}
NFT
conntrack -E expect -o timestamp >"$folder/expectations" 2>/dev/null &
conntrack -E -o timestamp >"$folder/flows" 2>/dev/null &
sleep 0.5
# INVITE upon INVITE makes and ends expectations; the loop makes and ends flows. Both go on for 2 seconds, so over two
# beginnings of a second, where the zeros stand.
sdp 127.0.0.1 20000 | request INVITE 127.0.0.1:5070 application/sdp >"$folder/invite"
node "$here/udp.mjs" send 127.0.0.1:5070 127.0.0.1:5060 350 <"$folder/invite" &
sending=$!
while kill -0 "$sending" 2>/dev/null; do
  conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 9 -t 60 >/dev/null 2>&1 || true
  conntrack -D -p udp -s 192.0.2.1 -d 192.0.2.2 >/dev/null 2>&1 || true
done
sleep 0.5
backwards() { # events, and those that seem to lie more than 0.3 s before the one in front of them
  sed -n 's/^\[\([0-9]*\.[0-9]*\) *\].*/\1/p' "$1" | awk '$1 < last - 0.3 { back++ } { last = $1 } END { print NR, back + 0 }'
}
read -r expectations back < <(backwards "$folder/expectations")
read -r flows flows_back < <(backwards "$folder/flows")
((flows > 50 && expectations > 100)) || cannot "only $flows events of flows and $expectations of expectations came"
expected "no event is dated before the one in front of it"
sample=$(grep -m 1 -o '^\[[0-9.]* [ ]*\]' "$folder/expectations" || true)
seen "flows: $flows events, $flows_back steps back; expectations: $expectations events, $back steps back, with stamps like $sample"
[[ $flows_back -eq 0 && $back -gt 0 ]] || changed
as_described
