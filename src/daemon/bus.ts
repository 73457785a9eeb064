/** The object on ubus: published, its notifications sent, and what happens on the router heard. */
import type { Client, ConnectionState } from '../ubus/client.ts';
import type { Methods, Publication } from '../ubus/publication.ts';
import { Status, UbusError } from '../ubus/status.ts';
import type { Table, TableLike, TypeName } from '../ubus/value.ts';
import type { Clock } from '../host/clock.ts';
import type { SayLine } from '../host/log.ts';
import { METHODS, OBJECT, WrongArgument } from '../object/object.ts';
import type { Answer, Arguments, MethodName } from '../object/object.ts';
import type { Handover } from './handover.ts';
import { shortened, withoutNul } from './reply-size.ts';
import type { Changed } from './polling.ts';

/** Milliseconds until the object's name is asked for again when somebody else has it. */
const NAME_AGAIN = 5000;

/** Configurations whose change may change the verdict. */
const CONFIGURATIONS: readonly unknown[] = ['firewall', 'sipalg'];

/** procd's object. It tells its subscribers which service started or stopped, and which configuration changed. */
const SERVICES = 'service';

export interface BusOptions {
  client: Client;
  clock: Clock;
  call: (method: MethodName, args: Arguments) => Promise<Answer>;
  /** Something happened that may change the verdict. */
  onEvent: () => void;
  /** Lines for the log. */
  say: SayLine;
  /** Between this and rpcd's plugin, which has the name where no daemon runs. */
  handover?: Handover;
}

export interface Bus {
  changed(changed: Changed): void;
  echo(command: string): void;
  /** Takes the object away, after what was sent before has been dealt with. Never rejects. */
  stop(): Promise<void>;
}

/** What is sent of a reply. Looked through once for each report, not for each call. */
function createTables(): (answer: Answer) => TableLike {
  const plain = new WeakSet<object>();
  return (answer) => {
    const { facts, plan } = answer as { facts?: unknown; plan?: unknown };
    const parts = [facts, plan].filter((part): part is object => typeof part === 'object' && part !== null);
    if (parts.length > 0 && parts.every((part) => plain.has(part))) return answer as TableLike;
    const text = JSON.stringify(answer);
    const table = shortened((text.includes('\\u0000') ? withoutNul(answer) : answer) as TableLike, text.length);
    if (table === answer) for (const part of parts) plain.add(part);
    return table;
  };
}

export function serveBus({ client, clock, call, onEvent, say, handover }: BusOptions): Bus {
  const tableOf = createTables();
  let publication: Publication | null = null;
  let stopped = false;
  let cancel = (): void => undefined;

  async function answer(method: MethodName, args: Table): Promise<TableLike> {
    try {
      return tableOf(await call(method, args));
    } catch (error) {
      if (error instanceof WrongArgument) throw new UbusError(Status.INVALID_ARGUMENT, error.message);
      throw error;
    }
  }

  const methods: Methods = Object.fromEntries(
    Object.entries(METHODS).map(([name, { args }]) => [
      name,
      { args: args as { [name: string]: TypeName }, answer: (given: Table) => answer(name as MethodName, given) },
    ]),
  );

  function publish(first: boolean): void {
    client.publish(OBJECT, methods, { timeout: 0 }).then(
      (published) => {
        publication = published;
        say(`ubus: the object ${OBJECT} is published`);
      },
      (error: UbusError) => {
        if (stopped || publication !== null) return;
        cancel = clock.after(NAME_AGAIN, () => publish(false));
        if (first) void refused(error);
      },
    );
  }

  async function refused({ status, message }: UbusError): Promise<void> {
    const taken = status === Status.INVALID_ARGUMENT;
    if (taken && (await handover?.ask()) === true) return say(`ubus: rpcd has the object ${OBJECT}, and was asked to let go of it`);
    const why = taken ? 'another program has published an object of that name' : message;
    say(`ubus: the object ${OBJECT} could not be published: ${why}; it is tried again every ${NAME_AGAIN / 1000} s`, 'warning');
  }

  /** The name is free. */
  function freed(): void {
    if (stopped || publication !== null) return;
    cancel();
    publish(false);
  }

  function hear(pattern: string, concerns: (data: Table) => boolean, heard = onEvent): void {
    client
      .listen(
        pattern,
        (_event, data) => {
          if (concerns(data)) heard();
        },
        { timeout: 0 },
      )
      .catch((error: UbusError) => {
        if (!stopped) say(`ubus: the event ${pattern} is not heard: ${error.message}`, 'warning');
      });
  }

  const configured = ({ config, package: pkg }: Table): boolean => CONFIGURATIONS.includes(config ?? pkg);

  hear('ubus.object.remove', ({ path }) => path === OBJECT, freed);
  void (handover?.take() ?? Promise.resolve()).then(() => publish(true));
  // Whoever sends it as an event; netifd says which interface came or went.
  hear('config.change', configured);
  hear('network.interface', () => true);
  // `firewall stop` flushes every table of the router, and tells nobody but procd.
  client
    .waitFor(SERVICES, { timeout: 0 })
    .then(() =>
      client.subscribe(
        SERVICES,
        (data, { method }) => {
          if (method === 'config.change' ? configured(data) : method.startsWith('service.') && data['service'] === 'firewall') onEvent();
        },
        { timeout: 0 },
      ),
    )
    .catch((error: UbusError) => {
      if (!stopped) say(`ubus: what ${SERVICES} tells is not heard: ${error.message}`, 'warning');
    });

  return {
    changed(changed) {
      publication?.notify('changed', changed);
    },
    echo(command) {
      if (publication?.subscribed === true) publication.notify('echo', withoutNul({ command }) as TableLike);
    },
    async stop() {
      stopped = true;
      cancel();
      try {
        await client.ping({ timeout: 1000 });
        const mine = publication;
        if (mine !== null) await (handover?.give(() => mine.remove()) ?? mine.remove());
      } catch (error) {
        if (!(error instanceof UbusError)) throw error;
        // Without a connection there is nothing to take away.
      }
      await handover?.end();
      client.close();
    },
  };
}

/** Says how it stands with the connection, once for each change and not for each attempt. */
export function connectionSayer(say: SayLine): (state: ConnectionState) => void {
  let before = '';
  return (state) => {
    if (state.state === before) return;
    before = state.state;
    if (state.state === 'connected') say('ubus: connected');
    if (state.state === 'disconnected')
      say(`ubus: not connected (${state.reason}); the page is served without it, and it is tried again`, 'warning');
  };
}
