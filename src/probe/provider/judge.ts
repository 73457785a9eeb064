/**
 * What the answers of a provider prove. Pure.
 *
 * An answer repeats Via, From, To, Call-ID and CSeq as they came (RFC 3261 §8.2.6.2) and says in `received` and `rport` which
 * address and port the server saw (§18.2.1, RFC 3581 §4). An ALG that rewrites both ways puts back what is repeated, so
 * values that come back as they were sent prove nothing; what it puts back too far proves it. So two questions from one
 * socket are held against each other, of which one names the socket's address and the other a host name that no ALG takes
 * for the phone's: a server sees both come from one place, and where the answers say otherwise, somebody between edits them.
 */
import { notPublic, sameAddress } from '../../languages/address/special.ts';
import { shownPeer } from './question.ts';
import type { Alteration, Answer, Form, Here, Look, Transport, Verdict, Where } from './result.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

export interface Judgement {
  verdict: Verdict;
  where: Where;
  summary: Said;
  reasons: Said[];
}

const NAMES: Readonly<Record<Transport, string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };

type Answered = Look & { outcome: { state: 'answered'; answer: Answer } };
const isAnswered = (look: Look): look is Answered => look.outcome.state === 'answered';

const place = (answer: Answer): string =>
  answer.rport === null ? (answer.received ?? '') : shownPeer({ address: answer.received ?? '', port: answer.rport });

/** Whether two answers say different things of where their questions, from one socket, came from. */
function disagree(one: Answer, other: Answer): boolean {
  if (one.received === null || other.received === null) return false;
  if (!sameAddress(one.received, other.received)) return true;
  return one.rport !== null && other.rport !== null && one.rport !== other.rport;
}

/** Signs that a value was changed on the way, as sentences. */
function signs(looks: readonly Answered[]): { proofs: Said[]; notes: Said[] } {
  const proofs: Said[] = [];
  const notes: Said[] = [];
  // Nobody reads TLS on the way: what differs there differs by the server's own doing.
  const servers = new Set(
    looks.filter(({ over }) => over === 'tls').flatMap(({ outcome }) => outcome.answer.alterations.map(({ field }) => field)),
  );
  for (const field of servers)
    notes.push(
      say('server-repeats-not', 'The server itself does not repeat {field} as it was sent, over TLS too, so nothing is made of that.', {
        field,
      }),
    );
  const said = new Set<string>();
  for (const { over, outcome } of looks) {
    if (over === 'tls') continue;
    for (const { field, sent, seen } of outcome.answer.alterations) {
      if (servers.has(field) || said.has(`${over} ${field}`)) continue;
      said.add(`${over} ${field}`);
      proofs.push(
        say(
          'proof-repeated',
          'Over {over} {field} was sent as {sent} and came back as {seen}; a server repeats it as it came (RFC ' + '3261 §8.2.6.2).',
          { over: NAMES[over], field, sent, seen },
        ),
      );
    }
  }
  for (const over of ['udp', 'tcp'] as const) {
    const of = (form: Form): Answered[] => looks.filter((look) => look.over === over && look.form === form);
    const pairs = of('literal').flatMap((literal) =>
      of('named')
        .filter(({ local, server }) => shownPeer(local) === shownPeer(literal.local) && shownPeer(server) === shownPeer(literal.server))
        .map((named) => [literal, named] as const),
    );
    const pair = pairs.find(([literal, named]) => disagree(literal.outcome.answer, named.outcome.answer));
    if (pair !== undefined) {
      const [literal, named] = [place(pair[0].outcome.answer), place(pair[1].outcome.answer)];
      proofs.push(
        say(
          'proof-two-places',
          'Over {over} the same server saw one socket at two places: {literal} where Via named the socket, '
            + '{named} where it named a host. Only the text differed, so something on the way reads Via and edits '
            + 'the answer.',
          { over: NAMES[over], literal, named },
        ),
      );
    }
  }
  return { proofs, notes };
}

/** Kinds of addresses that are nobody's on the internet (languages/address/special.ts). */
const KINDS: Readonly<Record<string, Said>> = {
  private: say('address-private', 'private'),
  loopback: say('address-loopback', 'loopback'),
  'link-local': say('address-link-local', 'link-local'),
};

/** A private place that a server of the internet is said to have seen, beside what another transport says. */
function private_(looks: readonly Answered[]): { proof: Said | null; doubt: Said | null } {
  for (const look of looks) {
    const { over, form, local, server, outcome } = look;
    const { received } = outcome.answer;
    if (over === 'tls' || form !== 'literal' || received === null || !sameAddress(received, local.address)) continue;
    const kind = notPublic(received);
    if (kind == null || notPublic(server.address) !== null) continue;
    const other = looks.find(
      (one) =>
        one.over !== over
        && (one.over === 'tls' || one.form === 'named')
        && one.server.address === server.address
        && one.outcome.answer.received !== null
        && !sameAddress(one.outcome.answer.received, received),
    );
    if (other !== undefined) {
      return {
        proof: say(
          'proof-cannot-have-seen',
          "Over {over} the answer says the server saw {address}, this machine's own {kind} address; over "
            + '{other} the same server saw {seen}. It cannot have seen the first.',
          {
            over: NAMES[over],
            address: received,
            kind: KINDS[kind] ?? kind,
            other: NAMES[other.over],
            seen: other.outcome.answer.received ?? '',
          },
        ),
        doubt: null,
      };
    }
    return {
      proof: null,
      doubt: say(
        'doubt-own-address',
        "The answer says that the server at {server} saw {address}, this machine's own {kind} address. "
          + 'Either no address is translated on the way (a private line, a VPN), or an ALG edits the answers; no '
          + 'answer by another way told the two apart.',
        { server: server.address, address: received, kind: KINDS[kind] ?? kind },
      ),
    };
  }
  return { proof: null, doubt: null };
}

/** Why the answers cannot show what they ought to; null: they can. */
function blind(looks: readonly Look[], answered: readonly Answered[], main: Transport): Said | null {
  const literal = answered.filter(({ form }) => form === 'literal');
  const first = literal.find(({ over }) => over === main);
  // Of each server for itself: that another one answers, by IPv6, is no answer to what is dropped on the way to this one.
  const muted = answered.some(
    ({ form, over, server }) =>
      form === 'named' && over === main && !literal.some((one) => one.over === main && shownPeer(one.server) === shownPeer(server)),
  );
  if (first === undefined || muted) {
    const elsewhere = [...new Set(answered.filter(({ over }) => over !== main).map(({ over }) => NAMES[over]))];
    if (muted) {
      return say(
        'blind-named-only',
        "Over {over} a question that names this machine's address was never answered, while one with a host "
          + 'name in its place was. Something that reads SIP drops it: an ALG on the way, or the provider.',
        { over: NAMES[main] },
      );
    }
    if (elsewhere.length > 0)
      return main === 'udp'
        ? say('blind-udp', 'Over UDP, which most phones use, no question was answered; over {over} the provider answers.', {
            over: elsewhere,
          })
        : say('blind-over', 'Over {transport} no question was answered; over {over} the provider answers.', {
            transport: NAMES[main],
            over: elsewhere,
          });
    return !looks.some(({ over }) => over === main)
      ? say('blind-unsent', 'Over {over} no question could be sent.', { over: NAMES[main] })
      : say('blind-none', 'No question was answered: the provider does not answer strangers, or nothing reaches it.');
  }
  const { answer } = first.outcome;
  if (answer.received !== null || main === 'tls') return null;
  const named = answered.find(({ form, over }) => form === 'named' && over === main);
  if (named !== undefined && named.outcome.answer.received !== null) {
    return say(
      'blind-habit',
      'The server says what it saw ({place}) only where Via named a host. By RFC 3261 §18.2.1 that means '
        + 'that Via and source agreed in the other one, which they cannot if it arrived as it was sent; but a '
        + "server's habit looks the same.",
      { place: place(named.outcome.answer) },
    );
  }
  return say(
    'blind-no-received',
    'The server does not say which address it saw (no `received` in its answers), so an ALG that edits both ways could not be seen.',
  );
}

/** RFC 3261 §19.1.2. ALGs are given the flows to it; the kernel's looks at a message elsewhere only where a rule says so. */
export const SIP_PORT = 5060;
/** What holds at one port need not hold at the usual one. */
export const elsewhere = (port: number): Said[] =>
  port === SIP_PORT
    ? []
    : [
        say('about-port', 'This is about port {port}; most ALGs look at {usual} alone, so nothing is said of that one.', {
          port,
          usual: SIP_PORT,
        }),
      ];

/** Where an ALG is that was found from here, as far as can be told. */
export function placeOf({ kind, alg }: Here): { where: Where; says: Said } {
  if (kind === 'computer') {
    const says = say(
      'place-router',
      'The router of this network is the first suspect: `sipalg status` on it, where it runs OpenWrt, '
        + 'tells; if clean, it is one beyond.',
    );
    return { where: 'on the way', says };
  }
  return alg === 'off'
    ? {
        where: 'beyond',
        says: say('place-beyond', "This router's own ALG is off, so it is beyond: in a modem, another router, or the carrier's network."),
      }
    : {
        where: 'here or beyond',
        says: say(
          'place-either',
          "This router's own ALG is not known to be off, so it cannot be told from one beyond: `sipalg " + 'disable`, and probe again.',
        ),
      };
}

/** What a router sends itself enters by no device of the LAN, to which rules and zones give the helper. */
export const BEYOND_ALONE = say(
  'beyond-alone',
  'This is about what lies beyond this router: its own ALG takes what comes from the LAN, not what it sends itself (`sipalg status`).',
);

const LIMIT = say(
  'limit-contact',
  'Contact and SDP are not repeated in answers, so nothing is said of them; `sipalg probe --mirror` ' + 'shows them too.',
);

/**
 * @param host    the provider as it was asked for
 * @param offered the transports it has servers for: the first of UDP, TCP and TLS is the one that counts
 */
export function judge(looks: readonly Look[], host: string, here: Here, offered: readonly Transport[]): Judgement {
  const main = (['udp', 'tcp', 'tls'] as const).find((over) => offered.includes(over)) ?? 'udp';
  const answered = looks.filter(isAnswered);
  const { proofs, notes } = signs(answered);
  const { proof, doubt } = private_(answered);
  if (proof !== null) proofs.push(proof);
  const from = here.kind === 'router' ? say('from-router', 'this router') : say('from-computer', 'this computer');
  if (proofs.length > 0) {
    const { where, says } = placeOf(here);
    return {
      verdict: 'rewritten',
      where,
      summary: say('probe-edits', 'A SIP ALG between {from} and {host} edits SIP.', { from, host }),
      reasons: [...proofs, says, ...notes, LIMIT],
    };
  }
  const because = blind(looks, answered, main) ?? doubt;
  if (because !== null) {
    return {
      verdict: 'inconclusive',
      where: null,
      summary: say('probe-untold', 'Whether a SIP ALG stands between {from} and {host} could not be told.', { from, host }),
      reasons: [because, ...notes],
    };
  }
  const { outcome, local, server } = answered.find(({ form, over }) => form === 'literal' && over === main)!;
  const { received } = outcome.answer;
  if (main === 'tls') {
    const says = say('tls-alone', 'The provider has servers for TLS alone, and over TLS nobody on the way can read SIP, nor edit it.');
    return {
      verdict: 'unchanged',
      where: null,
      summary: say('probe-untouchable', 'No SIP ALG can touch what is said between {from} and {host}.', { from, host }),
      reasons: [says, ...notes],
    };
  }
  const reasons = [
    say('reason-came-back', 'Via, From, To and Call-ID came back as they were sent, with an address and with a name in them.'),
    sameAddress(received ?? '', local.address)
      ? say(
          'reason-own-address',
          "The server saw this machine's own address ({address}): none is translated on the way, so there is "
            + 'nothing for an ALG to edit.',
          { address: received ?? '' },
        )
      : say('reason-translated', 'The server saw {seen}, where this machine has {own}: the address was translated, not the text.', {
          seen: place(outcome.answer),
          own: shownPeer(local),
        }),
  ];
  if (here.kind === 'router' && here.alg !== 'off') {
    reasons.push(BEYOND_ALONE);
  }
  return {
    verdict: 'unchanged',
    where: null,
    summary: say('probe-none', 'No SIP ALG was seen between {from} and {host}.', { from, host }),
    reasons: [...reasons, ...elsewhere(server.port), ...notes, LIMIT],
  };
}

/** Alterations over all looks, for the list. */
export const alterationsOf = (looks: readonly Look[]): (Alteration & { over: Transport; form: Form })[] =>
  looks.filter(isAnswered).flatMap(({ over, form, outcome }) => outcome.answer.alterations.map((each) => ({ ...each, over, form })));
