/** Many open pages, and what they cost the router: looks are shared, so it is as many as one page costs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openResident } from './resident.ts';

/** Pages that ask one after the other as fast as they are answered, for so many milliseconds; prints how many answers there were. */
const PAGES = `
const [port, cookie, pages, during] = JSON.parse(process.argv[1]);
const http = require('node:http');
const origin = 'http://127.0.0.1:' + port;
const headers = { cookie, origin, 'x-sipalg': '1', 'content-type': 'application/json' };
const ask = () => new Promise((done, failed) => {
  const request = http.request(origin + '/call', { method: 'POST', headers }, (answer) => {
    answer.resume();
    answer.on('end', () => (answer.statusCode === 200 ? done() : failed(new Error(String(answer.statusCode)))));
  });
  request.on('error', failed);
  request.end('{"method":"status"}');
});
const end = Date.now() + during;
let answers = 0;
const page = async () => { while (Date.now() < end) { await ask(); answers += 1; await new Promise((done) => setTimeout(done, 100)); } };
Promise.all(Array.from({ length: pages }, page)).then(() => console.log(answers));
`;

/** Says each time that it is asked for all rules, which is once for each look. */
const COUNTING = '#!/bin/sh\ncase "$*" in "-j -t list ruleset") echo look >>/tmp/looks ;; esac\nexec /usr/sbin/nft "$@"\n';

const pages = suite('many open pages');

pages('cost one look in two seconds, however many they are', async () => {
  const all = await openResident();
  try {
    const { lab } = all;
    lab.files.write('/slow/nft', COUNTING, 0o755);
    const daemon = all.start(['--listen', '127.0.0.1:8061']);
    const opened = await all.http('GET', await daemon.link());
    const cookie = String(opened.headers['set-cookie']).split(';')[0];
    const during = 3000;
    for (const count of [1, 12]) {
      lab.files.write('/tmp/looks', '');
      const began = Date.now();
      const said = await lab.router.must(['node', '-e', PAGES, JSON.stringify([8061, cookie, count, during])], { timeout: 30_000 });
      const looks = lab.files.read('/tmp/looks').split('\n').length - 1;
      const most = Math.ceil((Date.now() - began) / 2000) + 1;
      assert.ok(Number(said) > 2 * count, `${count} pages had ${said.trim()} answers`);
      assert.ok(looks >= 1 && looks <= most, `${count} pages: ${looks} looks, and ${most} may be`);
    }
    daemon.process.signal('SIGTERM');
    assert.is((await daemon.process.ended).status, 0);
  } finally {
    await all.close();
  }
});

pages.run();
