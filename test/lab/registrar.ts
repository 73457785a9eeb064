/** A provider that answers registrations and calls the phones that have registered, and phones that retry. */
import { ADDRESS } from './network.ts';
import { invite, register } from './sip.ts';
import type { Peer, Received, Socket } from './talker.ts';

const PROVIDER: Peer = { address: ADDRESS.provider, port: 5060 };

export type Registering = {
  /** Says REGISTER once; where it came from as the provider sees it, and whether its answer came back. */
  register(): Promise<{ readonly from: string; readonly answered: boolean }>;
  /** Whether an INVITE that the provider sends to an address of the router arrives. */
  isCalled(at: Peer): Promise<boolean>;
};

/** The 200 to a REGISTER (RFC 3261, 10.3): the helper drops an answer that lacks a field. */
function accepted(request: string): string {
  const fields = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq|Contact|Expires):/.test(line));
  return ['SIP/2.0 200 OK', ...fields, 'Content-Length: 0', '', ''].join('\r\n');
}

/**
 * A phone that registers.
 * @param socket   its own, bound to `address` and `port`
 * @param provider the provider's, on port 5060; several phones may share it, one at a time
 */
export function registering(socket: Socket, address: string, port: number, provider: Socket): Registering {
  const from = { address, port, user: 'phone' };
  const to = { ...PROVIDER, user: 'provider' };
  let count = 0;

  /** The next thing heard that holds the text, past what came before it. */
  async function heard(at: Socket, text: string): Promise<Received | undefined> {
    for (let one = await at.next(1500); one; one = await at.next(1500)) if (one.bytes.includes(text)) return one;
    return undefined;
  }

  return {
    async register() {
      const callId = `registration-${port}-${++count}@${address}`;
      await socket.send(Buffer.from(register({ from, to, callId, cseq: count })), PROVIDER);
      const seen = await heard(provider, callId);
      if (seen === undefined) return { from: 'nowhere', answered: false };
      if (seen.from.address === address) return { from: address, answered: false }; // the provider has no route back to it
      await provider.send(Buffer.from(accepted(seen.bytes.toString('latin1')), 'latin1'), seen.from);
      return { from: seen.from.address, answered: (await heard(socket, callId)) !== undefined };
    },
    async isCalled(at) {
      const callId = `call-${port}-${++count}@${PROVIDER.address}`;
      await provider.send(Buffer.from(invite({ from: to, to: { ...at, user: 'phone' }, callId })), at);
      return (await heard(socket, callId)) !== undefined;
    },
  };
}
