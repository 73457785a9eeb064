/** What devices that lead out say of themselves. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { observeLinks } from '../../../src/observe/calls/links.ts';

const links = suite('devices that lead out');

/** A device with these files in its folder of /sys/class/net. */
const host = (files: Record<string, string>): Host =>
  ({
    list: async (path: string) => ({ state: 'present', value: ['mtu', 'statistics'], source: path }),
    async read(path: string) {
      const value = files[path.slice('/sys/class/net/wan/'.length)];
      return value === undefined ? { state: 'absent', source: path } : { state: 'present', value: `${value}\n`, source: path };
    },
  }) as unknown as Host;

const of = async (more: Record<string, string>) => {
  const counts = { 'statistics/rx_packets': '1000', 'statistics/rx_errors': '3', 'statistics/tx_errors': '4' };
  const [link] = await observeLinks(host({ mtu: '1500', ...counts, ...more }), ['wan']);
  return link?.errors.state === 'present' ? link.errors.value : link;
};

links('run at half duplex where a cable of that speed can, which a modem at USB without a duplex cannot', async () => {
  const said = (half: boolean) => [{ device: 'wan', packets: 1000, errors: 7, half }];
  assert.equal(await of({ duplex: 'full', speed: '1000' }), said(false));
  assert.equal(await of({ duplex: 'half', speed: '10' }), said(true));
  assert.equal(await of({ duplex: 'half', speed: '100' }), said(true));
  assert.equal(await of({ duplex: 'half', speed: '425' }), said(false));
  assert.equal(await of({ duplex: 'half', speed: '-1' }), said(false));
  assert.equal(await of({ duplex: 'half' }), said(false));
  assert.equal(await of({}), said(false));
});

links.run();
