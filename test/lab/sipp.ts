/** Real calls between the phone and the provider through the router, with sipp at both ends. */
import type { Lab } from './lab.ts';
import { ADDRESS, ADDRESS6 } from './network.ts';

export type CallOptions = {
  readonly from?: 'phone' | 'phone2';
  readonly port?: number; // at both ends, 5060
  readonly calls?: number; // 1
  readonly atOnce?: number; // 1: one after the other
  readonly talk?: number; // milliseconds between ACK and BYE, 100
  readonly mediaPort?: number; // 4000
};

export type Calls = {
  readonly succeeded: number;
  readonly failed: number;
  readonly retransmitted: number; // messages the caller had to say again
  readonly said: string; // what the caller's sipp printed, for a failing test
};

/** Places calls and comes back when all are over. The provider is sipp's own `uas`, the caller sipp/caller.xml. */
export async function placeCalls(lab: Lab, options: CallOptions = {}): Promise<Calls> {
  const { from = 'phone', port = 5060, calls = 1, atOnce = 1, talk = 100, mediaPort = 4000 } = options;
  const quiet = ['-nostdin', '-trace_err', '-error_file', '/tmp/sipp-errors'];
  const provider = lab.provider.spawn([
    'sh',
    '-c',
    'cd /tmp && exec "$@"',
    'sh',
    'sipp',
    '-sn',
    'uas',
    '-i',
    ADDRESS.provider,
    '-p',
    String(port),
    '-mi',
    ADDRESS.provider,
    ...quiet,
  ]);
  provider.child.stdout.resume();
  provider.child.stderr.resume();
  try {
    await listening(lab, port);
    const scenario = `${process.cwd()}/test/lab/sipp/caller.xml`;
    const ran = await lab[from].run(
      [
        'sh',
        '-c',
        'cd /tmp && exec "$@"',
        'sh',
        'sipp',
        '-sf',
        scenario,
        '-i',
        ADDRESS[from],
        '-p',
        String(port),
        '-mp',
        String(mediaPort),
        '-s',
        'provider',
        '-m',
        String(calls),
        '-l',
        String(atOnce),
        '-r',
        '10',
        '-d',
        String(talk),
        '-timeout',
        '15s',
        '-timeout_error',
        ...quiet,
        `${ADDRESS.provider}:${port}`,
      ],
      { timeout: 30_000 },
    );
    const said = ran.stdout + ran.stderr;
    const count = (what: string): number => Number(new RegExp(`${what} call\\s*\\|[^|]*\\|\\s*(\\d+)`).exec(said)?.[1] ?? NaN);
    const [succeeded, failed] = [count('Successful'), count('Failed')];
    if (Number.isNaN(succeeded) || Number.isNaN(failed)) throw new Error(`sipp at ${from} ended with ${ran.status}: ${said}`);
    const retransmitted = [...said.matchAll(/^\s*(?:INVITE|ACK|BYE) -+>\s+\d+\s+(\d+)/gm)].reduce(
      (sum, [, again]) => sum + Number(again),
      0,
    );
    return { succeeded, failed, retransmitted, said };
  } finally {
    provider.signal('SIGKILL');
    await provider.ended;
  }
}

/**
 * Plays one call of two scenarios of sipp/ against each other, to its end.
 * @param over which transport, from port 5060 to port 5060; `udp6` and `tcp6` over IPv6
 * @throws Error with what sipp said, where one of them ended otherwise than its scenario
 */
export async function play(lab: Lab, caller: string, provider: string, over: 'udp' | 'tcp' | 'udp6' | 'tcp6' = 'udp'): Promise<void> {
  const addresses = over.endsWith('6') ? ADDRESS6 : ADDRESS;
  const argv = (scenario: string, address: string, log: string): string[] => {
    const file = `${process.cwd()}/test/lab/sipp/${scenario}.xml`;
    const where = ['-i', address, '-mi', address, '-p', '5060', '-t', over.startsWith('tcp') ? 't1' : 'u1'];
    const once = ['-m', '1', '-timeout', '15s', '-timeout_error', '-nostdin', '-trace_err', '-error_file', log];
    return ['sh', '-c', 'cd /tmp && exec "$@"', 'sh', 'sipp', '-sf', file, ...where, ...once];
  };
  const far = lab.provider.spawn(argv(provider, addresses.provider, '/tmp/provider-errors'));
  let said = '';
  for (const stream of [far.child.stdout, far.child.stderr]) stream.on('data', (data: Buffer) => (said += data));
  try {
    await listening(lab, 5060, over);
    const to = over.endsWith('6') ? `[${addresses.provider}]:5060` : `${addresses.provider}:5060`;
    const near = [...argv(caller, addresses.phone, '/tmp/phone-errors'), '-s', 'provider', to];
    const ran = await lab.phone.run(near, { timeout: 20_000 });
    if (ran.status !== 0) {
      const errors = await lab.phone.run(['sh', '-c', 'cat /tmp/phone-errors']);
      throw new Error(`sipp at the phone ended with ${ran.status}: ${errors.stdout}${ran.stdout}${ran.stderr}`);
    }
    const { status } = await far.ended;
    if (status !== 0) throw new Error(`sipp at the provider ended with ${status}: ${said}`);
  } finally {
    if (far.child.exitCode === null) far.signal('SIGKILL');
    await far.ended;
  }
}

async function listening(lab: Lab, port: number, transport: 'udp' | 'tcp' | 'udp6' | 'tcp6' = 'udp'): Promise<void> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let tries = 0; tries < 100; tries++) {
    if ((await lab.provider.must(['cat', `/proc/net/${transport}`])).includes(wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sipp does not listen on port ${port} of the provider`);
}
