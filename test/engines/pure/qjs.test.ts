/** The pure layer, recorded routers among it, on QuickJS as this machine's processor runs it. */
import { pureOn } from './pure.ts';

void pureOn('QuickJS', 'qjs', () => true, 70);
