/**
 * The story of registrations and calls by their messages (RFC 3261 §10, §12, §13; RFC 3264 §8.4 for hold; RFC 3515 for transfer).
 * Records may hold the beginning of a message alone (263 bytes up to Linux 6.12), so that a Call-ID or CSeq is often not there:
 * an answer is then known by the branch of its request, and a request within a call by its phone and far end, where these have one call.
 */
import { identify } from '../languages/sip/identify.ts';
import { Bounded } from './bounded.ts';
import type { Heard, Media, Parsed } from './heard.ts';
import { readHeard } from './heard.ts';
import type { Ladder, Rung } from './ladder.ts';
import { callKey, hostOf, transactionKey } from './call.ts';
import type { Call, Transaction } from './call.ts';
import { Registrations } from './registrations.ts';
import type { Party, Told } from './told.ts';

export interface DialogLimits {
  readonly calls: number;
  readonly finished: number;
  readonly rungs: number;
  readonly transactions: number;
}

/** A call with all that is kept of it takes 4 kB at most, so all of them 2 MB. */
export const DIALOG_LIMITS: DialogLimits = { calls: 256, finished: 32, rungs: 60, transactions: 2048 };

/** Milliseconds between two sendings of a request that nobody answers, after which it is told: T1 doubles from 500 (RFC 3261 §17.1). */
const TOLD_AFTER = 3;
/** A call of which nothing was heard for so long has ended unseen: no session timer is longer (RFC 4028). */
const FORGOTTEN = 6 * 3_600_000;
/** So long after its end what comes still belongs to it: Timer J, 64 × T1. */
const LINGER = 40_000;

const rungOf = ({ at, fromPhone }: Heard, what: string, sdp: boolean): Rung => ({ at, what, fromPhone, sdp, again: 0, fate: 'unknown' });

export interface DialogsOptions {
  readonly tell: (told: Told) => void;
  readonly limits?: Partial<DialogLimits>;
  /** A phone waits for audio at a port. */
  readonly onMedia?: (phone: string, media: Media, call: number) => void;
  /** Show whom was called. */
  readonly numbers?: boolean;
}

export class Dialogs {
  readonly #tell: (told: Told) => void;
  readonly #limits: DialogLimits;
  readonly #onMedia: (phone: string, media: Media, call: number) => void;
  readonly #numbers: boolean;
  readonly #byId: Bounded<string, Call>;
  readonly #live: Bounded<number, Call>;
  readonly #finished: Bounded<number, Call>;
  readonly #transactions: Bounded<string, Transaction>;
  readonly registrations: Registrations;
  #count = 0;
  /** Counts of all calls, for the summary. */
  readonly counts = { calls: 0, answered: 0, failed: 0, cancelled: 0, unread: 0, messages: 0 };

  constructor({ tell, limits, onMedia = () => undefined, numbers = false }: DialogsOptions) {
    this.#tell = tell;
    this.#limits = { ...DIALOG_LIMITS, ...limits };
    this.#onMedia = onMedia;
    this.#numbers = numbers;
    this.#live = new Bounded(this.#limits.calls, (call) => this.#finish(call));
    this.#finished = new Bounded(this.#limits.finished);
    this.#byId = new Bounded(this.#limits.calls + this.#limits.finished);
    this.#transactions = new Bounded(this.#limits.transactions);
    this.registrations = new Registrations(tell);
  }

  /** The live call of a phone by its address, the latest of several; null where none is known. */
  callOf(phone: string): number | null {
    let found: Call | null = null;
    for (const call of this.#live.values()) if (hostOf(call.phone) === phone && call.ended === null) found = call;
    return found?.number ?? null;
  }

  get live(): number {
    let count = 0;
    for (const { ended } of this.#live.values()) if (ended === null) count++;
    return count;
  }

  /** Calls for a drawing: those that go on, and the last ones that have ended. */
  ladders(): Ladder[] {
    return [...this.#finished.values(), ...this.#live.values()]
      .sort((one, other) => one.number - other.number)
      .map(({ number, phone, far, rungs, omitted }) => ({ call: number, phone, far, rungs, omitted }));
  }

  /** Takes a message, in the order of time. @returns its rung, whose fate may be told later */
  hear(heard: Heard): Rung | null {
    const parsed = readHeard(heard.text, heard.whole);
    if (parsed === null) {
      this.counts.unread++;
      return null;
    }
    this.counts.messages++;
    return parsed.method === null ? this.#answer(heard, parsed) : this.#request(heard, parsed, parsed.method);
  }

  /** Whether it answers a request that was not heard yet: a listing shows one tap as it is earlier than the other. */
  isAhead(heard: Heard): boolean {
    const known = identify(heard.text);
    if (known === null || known.status === null) return false;
    const key = transactionKey(heard, !heard.fromPhone, (known.cseq?.split(' ')[1] ?? '').toUpperCase(), known.branch);
    return key !== null && !this.#transactions.has(key);
  }

  #request(heard: Heard, parsed: Parsed, method: string): Rung | null {
    const key = transactionKey(heard, heard.fromPhone, method, parsed.branch);
    const known = key === null ? undefined : this.#transactions.get(key);
    if (known !== undefined && key !== null) {
      known.times++;
      if (known.rung !== null) known.rung.again++;
      if (known.times === TOLD_AFTER && known.final === null && !known.provisional && method !== 'ACK') this.#silent(known, heard.at);
      return known.rung;
    }
    const call = method === 'REGISTER' ? null : this.#callFor(heard, parsed, method);
    const what = method;
    // What belongs to no call is drawn nowhere, and whether it has passed is known all the same.
    const rung = call === null ? rungOf(heard, what, false) : this.#rung(call, heard, what, parsed.media !== null);
    const transaction: Transaction = {
      method,
      call,
      fromPhone: heard.fromPhone,
      began: heard.at,
      times: 1,
      provisional: false,
      final: null,
      media: parsed.media,
      told: { silent: false },
      heard,
      finals: 0,
      rung,
    };
    if (key !== null) this.#transactions.set(key, transaction);
    if (call !== null) call.last = heard.at;
    if (method === 'REGISTER') this.registrations.request(heard, parsed);
    else if (call !== null) this.#requested(call, heard, parsed, method);
    return rung;
  }

  #base(call: Call, at: number): { at: number; phone: string; far: string; call: number; cause: null } {
    return { at, phone: hostOf(call.phone), far: call.far, call: call.number, cause: null };
  }

  #requested(call: Call, heard: Heard, parsed: Parsed, method: string): void {
    const by: Party = heard.fromPhone ? 'phone' : 'far';
    const base = this.#base(call, heard.at);
    if (parsed.media !== null) this.#media(call, by, parsed.media);
    if (method === 'ACK') call.acked = true;
    else if (method === 'BYE' && call.ended === null) {
      call.ended = heard.at;
      const seconds = call.answered === null ? null : (heard.at - call.answered) / 1000;
      // 64 × T1 after an answer whose ACK never came, who answered hangs up (RFC 3261 §13.3.1.4).
      const lost = !call.acked && call.repeats > 2;
      this.#tell({ ...base, what: 'ended', by, seconds, cause: lost ? 'ack-lost' : null });
    } else if (method === 'CANCEL' && !call.cancelled && call.answered === null) {
      call.cancelled = true;
      call.elsewhere = parsed.elsewhere;
      this.counts.cancelled++;
      this.#tell({ ...base, what: 'cancelled', by, elsewhere: parsed.elsewhere });
    } else if (method === 'REFER') this.#tell({ ...base, what: 'transfer', by, status: null });
  }

  #media(call: Call, by: Party, media: Media): void {
    call.lastMedia[by] = media;
    if (by === 'phone') this.#onMedia(hostOf(call.phone), media, call.number);
  }

  /** The call that a request belongs to, or that it begins. */
  #callFor(heard: Heard, parsed: Parsed, method: string): Call | null {
    const { callId } = parsed;
    const known = callId === null ? undefined : this.#byId.get(callKey(heard, callId));
    if (known !== undefined) return known;
    const same = this.#callsBetween(heard, method);
    if (method !== 'INVITE') {
      // A BYE or ACK that has another Call-ID than the only call known is of one that was not seen to begin.
      const fits = callId === null ? same : same.filter((call) => call.callId === null);
      return fits.length === 1 ? (fits[0] as Call) : null;
    }
    // Within a call the To has a tag (§12.2.1.1), and before it none. Where neither is seen, a call that is up is taken for meant.
    const within = parsed.toTag !== undefined && parsed.toTag !== null;
    const unsure = parsed.toTag === null && callId === null;
    const up = same.filter((call) => call.answered !== null && call.ended === null && (callId === null || call.callId === null));
    if ((within || unsure) && up.length === 1) return up[0] as Call;
    // What has neither names no call.
    if ((within || parsed.branch === null) && callId === null) return null;
    return this.#begin(heard, parsed, within);
  }

  #callsBetween({ phone, far, at }: Heard, method: string): Call[] {
    const host = hostOf(phone);
    return [...this.#live.values()].filter(
      (call) =>
        hostOf(call.phone) === host
        && hostOf(call.far) === hostOf(far)
        && (call.ended === null || (method !== 'INVITE' && at - call.ended < LINGER)),
    );
  }

  #begin(heard: Heard, parsed: Parsed, within: boolean): Call {
    const by: Party = heard.fromPhone ? 'phone' : 'far';
    const call: Call = {
      number: ++this.#count,
      phone: heard.phone,
      far: heard.far,
      callId: parsed.callId,
      by,
      began: heard.at,
      rang: false,
      // One that was up before the watch began is not counted as made.
      answered: within ? heard.at : null,
      acked: within,
      ended: null,
      cancelled: false,
      held: { phone: false, far: false },
      lastMedia: { phone: null, far: null },
      repeats: 0,
      last: heard.at,
      rungs: [],
      omitted: 0,
      elsewhere: false,
    };
    this.#sweep(heard.at);
    this.#live.set(call.number, call);
    if (parsed.callId !== null) this.#byId.set(callKey(call, parsed.callId), call);
    if (!within) {
      this.counts.calls++;
      this.#tell({ ...this.#base(call, heard.at), what: 'call', by, number: this.#numbers ? parsed.user : null });
    }
    return call;
  }

  /** Calls that have ended, or of which nothing is heard any more, make room. */
  #sweep(at: number): void {
    for (const call of [...this.#live.values()])
      if ((call.ended !== null && at - call.ended > LINGER) || at - call.last > FORGOTTEN) {
        this.#live.delete(call.number);
        this.#finish(call);
      }
  }

  #finish(call: Call): void {
    this.#finished.set(call.number, call);
  }

  #rung(call: Call, heard: Heard, what: string, sdp: boolean): Rung | null {
    if (call.rungs.length >= this.#limits.rungs) {
      call.omitted++;
      return null;
    }
    const rung = rungOf(heard, what, sdp);
    call.rungs.push(rung);
    return rung;
  }

  #silent(transaction: Transaction, at: number): void {
    if (transaction.told.silent) return;
    transaction.told.silent = true;
    const { call, method, times, began, heard, rung } = transaction;
    // It has left the router on the side it was meant for.
    const beyond = rung?.fate === 'passed' || rung?.fate === 'changed' ? 'unanswered-beyond' : null;
    const cause = heard.fromPhone ? beyond : null;
    const base = { at, phone: hostOf(heard.phone), far: heard.far, call: call?.number ?? null, cause } as const;
    this.#tell({ ...base, what: 'no-answer', message: method, times, seconds: (at - began) / 1000 });
  }

  /** By the branch that the request had (RFC 3261 §17.1.3); of an ACK there is none, of a CANCEL its own. */
  #transactionOf(heard: Heard, parsed: Parsed): Transaction | undefined {
    if (parsed.branch === null) return undefined;
    const cancel = this.#transactions.get(transactionKey(heard, !heard.fromPhone, 'CANCEL', parsed.branch) as string);
    if (parsed.cseq?.method === 'CANCEL') return cancel;
    const own = this.#transactions.get(transactionKey(heard, !heard.fromPhone, '', parsed.branch) as string);
    // The CANCEL's 200 comes first, and says no 487.
    if (cancel !== undefined && parsed.cseq === null && parsed.status === 200 && cancel.final === null) return cancel;
    return own;
  }

  #answer(heard: Heard, parsed: Parsed): Rung | null {
    const transaction = this.#transactionOf(heard, parsed);
    const status = parsed.status ?? 0;
    const call = transaction?.call ?? (parsed.callId === null ? null : (this.#byId.get(callKey(heard, parsed.callId)) ?? null));
    const method = transaction?.method ?? parsed.cseq?.method ?? null;
    const again = transaction !== undefined && transaction.final === status && status >= 200;
    let rung: Rung | null = null;
    if (call !== null) {
      call.last = heard.at;
      const same = again
        ? call.rungs.filter((one) => one.fromPhone === heard.fromPhone && one.what.startsWith(`${status} `)).pop()
        : undefined;
      if (same !== undefined) same.again++;
      rung = same ?? this.#rung(call, heard, `${status} ${parsed.reason}`, parsed.media !== null);
    }
    if (transaction !== undefined) {
      if (status < 200) transaction.provisional = true;
      else {
        transaction.final = status;
        transaction.finals++;
      }
    }
    if (method === 'REGISTER') this.registrations.answer(heard, parsed, transaction?.heard ?? null);
    else if (call !== null && method !== null) this.#answered(call, heard, parsed, method, transaction, again);
    return rung;
  }

  #answered(call: Call, heard: Heard, parsed: Parsed, method: string, transaction: Transaction | undefined, again: boolean): void {
    const by: Party = heard.fromPhone ? 'phone' : 'far';
    const status = parsed.status ?? 0;
    const base = this.#base(call, heard.at);
    if (parsed.media !== null) this.#media(call, by, parsed.media);
    if (method === 'REFER' && status >= 200 && !again)
      this.#tell({ ...base, what: 'transfer', by: by === 'phone' ? 'far' : 'phone', status });
    if (method === 'UPDATE' && status >= 200 && status < 300 && !again) this.#direction(call, by, transaction, heard.at);
    if (method !== 'INVITE') return;
    if (status === 180 || status === 183 || (status > 100 && status < 200)) {
      // Within some milliseconds the order of records is not sure: what is answered rings no more.
      if (!call.rang && status === 180 && call.answered === null) {
        call.rang = true;
        this.#tell({ ...base, what: 'rings' });
      }
      return;
    }
    if (status < 200) return;
    if (status < 300) {
      if (again && !call.acked) {
        call.repeats++;
        if (call.repeats === TOLD_AFTER) this.#tell({ ...base, what: 'answer-repeated', by, times: call.repeats + 1, cause: 'ack-lost' });
      } else if (call.answered === null) {
        call.answered = heard.at;
        this.counts.answered++;
        this.#tell({ ...base, what: 'answered', seconds: Math.max(0, heard.at - call.began) / 1000, by });
      } else if (!again) this.#direction(call, by, transaction, heard.at);
      return;
    }
    // Asked for a password the phone calls again, in the same call (§22.2); 487 is the end of a CANCEL, 491 is tried again.
    if (again || call.answered !== null || status === 401 || status === 407 || status === 491 || call.ended !== null) return;
    call.ended = heard.at;
    if (status === 487 && call.cancelled) return;
    this.counts.failed++;
    this.#tell({ ...base, what: 'failed', status, reason: parsed.reason });
  }

  /** A change within a call was agreed to: who is held now. */
  #direction(call: Call, answeredBy: Party, transaction: Transaction | undefined, at: number): void {
    const by: Party = answeredBy === 'phone' ? 'far' : 'phone';
    const media = transaction?.media;
    if (media === null || media === undefined || call.held[by] === media.held) return;
    call.held[by] = media.held;
    this.#tell({ ...this.#base(call, at), what: media.held ? 'held' : 'resumed', by });
  }

  /** A message that did not reach its phone: it changes nothing there, and is drawn where its call is known. */
  lost(heard: Heard): void {
    const parsed = readHeard(heard.text, heard.whole);
    if (parsed === null) return;
    const transaction = parsed.method === null ? this.#transactionOf(heard, parsed) : undefined;
    const known = parsed.callId === null ? undefined : this.#byId.get(callKey(heard, parsed.callId));
    const call = transaction?.call ?? known ?? null;
    if (call === null) return;
    const what = parsed.method ?? `${parsed.status ?? ''} ${parsed.reason}`;
    const rung = this.#rung(call, heard, what, parsed.media !== null);
    if (rung !== null) rung.fate = 'dropped';
  }

  /** Time has passed: what waits for an answer and gets none is told. */
  tick(at: number): void {
    for (const transaction of this.#transactions.values()) {
      const { final, provisional, times, heard, method } = transaction;
      if (final === null && !provisional && times > 1 && method !== 'ACK' && at - heard.at > 8000 && at - heard.at < 64_000)
        this.#silent(transaction, at);
    }
    this.#sweep(at);
  }
}
