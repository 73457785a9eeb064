/** Which certificate the page takes: the one named for it, else the web server's (uhttpd), which a browser here may know already. */
import type { Host } from '../host/host.ts';
import type { CertificatePaths } from '../http/certificate.ts';
import { optionOf, parseUci } from '../languages/uci/parse.ts';
import type { ServeWish } from '../wish/wish.ts';

const UHTTPD = '/etc/config/uhttpd';
/** Where OpenWrt's own configuration has them. */
const STOCK = { cert: '/etc/uhttpd.crt', key: '/etc/uhttpd.key' };

export async function certificatePaths(host: Host, { cert, key }: ServeWish): Promise<CertificatePaths> {
  // One file may hold both.
  if (cert !== null || key !== null) return { cert: cert ?? (key as string), key: key ?? (cert as string), named: true };
  const read = await host.read(UHTTPD);
  if (read.state !== 'present') return { ...STOCK, named: false };
  try {
    const servers = parseUci(read.value).sections.filter(({ type }) => type === 'uhttpd');
    const own = servers.find(({ name }) => name === 'main') ?? servers[0];
    const option = (name: 'cert' | 'key'): string => (own === undefined ? null : optionOf(own, name)) ?? STOCK[name];
    return { cert: option('cert'), key: option('key'), named: false };
  } catch {
    // A file that uci itself refuses starts no web server either.
    return { ...STOCK, named: false };
  }
}
