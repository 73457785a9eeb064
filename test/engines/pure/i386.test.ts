/** The pure layer where a word has 32 bits, as on most routers; without what takes longest and is about text alone. */
import { pureOn } from './pure.ts';

const ELSEWHERE = /^(routers|cli|compare|languages\/(shell|sip|pcap)\/(damage|script|stream)\b)/;
void pureOn('QuickJS of 32 bits', 'i386', (name) => !ELSEWHERE.test(name), 60);
