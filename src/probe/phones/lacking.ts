/** Why messages cannot be recorded on this router, with what to install. */
import type { Host } from '../../host/host.ts';
import { CannotRecord } from '../record/recorder.ts';

/** The command that installs a package here; both where it is not known which manager this release has. */
async function installing(host: Host, name: string): Promise<string> {
  if ((await host.kind('/usr/bin/apk')).state === 'present') return `\`apk add ${name}\``;
  if ((await host.kind('/bin/opkg')).state === 'present') return `\`opkg install ${name}\``;
  return `\`apk add ${name}\` (\`opkg install ${name}\` on 24.10)`;
}

const SO = 'So the messages of the phones are not recorded.';

/** A sentence or two. @param error from startPhones */
export async function whyNotRecorded(host: Host, error: Error): Promise<string> {
  if (!(error instanceof CannotRecord)) return `${error.message} ${SO}`;
  if (error.lacks === 'nft') return `nft is not installed. ${SO} ${await installing(host, 'nftables-json')} installs it.`;
  if (error.lacks === 'netdev')
    return (
      'this kernel has no tables of family netdev with egress; OpenWrt 24.10 and later have them in kmod-nft-netdev: '
      + `${await installing(host, 'kmod-nft-netdev')}. ${SO}`
    );
  return `${error.message.replace(/\.?$/, '.')} ${SO}`;
}
