/** What /etc/config/sipalg asks for of a Homer server, as it stands now. */
import type { Host } from '../host/host.ts';
import { say, Trouble } from '../words/say.ts';
import { readConfiguration } from '../wish/read.ts';
import type { HepWish } from '../wish/wish.ts';

const FILE = '/etc/config/sipalg';

/** @throws Error in a sentence where the file could not be read, or what is said of `hep` in it is not allowed */
export async function hepWish(host: Host): Promise<HepWish> {
  const text = await host.read(FILE);
  if (text.state === 'failed')
    throw new Trouble(say('hep-unread', '{file} could not be read: {because}.', { file: FILE, because: text.because }));
  const { hep, problems } = readConfiguration(text.state === 'present' ? text.value : null);
  const [problem] = problems.filter(({ section }) => section === 'sipalg' || /^sipalg\.(hep|@hep\[\d+\])$/.test(section));
  if (hep.server === null && problem !== undefined) throw new Error(problem.text);
  return hep;
}
