#!/bin/bash
# `iptables-nft-restore --test` says yes to a ruleset that it then refuses to load; `iptables-legacy-restore --test`
# says no to the same one.
#
# A target that is neither a chain nor an extension is found out only when the batch is committed, which --test leaves
# out. A rehearsal before a firewall is replaced proves nothing about targets there.
set -eu
. "$(dirname "$0")/lib.sh"
debian iptables=1.8.9-2
own_network

printf '%s\n' '*filter' '-A INPUT -p udp --dport 5060 -j SIPCHECK' COMMIT >"$folder/rules"
status() { local status=0; "$@" <"$folder/rules" >/dev/null 2>&1 || status=$?; echo "$status"; }
test_nft=$(status iptables-nft-restore --test)
load_nft=$(status iptables-nft-restore)
test_legacy=$(status iptables-legacy-restore --test)
expected "--test fails where loading fails: the target SIPCHECK does not exist"
seen "iptables-nft-restore --test exits $test_nft, loading the same exits $load_nft; iptables-legacy-restore --test exits $test_legacy"
[[ "$test_nft" -eq 0 && "$load_nft" -ne 0 && "$test_legacy" -ne 0 ]] || changed
as_described
