#!/bin/bash
# Beside 20,000 rules `nft list chains` answers at once, and `nft list tables` and `nft list ct helpers table ...`, which print less,
# take some twenty times as long: they fetch and decode every rule of the kernel, and drop them.
#
# What nft fetches before a command is chosen by the command (nftables' src/cache.c, nft_cache_evaluate): chains alone for `list
# chains`, everything for most other `list`s. Who looks often, or on a small router, asks for chains.
set -eu
. "$(dirname "$0")/lib.sh"
debian nftables=1.0.6-2+deb12u2
own_network
{
  printf 'table inet one {\nchain many {\n}\n}\n'
  for each in $(seq 20000); do echo "add rule inet one many ip saddr 10.$((each >> 8)).$((each & 255)).1 counter"; done
} >"$folder/rules"
nft -f "$folder/rules"

# Milliseconds of processor time that a command takes.
cost() {
  local TIMEFORMAT='%U %S'
  { time nft "$@" >"$folder/printed" 2>"$folder/complaints"; } 2>&1 | awk '{ printf "%d", ($1 + $2) * 1000 + 1 }'
}
chains=$(cost list chains)
tables=$(cost list tables)
helpers=$(cost list ct helpers table inet one)
[ ! -s "$folder/complaints" ] || cannot "nft complained: $(cat "$folder/complaints")"
expected 'a list of tables, or of helper objects, costs no more than one of chains, for it holds less'
seen "processor time beside 20,000 rules: chains $chains ms, tables $tables ms, ct helpers $helpers ms"
if [ "$tables" -le $((10 * chains)) ] || [ "$helpers" -le $((10 * chains)) ]; then changed; fi
as_described
