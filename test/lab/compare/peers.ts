/** Programs that people use, as the phones and the provider of the lab: baresip and kamailio, with as little configuration as works. */
import type { Lab } from '../lab.ts';
import type { Member, Process } from '../member.ts';
import { ADDRESS } from '../network.ts';

/** @param behindNat phones register from behind a router that leaves their messages as they are */
const kamailio = (behindNat: boolean): string => `
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:${ADDRESS.provider}:5060
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "textops.so"
${
  behindNat
    ? 'loadmodule "nathelper.so"\nmodparam("nathelper|registrar", "received_avp", "$avp(received)")'
    : ''
}

request_route {
  ${behindNat ? 'force_rport();' : ''}
  if (is_method("REGISTER")) { ${behindNat ? 'fix_nated_register();' : ''} save("location"); exit; }
  if (loose_route() || is_method("CANCEL|ACK")) { ${behindNat ? `$du = "sip:${ADDRESS.wan}:5060";` : ''} t_relay(); exit; }
  record_route();
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;

const baresip = (address: string): string => `
module_path /usr/lib/baresip/modules
sip_listen ${address}:5060
audio_source aubridge,x
audio_player aubridge,x
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
`;

async function write(member: Member, path: string, text: string): Promise<void> {
  await member.must(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', path], { input: text });
}

/** A process whose words are kept for a failing test. */
interface Peer {
  readonly process: Process;
  said(): string;
}

function start(member: Member, argv: readonly string[]): Peer {
  const process = member.spawn(argv);
  let said = '';
  for (const stream of [process.child.stdout, process.child.stderr]) stream.on('data', (data: Buffer) => (said += data));
  return { process, said: () => said };
}

/** Fails after a while that is longer than anything here takes: what hangs would hold up every other lab. */
function late(what: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: not within 10 s`)), 10_000).unref());
}

async function until(peer: Peer, word: string, milliseconds = 8000): Promise<void> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (peer.said().includes(word)) return;
    if (peer.process.child.exitCode !== null) break;
  }
  throw new Error(`'${word}' was not said within ${milliseconds} ms, but: ${peer.said()}`);
}

async function phone(member: Member, user: string, address: string, account: string, more: readonly string[]): Promise<Peer> {
  await write(member, '/tmp/baresip/config', baresip(address));
  await write(member, '/tmp/baresip/accounts', `<sip:${user}@${ADDRESS.provider}>;auth_pass=x;regint=600${account}\n`);
  return start(member, ['baresip', '-f', '/tmp/baresip', ...more]);
}

/** Kamailio on port 5060 of the provider, once it listens. */
async function listening(lab: Lab, behindNat: boolean): Promise<Peer> {
  await write(lab.provider, '/tmp/kamailio.cfg', kamailio(behindNat));
  const options = ['-DD', '-E', '-Y', '/tmp', '-P', '/tmp/kamailio.pid', '-m', '16', '-M', '4'];
  const proxy = start(lab.provider, ['kamailio', '-f', '/tmp/kamailio.cfg', ...options]);
  for (let tries = 0; !(await lab.provider.must(['cat', '/proc/net/udp'])).includes(':13C4 '); tries++) {
    if (tries === 100 || proxy.process.child.exitCode !== null) throw new Error(`kamailio does not listen: ${proxy.said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return proxy;
}

/** The same for whoever brings phones of his own: it registers them and rings all that have one name. End it. */
export async function startKamailio(lab: Lab, { behindNat }: { behindNat: boolean }): Promise<{ end(): Promise<void> }> {
  const { process, said } = await listening(lab, behindNat);
  return {
    async end() {
      // Its children would outlive it, were it killed.
      if (process.child.exitCode === null) process.signal('SIGTERM');
      await Promise.race([process.ended, late(`kamailio ends: ${said()}`)]);
    },
  };
}

/**
 * Two phones (baresip) register with the provider (kamailio); one calls the other through it, and hangs up. Both are behind the
 * router, so that the call crosses it twice.
 */
export async function callThroughProvider(lab: Lab): Promise<void> {
  const all: Peer[] = [];
  try {
    all.push(await listening(lab, false));
    const called = await phone(lab.phone2, 'bob', ADDRESS.phone2, ';answermode=auto', []);
    all.push(called);
    await until(called, '200 OK');
    const caller = await phone(lab.phone, 'alice', ADDRESS.phone, '', ['-t', '3', '-e', `/dial sip:bob@${ADDRESS.provider}`]);
    all.push(caller);
    await until(caller, 'Call established');
    await Promise.race([caller.process.ended, late('baresip hangs up')]); // and takes its registration back
  } finally {
    // Kamailio is asked, for its children would outlive it otherwise and keep its output open; a phone that is asked would take back
    // its registration first, and wait for an answer.
    for (const [index, { process }] of all.entries()) {
      if (process.child.exitCode === null) process.signal(index === 0 ? 'SIGTERM' : 'SIGKILL');
    }
    await Promise.race([Promise.all(all.map(({ process }) => process.ended)), late('baresip and kamailio end')]);
  }
}
