/** Every form in which nft (1.0.6) lets a rule set a helper, as rulesets to load. */

const SIP = 'ct helper sip { type "sip" protocol udp; }';
const FTP = 'ct helper ftp { type "ftp" protocol tcp; }';
const TFTP = 'ct helper tftp { type "tftp" protocol udp; }';
const HOOK = 'type filter hook prerouting priority mangle; policy accept;';

const table = (family: string, ...inside: string[]): string => `table ${family} t {\n${inside.join('\n')}\n}\n`;
const chain = (...rules: string[]): string => `chain c {\n${HOOK}\n${rules.join('\n')}\n}`;

/** Says what is special, and how many assignments there are to find. */
export const FORMS: readonly { what: string; finds: number; ruleset: string }[] = [
  { what: 'a rule alone in its chain', finds: 1, ruleset: table('inet', SIP, chain('udp dport 5060 ct helper set "sip"')) },
  {
    what: 'a rule first, in the middle and last',
    finds: 3,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'udp dport 5060 ct helper set "sip"',
        'udp dport 1 accept',
        'udp dport 5061 ct helper set "sip"',
        'udp dport 2 accept',
        'udp dport 5062 ct helper set "sip"',
      ),
    ),
  },
  {
    what: 'rules side by side, between neighbours',
    finds: 3,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'udp dport 1 accept',
        'udp dport 5060 ct helper set "sip"',
        'udp dport 5061 ct helper set "sip"',
        'udp dport 5062 ct helper set "sip"',
        'udp dport 2 accept',
      ),
    ),
  },
  {
    what: 'twins: the same rule twice, together and apart',
    finds: 3,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'udp dport 5060 ct helper set "sip"',
        'udp dport 5060 ct helper set "sip"',
        'udp dport 1 accept',
        'udp dport 5060 ct helper set "sip"',
      ),
    ),
  },
  {
    what: 'a rule between neighbours that are twins of others',
    finds: 2,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'counter',
        'udp dport 1 accept',
        'counter',
        'udp dport 5060 ct helper set "sip"',
        'counter',
        'udp dport 1 accept',
        'udp dport 5061 ct helper set "sip"',
        'counter',
      ),
    ),
  },
  {
    what: 'family ip',
    finds: 1,
    ruleset: table('ip', SIP.replace('udp;', 'udp; l3proto ip;'), chain('ip saddr 192.168.1.0/24 udp dport 5060 ct helper set "sip"')),
  },
  {
    what: 'family ip6',
    finds: 1,
    ruleset: table('ip6', SIP.replace('udp;', 'udp; l3proto ip6;'), chain('ip6 saddr fd00::/8 udp dport 5060 ct helper set "sip"')),
  },
  {
    what: 'an object for IPv4 alone in a table of both',
    finds: 1,
    ruleset: table('inet', SIP.replace('udp;', 'udp; l3proto ip;'), chain('udp dport 5060 ct helper set "sip"')),
  },
  {
    what: 'the output hook',
    finds: 1,
    ruleset: table('inet', SIP, 'chain c { type filter hook output priority -150; udp dport 5060 ct helper set "sip"; }'),
  },
  {
    what: 'a chain without a hook',
    finds: 1,
    ruleset: table('inet', SIP, 'chain sub { udp dport 5060 ct helper set "sip"; }', chain('iifname "lo" jump sub')),
  },
  {
    what: 'UDP and TCP objects under names of their own',
    finds: 2,
    ruleset: table(
      'inet',
      'ct helper phones-udp { type "sip" protocol udp; }',
      'ct helper phones.tcp { type "sip" protocol tcp; }',
      chain('udp dport 5060 ct helper set "phones-udp"', 'tcp dport 5060 ct helper set "phones.tcp"'),
    ),
  },
  {
    what: 'an object named sip that is another helper',
    finds: 1,
    ruleset: table(
      'inet',
      'ct helper sip { type "ftp" protocol tcp; }',
      'ct helper voip { type "sip" protocol udp; }',
      chain('tcp dport 21 ct helper set "sip"', 'udp dport 5060 ct helper set "voip"'),
    ),
  },
  {
    what: 'the same name in two tables, SIP in one',
    finds: 1,
    ruleset:
      table('inet', SIP, chain('udp dport 5060 ct helper set "sip"'))
      + 'table ip other {\nct helper sip { type "ftp" protocol tcp; l3proto ip; }\nchain c {\ntcp dport 21 ct helper set "sip"\n}\n}\n',
  },
  {
    what: 'several tables and families',
    finds: 3,
    ruleset:
      table('inet', SIP, chain('udp dport 5060 ct helper set "sip"'))
      + table('ip', SIP.replace('udp;', 'udp; l3proto ip;'), chain('udp dport 5060 ct helper set "sip"'))
      + table('ip6', SIP.replace('udp;', 'udp; l3proto ip6;'), chain('udp dport 5060 ct helper set "sip"')),
  },
  {
    what: 'an anonymous set of ports and ranges',
    finds: 1,
    ruleset: table('inet', SIP, chain('udp dport { 5060, 5062-5065 } ct helper set "sip"')),
  },
  {
    what: 'a named set',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      'set ports { type inet_service; elements = { 5060, 5080 }; }',
      chain('udp dport @ports ct helper set "sip"'),
    ),
  },
  {
    what: 'counters, limits, quotas, logs and a verdict behind',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'udp dport 5060 limit rate 5/second burst 5 packets counter quota over 5 mbytes log prefix "a # handle 9 " ct helper set "sip" meta mark set 0x00000005 accept comment "x"',
        'counter',
      ),
    ),
  },
  {
    what: 'comments that look like something else',
    finds: 4,
    ruleset: table(
      'inet',
      SIP,
      chain(
        'udp dport 5060 ct helper set "sip" comment "# handle 3"',
        'udp dport 1 accept comment "ct helper set sip"',
        'udp dport 5061 ct helper set "sip" comment "a; flush ruleset"',
        'udp dport 5062 ct helper set "sip" comment "map { 5060 : sip }, $x \'y\' \\\\z"',
        'udp dport 5063 ct helper set "sip" comment "T\u00e9l\u00e9phone"',
      ),
    ),
  },
  {
    what: 'matches on the helper, which assign nothing',
    finds: 1,
    ruleset: table('inet', SIP, chain('ct helper "sip" accept', 'ct helper != "ftp" counter', 'udp dport 5060 ct helper set "sip"')),
  },
  { what: 'an object that no rule uses', finds: 0, ruleset: table('inet', SIP, FTP, chain('tcp dport 21 ct helper set "ftp"')) },
  {
    what: 'an anonymous map of SIP alone',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      chain('udp dport 1 accept', 'ct helper set udp dport map { 5060 : "sip", 5080 : "sip" }', 'udp dport 2 accept'),
    ),
  },
  {
    what: 'an anonymous map of mixed helpers',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      TFTP,
      chain('udp dport 1 accept', 'ct helper set udp dport map { 69 : "tftp", 5060 : "sip" } comment "both"', 'udp dport 2 accept'),
    ),
  },
  {
    what: 'mixed maps side by side, with ranges beside them',
    finds: 2,
    ruleset: table(
      'inet',
      SIP,
      TFTP,
      chain(
        'udp dport { 1, 3-4 } accept',
        'udp sport { 1-2, 7 } ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }',
        'ct helper set udp dport map { 5061 : "sip", 70 : "tftp" }',
        'udp dport 2 accept',
      ),
    ),
  },
  {
    what: 'twins of mixed maps, beside a rule that is what they leave',
    finds: 3,
    ruleset: table(
      'inet',
      SIP,
      TFTP,
      chain(
        'ct helper set udp dport map { 69 : "tftp" }',
        'ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }',
        'udp dport 1 accept',
        'ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }',
        'ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }',
        'ct helper set udp dport map { 69 : "tftp" }',
      ),
    ),
  },
  {
    what: 'an anonymous map with ranges',
    finds: 1,
    ruleset: table('inet', SIP, TFTP, chain('ct helper set udp dport map { 69 : "tftp", 5060-5070 : "sip" }')),
  },
  {
    what: 'an anonymous map of addresses and ports',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      TFTP,
      chain('ct helper set ip saddr . udp dport map { 192.168.1.10 . 5060 : "sip", 192.168.1.11 . 69 : "tftp" }'),
    ),
  },
  // A rule cannot take a helper out of a named map (1.0.6: "Expression is not a map with objects"); what it lets one make is a
  // map of strings.
  {
    what: 'a named map of strings that are no objects',
    finds: 1,
    ruleset: table(
      'inet',
      SIP,
      TFTP,
      'map m { typeof udp dport : ct helper; elements = { 69 : "tftp", 5060 : "sip" }; }',
      chain('udp dport 5060 ct helper set "sip"'),
    ),
  },
];
