/**
 * What reads and writes bytes, where the most significant byte of a word comes first, as on MIPS routers. In an emulation, at a
 * twelfth of the speed: so not all of the pure layer.
 */
import { pureOn } from './pure.ts';

const WITH_BYTES =
  /^(languages\/(address|dns|kernel|iptables|pcap\/(blocks|container|internet|link|streams)|uci|shell\/command|sip\/(message|values|rfc4475|datagram))|host\/text|voice\/nft|wish\/read)/;
void pureOn('QuickJS of the other byte order', 's390x', (name) => WITH_BYTES.test(name), 28);
