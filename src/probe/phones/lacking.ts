/** Why messages cannot be recorded on this router, with what to install. */
import type { Host } from '../../host/host.ts';
import { say, saidBy } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';
import { CannotRecord } from '../record/recorder.ts';

/** The command that installs a package here; both where it is not known which manager this release has. */
async function installing(host: Host, name: string): Promise<string | Said> {
  if ((await host.kind('/usr/bin/apk')).state === 'present') return `\`apk add ${name}\``;
  if ((await host.kind('/bin/opkg')).state === 'present') return `\`opkg install ${name}\``;
  return say('install-either', '`apk add {name}` (`opkg install {name}` on 24.10)', { name });
}

const SO = say('record-so', 'So the messages of the phones are not recorded.');

/** A sentence or two. @param error from startPhones */
export async function whyNotRecorded(host: Host, error: Error): Promise<Said> {
  if (error instanceof CannotRecord && error.lacks === 'nft')
    return say('record-no-nft', 'nft is not installed. {so} {command} installs it.', {
      so: SO,
      command: await installing(host, 'nftables-json'),
    });
  if (error instanceof CannotRecord && error.lacks === 'netdev')
    return say(
      'record-no-netdev',
      'this kernel has no tables of family netdev with egress; OpenWrt 24.10 and later have them in kmod-nft-netdev: {command}. {so}',
      { command: await installing(host, 'kmod-nft-netdev'), so: SO },
    );
  const why = saidBy(error);
  return say('record-not', '{why} {so}', { why: typeof why === 'string' ? why.replace(/\.?$/, '.') : why, so: SO });
}
