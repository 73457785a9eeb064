/** Commands of the product that look and change nothing, by how they begin; everything else counts as a change. */
const LOOKS: readonly RegExp[] = [
  /^nft -j( -t)? list ruleset$/,
  /^nft -a -t list ruleset$/,
  /^nft -c -f -$/,
  /^nft( -[ajt])* list (table|set|chain) /,
  /^ubus call /,
  /^ipset (list|save) /,
  /^fw4 check$/,
  /^ip6?tables(-legacy|-nft)?-save$/,
  /^ip6?tables(-legacy|-nft)?-restore .*--test$/,
  /^conntrack -L( |$)/,
  /^dmesg$/,
  /^gzip -cd \/proc\/config\.gz$/,
];

export function isLook(argv: readonly string[]): boolean {
  const command = argv.join(' ');
  return LOOKS.some((look) => look.test(command));
}
