#!/bin/bash
# `conntrack -L` lets the kernel filter by mark and by status; for ports and addresses it fetches the whole table and
# throws the rest away.
#
# The kernel can filter a dump by tuple (CTA_FILTER, since 5.8), and `-u ASSURED` or `-m MARK` show that the tool uses
# filters at all. On a router with 65,536 flows `--orig-port-dst 5060` costs as much as listing everything. Counted
# here: the bytes the tool receives from the kernel.
set -eu
. "$(dirname "$0")/lib.sh"
debian conntrack=1:1.4.7-1+b2 strace=6.1-0.1
own_network

# 2000 flows: 20 have mark 5, 20 are assured, 20 go to port 5065.
for ((i = 0; i < 2000; i++)); do
  phone=10.0.$((i / 250)).$((i % 250 + 1)) port=$((5060 + i % 100)) status=SEEN_REPLY
  if ((i % 100 == 7)); then status+=,ASSURED; fi
  printf '%s ' "-A -t 600 -u $status -m $((i % 100)) -p udp -s $phone -d 198.51.100.5 -r 198.51.100.5 -q $phone"
  printf '%s\n' "--sport 5060 --dport $port --reply-port-src $port --reply-port-dst 5060"
done >"$folder/flows"
conntrack -R "$folder/flows" >/dev/null 2>&1

received() { # kB from the kernel, and the flows shown
  local shown
  shown=$(strace -f -o "$folder/trace" -e trace=recvmsg,recvfrom conntrack -L "$@" 2>/dev/null | wc -l)
  [ "$shown" -eq "${flows:-20}" ] || cannot "conntrack -L $* shows $shown flows instead of ${flows:-20}"
  awk -F'= ' '/recv/ { bytes += $NF } END { print int((bytes + 999) / 1000) }' "$folder/trace"
}
all=$(flows=2000 received)
mark=$(received -m 5)
status=$(received -u ASSURED)
port=$(received -p udp --orig-port-dst 5065)
address=$(flows=1 received -s 10.0.0.9)
expected "all five filters of 20 flows (or 1) take about as little from the kernel, which has $all kB in all"
seen "-m 5: $mark kB, -u ASSURED: $status kB, --orig-port-dst 5065: $port kB, -s 10.0.0.9: $address kB"
[[ $((mark * 10)) -lt "$all" && $((status * 10)) -lt "$all" && "$port" -ge "$all" && "$address" -ge "$all" ]] || changed
as_described
