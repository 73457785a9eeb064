import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMES, readAsked, SYMPTOMS, USUAL, usual } from '../../../src/diagnose/symptoms.ts';
import { secondsIn } from '../../../src/diagnose/times.ts';
import { CAUSES } from '../../../src/diagnose/table.ts';
import { saying } from '../../saying.ts';
import { PHRASES } from './phrases.ts';
import { TOLD } from './told.ts';

const symptoms = suite('symptoms');

symptoms('are known by the words people use', () => {
  const all = PHRASES.flatMap(([symptom, phrases]) => phrases.map((phrase) => ({ symptom, phrase })));
  assert.ok(all.length >= 60, `${all.length} phrasings`);
  const wrong = all.flatMap(({ symptom, phrase }) => {
    let read = 'none';
    try {
      read = readAsked(phrase).symptoms.join();
    } catch {
      // It is shown as none.
    }
    return read === symptom ? [] : [`${phrase}: ${read}, not ${symptom}`];
  });
  assert.equal(wrong, []);
  assert.equal([...new Set(all.map(({ symptom }) => symptom))].sort(), [...NAMES].sort());
});

symptoms('are known with the time that is told', () => {
  const wrong = TOLD.flatMap(([symptom, seconds, phrase]) => {
    let read = 'none';
    try {
      const asked = readAsked(phrase);
      read = `${asked.symptoms.join()} ${asked.seconds}`;
    } catch {
      // It is shown as none.
    }
    return read === `${symptom} ${seconds}` ? [] : [`${phrase}: ${read}, not ${symptom} ${seconds}`];
  });
  assert.equal(wrong, []);
});

symptoms('are known by their names and by what the names stand for, however they are written', () => {
  for (const name of NAMES)
    for (const text of [name, ` ${name.toUpperCase()} `, SYMPTOMS[name].text]) assert.equal(readAsked(text).symptoms, [name], text);
});

symptoms('that are not known are an error that says which are', () => {
  for (const text of ['foo', 'the weather', '???'])
    assert.throws(() => readAsked(text), saying(`"${text}" is no symptom that is known here. Symptoms are drops-after-time, `));
  assert.equal(readAsked('').symptoms, []);
  assert.equal(readAsked('180 s').symptoms, ['drops-after-time']);
});

symptoms('come with the time that is named', () => {
  const times: readonly [string, number | null][] = [
    ['after 32 seconds', 32],
    ['after 32s', 32],
    ['nach 15 Minuten', 900],
    ['every 30 min', 1800],
    ['nach einer halben Minute', 30],
    ['after half an hour', 1800],
    ['after an hour', 3600],
    ['nach zehn Sekunden', 10],
    ['0,5 Minuten', 30],
    ['1.5 minutes', 90],
    ['1h30m', 5400],
    ['1 Std. 5 Min.', 3900],
    ['45-minute calls', 2700],
    ['einundzwanzig Sekunden', 21],
    ['fünfundvierzig Minuten', 2700],
    ['twenty-five seconds', 25],
    ['jede Stunde', 3600],
    ["after 15'", 900],
    ['at 1\'30"', 90],
    ['calls drop', null],
    ['drops at 3:00 am', null],
    ['um 15:00 Uhr klingelt es', null],
    ['192.168.1.10:5060 drops', null],
    ['5060:5061', null],
    ['200 ms delay', null],
    ['a second phone', null],
    ['"calls from 1000"', null],
    ['call 1000 drops', null],
  ];
  for (const [text, seconds] of times) assert.is(secondsIn(text), seconds, text);
});

symptoms('have times that mean something, each of which points to causes there are', () => {
  const codes = new Set(CAUSES.map(({ code }) => code));
  for (const { from, to, points } of USUAL) {
    assert.ok(from < to);
    assert.equal(
      points.filter((code) => !codes.has(code)),
      [],
    );
  }
  for (const [seconds, words] of [
    [32, '64 x T1'],
    [60, 'UDP timeout'],
    [180, 'stream'],
    [300, '6.18'],
    [900, 'session timer'],
    [1800, 'session timer'],
    [3600, 'session timer'],
    [6, 'ACK'],
  ] as const)
    assert.ok(usual(seconds)?.says.text.includes(words), `${seconds}`);
  assert.is(usual(100), null);
});

symptoms.run();
