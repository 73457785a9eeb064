/** Providers' names asked for by nslookup, from a router whose command answers as busybox's does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Outcome, RunOptions } from '../../../src/host/host.ts';
import { refreshNames } from '../../../src/voice/names/names.ts';

const HEADER = (server: string): string => `Server:\t\t${server}\nAddress:\t${server}:53\n\n`;
type Said = string | 'NXDOMAIN' | 'SERVFAIL' | 'silent' | 'absent';

class Router {
  now = Date.UTC(2026, 0, 1);
  files = new Map([['/etc/resolv.conf', 'nameserver 127.0.0.1\nnameserver 192.0.2.53\n']]);
  /** By `server type name`; what is not here does not exist. */
  said: Record<string, Said> = {};
  asked: string[] = [];
  most = 0;
  #open = 0;
  host = {
    now: () => this.now,
    addresses: () => [],
    read: async (source: string) => {
      const value = this.files.get(source);
      return value === undefined ? { state: 'absent', source } : { state: 'present', value, source };
    },
    kind: async (source: string) => ({ state: this.files.has(source) ? 'present' : 'absent', value: 'file', source }),
    write: async (path: string, text: string) => void this.files.set(path, text),
    remove: async (path: string) => void this.files.delete(path),
    run: async (argv: readonly string[], { timeout = 0 }: RunOptions = {}): Promise<Outcome> => {
      this.most = Math.max(this.most, ++this.#open);
      await new Promise((resolve) => setImmediate(resolve));
      this.#open--;
      const [program, option = '', name = '', server = ''] = argv;
      assert.is(program, 'nslookup');
      const type = option.replace('-type=', '');
      this.asked.push(`${server} ${type} ${name}`);
      const command = argv.join(' ');
      const said = this.said[`${server} ${type} ${name}`] ?? 'NXDOMAIN';
      if (said === 'absent') return { state: 'absent', command };
      if (said === 'silent') {
        this.now += timeout;
        return { state: 'failed', command, because: `it did not end within ${timeout / 1000} s and was killed` };
      }
      if (said === 'NXDOMAIN' || said === 'SERVFAIL')
        return { state: 'exited', command, code: 1, stdout: `${HEADER(server)}** server can't find ${name}: ${said}\n\n`, stderr: '' };
      return { state: 'exited', command, code: 0, stdout: `${HEADER(server)}Non-authoritative answer:\n${said}\n`, stderr: '' };
    },
  } as unknown as Host;
  refresh = (...names: string[]) =>
    refreshNames(
      this.host,
      'nslookup',
      names.map((name) => ({ name, port: null })),
    );
}

const address = (name: string, ...all: string[]): string => all.map((one) => `Name:\t${name}\nAddress: ${one}\n`).join('');

const asking = suite('names asked for by nslookup');

asking('lead to SIP servers first, in both families, and hold for five minutes', async () => {
  const router = new Router();
  router.said = {
    '127.0.0.1 srv _sip._udp.voip.example': '_sip._udp.voip.example\tservice = 10 20 5066 sbc.voip.example\n',
    '127.0.0.1 srv _sips._tcp.voip.example': '_sips._tcp.voip.example\tservice = 10 20 5069 sbc.voip.example\n',
    '127.0.0.1 a sbc.voip.example': address('sbc.voip.example', '192.0.2.2', '192.0.2.1'),
    '127.0.0.1 aaaa sbc.voip.example': address('sbc.voip.example', '2001:db8::5'),
    '127.0.0.1 a voip.example': address('voip.example', '192.0.2.80'),
  };
  const { names, next } = await router.refresh('voip.example');
  const { addresses, ports, tlsPorts, failed } = names['voip.example']!;
  assert.equal([addresses, ports, tlsPorts, failed], [['192.0.2.1', '192.0.2.2', '2001:db8::5'], [5066], [5069], null]);
  assert.is(next, router.now + 300_000);
  assert.ok(router.most <= 4, `${router.most} processes at a time`);
  assert.not.ok(router.asked.some((one) => one.includes('naptr')));
});

asking('keep their last good answer through every failure, which is told', async () => {
  for (const [said, because] of [
    ['silent', /no answer by nslookup: it did not end within 2\.5 s|the time was over/],
    ['SERVFAIL', /192\.0\.2\.53: it says SERVFAIL/],
    ['absent', /there is no nslookup here to ask with; OpenWrt has it in busybox/],
    ['', /nslookup shows no A record of voip\.example; it cannot ask for NAPTR records/],
    ['NXDOMAIN', /voip\.example does not exist \(NXDOMAIN\)/],
  ] as const) {
    const router = new Router();
    router.said = { '127.0.0.1 a voip.example': address('voip.example', '192.0.2.1') };
    await router.refresh('voip.example');
    const all = [
      'a voip.example',
      'aaaa voip.example',
      ...['_sip._udp', '_sip._tcp', '_sips._tcp'].map((one) => `srv ${one}.voip.example`),
    ];
    router.said = Object.fromEntries(['127.0.0.1', '192.0.2.53'].flatMap((server) => all.map((one) => [`${server} ${one}`, said])));
    router.now += 3600_000;
    const { names, changed } = await router.refresh('voip.example');
    assert.equal(names['voip.example']?.addresses, ['192.0.2.1']);
    assert.match(names['voip.example']?.failed?.because ?? '', because);
    assert.not(changed);
  }
});

asking('ask the next server where one fails, and are over in time where all are silent', async () => {
  const router = new Router();
  router.said = { '127.0.0.1 a voip.example': 'SERVFAIL', '192.0.2.53 a voip.example': address('voip.example', '192.0.2.1') };
  assert.equal((await router.refresh('voip.example')).names['voip.example']?.addresses, ['192.0.2.1']);
  const silent = new Router();
  silent.said = new Proxy({}, { get: () => 'silent' });
  const before = silent.now;
  const { names } = await silent.refresh(...Array.from({ length: 20 }, (_, at) => `voip${at}.example`));
  assert.is(Object.keys(names).length, 20);
  assert.ok(silent.now - before <= 20_000, `${silent.now - before} ms`);
});

asking('begin with no dash: one that does is not handed to the command', async () => {
  const router = new Router();
  const { names } = await router.refresh('-debug');
  assert.equal(
    router.asked.filter((one) => / -debug$/.test(one)),
    [],
  );
  assert.match(names['-debug']?.failed?.because ?? '', /no name that/);
});

asking.run();
