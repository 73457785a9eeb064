/** What the saved facts of a diagnosis must hold: all that observe/calls/facts.ts promises. */
import type * as Calls from '../observe/calls/facts.ts';
import type { Uplink } from '../observe/wan.ts';
import type { Interval } from '../observe/calls/intervals.ts';
import type { Shaper } from '../observe/shapers.ts';
import { among, fields, flag, kinds, list, maybe, number, orNull, reading, text } from './shape.ts';

const texts = list(text);
const set = { device: text, how: text };
export const shaper = kinds<Shaper>('kind', {
  sqm: fields({ ...set, section: text, options: text }),
  qosify: fields({ ...set, voice: flag }),
});

const protocol = among(['udp', 'tcp'] as const);
const counted = orNull(fields<Calls.Counted>({ packets: number, bytes: number }));
const tuple = { source: text, sourcePort: number, destination: text, destinationPort: number };
const flow = fields<Calls.CallFlow>({
  ...tuple,
  protocol,
  replySource: text,
  replyDestination: text,
  replyPort: number,
  left: orNull(number),
  out: counted,
  in: counted,
  flags: texts,
});

const drop = fields<Calls.DropRule>({
  family: text,
  table: text,
  chain: text,
  handle: number,
  comment: orNull(text),
  packets: orNull(number),
  bytes: orNull(number),
  asks: list(
    fields<Calls.DropRule['asks'][number]>({
      of: among(['source', 'destination', 'source port', 'destination port', 'protocol', 'in', 'out'] as const),
      not: flag,
      values: texts,
    }),
  ),
  more: flag,
  limits: flag,
  early: flag,
  tool: maybe(among(['iptables', 'ip6tables'] as const)),
});

const traffic = list(fields<Calls.Moved['traffic'][number]>({ device: text, in: number, out: number }));
const marks = list(fields<Calls.MarkCount>({ by: text, marks: list(number), packets: number }));
const counters = fields<Calls.Counters>({
  reasmReqds: number,
  reasmOks: number,
  reasmFails: number,
  fragCreates: number,
  fragFails: number,
});
const where = { family: text, table: text, chain: text, handle: number };
const queues = list(
  fields<Calls.Queue>({
    device: text,
    kind: text,
    packets: number,
    drops: number,
    backlog: number,
    order: orNull(text),
    tins: list(number),
  }),
);
/** Of the policy's facts too. */
export const uplink = fields<Uplink>({ network: text, proto: text, device: orNull(text), up: orNull(number) });

type Flows = { signalling: Calls.CallFlow[]; media: Calls.CallFlow[]; unseen: number };

export const calls = fields<Calls.CallFacts>({
  wan: reading(texts),
  lan: list(fields<Calls.CallFacts['lan'][number]>({ device: text, address: text, prefix: number, zone: orNull(text) })),
  down: maybe(
    list(
      fields<NonNullable<Calls.CallFacts['down']>[number]>({
        name: text,
        zone: text,
        family: among(['ipv4', 'ipv6'] as const),
        addresses: texts,
      }),
    ),
  ),
  flows: reading(fields<Flows>({ signalling: list(flow), media: list(flow), unseen: number })),
  counts: reading(flag),
  own: texts,
  routes: reading(list(fields<{ device: string; metric: number }>({ device: text, metric: number }))),
  links: list(
    fields<Calls.Link>({
      device: text,
      mtu: number,
      ppp: flag,
      errors: reading(list(fields<Calls.LinkErrors>({ device: text, packets: number, errors: number, half: flag }))),
    }),
  ),
  counters: reading(counters),
  table: reading(fields<Calls.Table>({ count: number, most: number, dropped: number, early: number, expectations: orNull(number) })),
  arrivals: reading(fields<{ processed: number; dropped: number }>({ processed: number, dropped: number })),
  listeners: reading(list(fields<Calls.Listener>({ port: number, protocol, address: orNull(text), program: orNull(text) }))),
  drops: reading(list(drop)),
  rejected: counted,
  redirects: reading(
    list(fields<Calls.SipRedirect>({ ...where, ports: list(number), to: text })),
  ),
  randomPorts: reading(texts),
  portSets: maybe(reading(list(fields<Calls.PortSet>({ ...where, ports: texts })))),
  marks: reading(marks),
  queues: reading(queues),
  blocked: reading(list(fields<{ set: string; address: string }>({ set: text, address: text }))),
  offload: reading(fields<{ software: boolean; hardware: boolean }>({ software: flag, hardware: flag })),
  shapers: list(shaper),
  build: reading(text),
  uptime: maybe(reading(number)),
  uplinks: maybe(list(uplink)),
  moved: orNull(
    fields<Calls.Moved>({
      seconds: number,
      rejected: orNull(fields<NonNullable<Calls.Moved['rejected']>>({ packets: number, bytes: number, seconds: maybe(number) })),
      flows: list(fields<Calls.Moved['flows'][number]>({ ...tuple, out: number, in: number, outBytes: maybe(number) })),
      traffic,
      parts: maybe(list(fields<NonNullable<Calls.Moved['parts']>[number]>({ seconds: number, traffic }))),
      dropped: maybe(list(fields<Calls.Grown>({ ...where, packets: number }))),
      marks: maybe(marks),
      voice: maybe(number),
      queues: maybe(queues),
      counters: maybe(counters),
      table: maybe(fields<NonNullable<Calls.Moved['table']>>({ dropped: number, early: number })),
      arrivals: maybe(fields<NonNullable<Calls.Moved['arrivals']>>({ processed: number, dropped: number })),
      errors: maybe(list(fields<NonNullable<Calls.Moved['errors']>[number]>({ device: text, packets: number, errors: number }))),
      paths: orNull(
        list(
          fields<Calls.Path>({
            address: text,
            to: among(['provider', 'phone'] as const),
            echoes: reading(fields<Calls.Echoes>({ sent: number, times: list(number), numbers: maybe(list(number)) })),
          }),
        ),
      ),
    }),
  ),
  intervals: maybe(
    reading(
      list(
        fields<Interval>({
          phone: text,
          far: text,
          how: among(['granted', 'renewed', 'spoke'] as const),
          seconds: number,
          times: number,
          at: number,
          by: among(['watch', 'probe --phones'] as const),
        }),
      ),
    ),
  ),
});
