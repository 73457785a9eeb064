/** Rules of other owners beside fw4's, some of them twins: a table with its own SIP helper, and iptables in both flavours and families. */
import type { Lab } from '../lab.ts';

export const FOREIGN_TABLE = `table inet voice {
	counter seen { }
	set known { type ipv4_addr; flags timeout; elements = { 192.0.2.1, 192.0.2.2 timeout 1d } }
	ct helper phones { type "sip" protocol udp; l3proto inet; }
	ct helper files { type "ftp" protocol tcp; l3proto inet; }
	chain pre {
		type filter hook prerouting priority -150; policy accept;
		counter name "seen"
		ip saddr @known counter comment "known # handle 3"
		ct helper set th dport map { 21 : "files", 5070 : "phones", 5072-5074 : "phones" }
		udp dport 5076 ct helper set "phones"
		udp dport 5078 counter
		udp dport 5078 counter
		udp dport 5076 ct helper set "phones"
		udp dport 5077 ct helper set "phones"
		udp dport 5078 counter
	}
	chain out {
		type filter hook output priority -150; policy accept;
		udp dport 5060 ct helper set "phones" comment "the router's own calls"
	}
}
`;

const raw = (address: string): string => `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:voice - [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 5060 -m comment --comment "phones, all of them" -j CT --helper sip
-A PREROUTING -j voice
-A PREROUTING -p udp -m udp --dport 5060 -m comment --comment "phones, all of them" -j CT --helper sip
-A PREROUTING -p udp -m udp --dport 5066 -j CT --helper sip
-A PREROUTING -j voice
-A voice -s ${address} -p udp -m udp --dport 5062 -j CT --helper sip
-A voice -s ${address} -p udp -m udp --dport 5064 -j CT --helper sip
-A OUTPUT -p udp -m udp --dport 5060 -j CT --helper sip
COMMIT
`;

export const IPTABLES = ['iptables-legacy', 'ip6tables-legacy', 'iptables-nft', 'ip6tables-nft'];

export async function loadCrowd(lab: Lab): Promise<void> {
  await lab.router.must(['nft', '-f', '-'], { input: FOREIGN_TABLE });
  for (const command of IPTABLES) {
    await lab.router.must([`${command}-restore`], { input: raw(command.startsWith('ip6') ? '2001:db8:1::/64' : '192.168.1.0/24') });
  }
}
