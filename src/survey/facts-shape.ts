/** What saved facts must hold to be judged: all that observe/facts.ts and voice/facts.ts promise. */
import type { HostAddress } from '../host/host.ts';
import { parseJournal } from '../journal/journal.ts';
import type { Journal } from '../journal/journal.ts';
import type * as Alg from '../observe/facts.ts';
import type * as Policy from '../voice/facts.ts';
import type { Dscp, Limit, Marking, PolicyWish, Problem, Provider, Site, Timeouts, Wish } from '../wish/wish.ts';
import { OWN_FILES } from '../voice/own.ts';
import { calls, shaper, uplink } from './calls-shape.ts';
import { among, both, fields, flag, list, maybe, moment, number, orNull, read, reading, record, text, values } from './shape.ts';
import type { Shape } from './shape.ts';
import type { RouterFacts } from './survey.ts';

const texts = list(text);
const family = among(['ipv4', 'ipv6'] as const);

const module = fields<Alg.Module>({
  name: text,
  state: among(['loaded', 'built in', 'on disk', 'not there']),
  refcount: orNull(number),
  holders: texts,
  parameters: record(text),
  file: orNull(text),
});

const chain = { family: text, table: text, chain: text };
const nft = fields<Alg.NftFacts>({
  version: orNull(text),
  helpers: list(
    fields<Alg.NftHelper>({ family: text, table: text, name: text, handle: number, type: text, protocol: text, l3proto: text }),
  ),
  assignments: list(
    fields<Alg.NftAssignment>({
      ...chain,
      handle: number,
      comment: orNull(text),
      rule: orNull(text),
      remains: orNull(text),
      map: orNull(fields({ name: text, elements: texts })),
      reached: maybe(flag),
    }),
  ),
  timeouts: number,
  unreached: maybe(texts),
  translates: maybe(record(orNull(flag))),
  sources: texts,
  foreign: flag,
  targets: maybe(texts),
  chains: list(fields<Alg.ChainRules>({ ...chain, rules: list(fields({ handle: number, text })) })),
  tables: texts,
  present: texts,
});

const iptables = fields<Alg.IptablesFacts>({
  save: text,
  restore: text,
  flavour: maybe(orNull(among(['legacy', 'nft'] as const))),
  fw3: maybe(flag),
  translates: maybe(record(orNull(flag))),
  sources: maybe(texts),
  assignments: list(
    fields<Alg.IptablesAssignment>({ table: text, chain: text, position: number, rule: text, helper: text, reached: maybe(flag) }),
  ),
  chains: list(fields<Alg.IptablesFacts['chains'][number]>({ table: text, chain: text, rules: texts, reached: maybe(flag) })),
});

const place = { section: text, line: number };
const firewall = fields<Alg.FirewallUci>({
  text,
  autoHelper: flag,
  autoIncludes: flag,
  zones: list(
    fields<Alg.ZoneFact>({
      ...place,
      name: text,
      masquerades: flag,
      autoHelper: flag,
      helpers: texts,
      sip: among(['listed', 'automatic', 'not']),
    }),
  ),
  setHelper: list(fields<Alg.SetHelperFact>({ ...place, name: orNull(text), enabled: flag })),
  open: maybe(
    list(
      fields<Alg.OpenSip>({
        ...place,
        name: orNull(text),
        does: among(['redirect', 'accept', 'drop']),
        protocols: texts,
        sip: list(number),
        to: orNull(text),
      }),
    ),
  ),
  known: maybe(texts),
  forwards: list(fields<Alg.FirewallUci['forwards'][number]>({ ...place, name: orNull(text) })),
  includes: list(fields<Alg.FirewallUci['includes'][number]>({ ...place, type: among(['nftables', 'script', 'restore']), path: text })),
});

const flow = fields<Alg.FlowFact>({
  family,
  protocol: text,
  source: text,
  sourcePort: orNull(number),
  destination: text,
  destinationPort: orNull(number),
  replyDestination: text,
  timeout: orNull(number),
  helper: orNull(text),
  translated: maybe(flag),
  remove: texts,
});

const expectation = fields<Alg.ExpectationFact>({
  source: text,
  destination: text,
  destinationPort: orNull(number),
  protocol: number,
  class: orNull(text),
  permanent: flag,
  timeout: orNull(number),
});

const drop = fields<Alg.DropFact>({
  time: orNull(number),
  reason: text,
  source: orNull(text),
  destination: orNull(text),
  destinationPort: orNull(text),
});

const address = fields<HostAddress>({ device: text, family, address: text, prefix: number });

const dscp = fields<Dscp>({ name: text, value: number });
const wish = fields<PolicyWish>({
  timeouts: fields<Timeouts>({ signallingUnreplied: number, signallingReplied: number, media: number }),
  marking: orNull(fields<NonNullable<Marking>>({ media: dscp, signalling: dscp, overwrite: maybe(among([true] as const)) })),
  limit: orNull(fields<NonNullable<Limit>>({ register: number, invite: number, options: number, other: number, kilobytes: number })),
  providers: list(
    fields<Provider>({
      name: text,
      hosts: list(fields<Provider['hosts'][number]>({ name: text, port: orNull(number) })),
      signalling: texts,
      media: texts,
      ports: maybe(list(number)),
      marking: maybe(among([false] as const)),
      inbound: orNull(fields<NonNullable<Provider['inbound']>>({ pbx: texts, ports: list(number), mediaPorts: orNull(text) })),
    }),
  ),
  sites: list(fields<Site>({ name: text, networks: texts })),
});

const networks = fields<{ stretches: number; digest: string | null }>({ stretches: number, digest: orNull(text) });

const inForce = fields<Policy.InForce>({
  mark: orNull(text),
  shape: text,
  loaded: orNull(text),
  networks: orNull(
    fields<NonNullable<Policy.InForce['networks']>>({
      signalling4: networks,
      signalling6: networks,
      media4: networks,
      media6: networks,
      sites4: networks,
      sites6: networks,
    }),
  ),
  objects: list(fields<Policy.InForce['objects'][number]>({ kind: among(['chain', 'set', 'map', 'counter', 'ct timeout']), name: text })),
  counters: list(fields<Policy.InForce['counters'][number]>({ name: text, packets: number, bytes: number })),
  attempts: list(
    fields<Policy.Attempt>({ source: text, method: text, seen: number, dropped: number, first: orNull(moment), last: orNull(moment) }),
  ),
  phones: texts,
  lists: list(fields<Policy.InForce['lists'][number]>({ name: text, entries: number, most: number })),
});

const answer = fields<Policy.Answer>({
  addresses: texts,
  former: maybe(record(number)),
  refused: maybe(texts),
  ports: list(number),
  tlsPorts: list(number),
  at: moment,
  until: moment,
  failed: orNull(fields<NonNullable<Policy.Answer['failed']>>({ at: moment, because: text })),
});

const jump = fields<Policy.Jump>({ chain: text, rule: text, beforeOffload: maybe(among([true] as const)) });
const seenIptables = reading(
  fields<Policy.IptablesSeen>({
    restore: text,
    tables: list(fields<Policy.SeenTable>({ name: text, chains: texts, jumps: list(jump) })),
    counted: record(text),
    keeps: flag,
    offloadAt: maybe(orNull(number)),
    blocks: maybe(texts),
    misplaced: maybe(flag),
  }),
);

const policy = fields<Policy.PolicyFacts>({
  wanted: flag,
  wish,
  backend: among(['nft', 'iptables']),
  wan: reading(texts),
  lan: list(fields<Policy.PolicyFacts['lan'][number]>({ device: text, address: text, prefix: number, zone: orNull(text) })),
  uplinks: maybe(list(uplink)),
  down: maybe(list(fields<NonNullable<Policy.PolicyFacts['down']>[number]>({ name: text, zone: text, family, addresses: texts }))),
  loaded: maybe(reading(flag)),
  perFlow: reading(flag),
  extensions: record(flag),
  names: record(answer),
  inForce: fields<Policy.PolicyFacts['inForce']>({ all: reading(inForce), ipv4: reading(inForce), ipv6: reading(inForce) }),
  iptables: orNull(
    fields<NonNullable<Policy.PolicyFacts['iptables']>>({
      ipv4: seenIptables,
      ipv6: seenIptables,
      sets: list(fields<{ name: string; entries: number | null }>({ name: text, entries: orNull(number) })),
    }),
  ),
  inbound: orNull(
    fields<Policy.InboundSeen>({
      titles: texts,
      unread: maybe(texts),
      sets: list(fields<Policy.InboundSeen['sets'][number]>({ name: text, networks })),
      front: maybe(reading(list(fields<Policy.InFront>({ rule: text, before: texts })))),
    }),
  ),
  files: record(reading(text), OWN_FILES),
  offload: reading(
    fields<Policy.Offload>({
      software: flag,
      hardware: flag,
      forward: orNull(
        fields<NonNullable<Policy.Offload['forward']>>({
          rules: list(fields<{ handle: number; rule: string }>({ handle: number, rule: text })),
          loaded: flag,
          late: flag,
        }),
      ),
    }),
  ),
  blocks: maybe(
    reading(
      fields<Policy.Blocks>({
        holding: list(fields<Policy.Blocks['holding'][number]>({ set: text, provider: text, network: text })),
        spared: texts,
        unasked: number,
      }),
    ),
  ),
  shapers: list(shaper),
});

export const FACTS: Shape<RouterFacts> = fields<RouterFacts>({
  at: moment,
  uid: number,
  system: fields<Alg.Facts['system']>({
    release: reading(text),
    kernel: reading(text),
    packageManager: reading(among(['opkg', 'apk'])),
    firewall: reading(among(['fw4', 'fw3'])),
  }),
  modules: fields<Alg.Facts['modules']>({ tracker: reading(module), rewriter: reading(module), inImage: reading(flag) }),
  boot: fields<Alg.Facts['boot']>({
    autoload: reading(list(fields<Alg.Autoload>({ file: text, line: number, module: text, args: text }))),
    blacklist: reading(
      fields<Alg.Blacklist>({
        text,
        modules: texts,
        dangerous: list(fields<Alg.Blacklist['dangerous'][number]>({ line: number, text, because: text })),
      }),
    ),
    loader: reading(fields<{ readsBlacklist: boolean }>({ readsBlacklist: flag })),
    automatic: reading(
      list(fields<{ file: string; line: number; value: string; text: string }>({ file: text, line: number, value: text, text })),
    ),
  }),
  automatic: reading(number),
  nft: reading(nft),
  iptables: list(reading(iptables)),
  firewall: fields<Alg.Facts['firewall']>({
    uci: reading(firewall),
    check: maybe(reading(fields<Alg.FirewallCheck>({ loads: flag, because: text, asked: maybe(number) }))),
    definitions: reading(
      list(fields<Alg.HelperDefinition>({ name: text, module: text, port: maybe(number), protocols: maybe(texts), available: flag })),
    ),
    includes: reading(
      list(
        fields<Alg.IncludeUse>({
          file: text,
          line: number,
          text,
          kind: among(['declares', 'assigns', 'runs']),
          name: orNull(text),
        }),
      ),
    ),
  }),
  flows: reading(
    fields<Alg.FlowFacts>({
      flows: list(flow),
      beyond: maybe(number),
      moved: maybe(list(both(flow, fields<{ port: number }>({ port: number })))),
      unseen: maybe(number),
      certain: flag,
      stale: list(both(flow, fields<{ lost: string; device?: string | null }>({ lost: text, device: maybe(orNull(text)) }))),
    }),
  ),
  lines: maybe(
    reading(
      fields<Alg.LineFacts>({
        line: text,
        before: orNull(text),
        flows: list(both(flow, fields<{ by: string }>({ by: text }))),
      }),
    ),
  ),
  expectations: reading(list(expectation)),
  drops: reading(list(drop)),
  timeouts: fields<Alg.Facts['timeouts']>({ udp: reading(number), udpStream: reading(number) }),
  wan: reading(fields<{ device: string; addresses: HostAddress[] }>({ device: text, addresses: list(address) })),
  wish: fields<Alg.Facts['wish']>({
    text: reading(text),
    wish: fields<Wish>({ alg: among(['unmanaged', 'disabled', 'enabled']), policy: orNull(flag), failback: maybe(among([true])) }),
    problems: list(
      fields<Problem>({
        section: text,
        option: text,
        given: text,
        allowed: text,
        text,
        code: maybe(text),
        parameters: maybe(values),
      }),
    ),
    said: maybe(flag),
  }),
  journal: reading(read((value): Journal => parseJournal(JSON.stringify(value)))),
  edited: record(reading(text)),
  policy: reading(policy),
  calls: maybe(calls),
});
