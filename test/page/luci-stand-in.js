// Stands in for LuCI in a browser: loads a view as its loader does (`scan`, put before this text by served-luci.ts),
// hands in view, rpc, poll, ui, form and uci (luci-form.js), and shows what it renders. Knows of the classes as much as a view may
// rely on.
/* global scan, settings, ui, form, uci, maps */
window._ = (text) => (settings.mark === '' ? text : `${settings.mark}${text}${settings.mark}`);

class View {
  static extend(members) {
    return class extends View {
      constructor() {
        super();
        Object.assign(this, members);
      }
    };
  }
}

const codes = [
  '',
  'Invalid command',
  'Invalid argument',
  'Method not found',
  'Resource not found',
  'No data received',
  'Permission denied',
  'Request timeout',
  'Not supported',
  'Unspecified error',
  'Connection lost',
];
let id = 1;

const rpc = {
  declare:
    ({ object, method, params = [], reject }) =>
    async (...args) => {
      const call = {
        jsonrpc: '2.0',
        id: id++,
        method: 'call',
        params: ['0123456789abcdef0123456789abcdef', object, method, Object.fromEntries(params.map((name, place) => [name, args[place]]))],
      };
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), settings.timeout);
      let response;
      try {
        response = await fetch(`ubus/${object}.${method}`, { method: 'POST', body: JSON.stringify(call), signal: stop.signal });
      } catch {
        throw new Error(stop.signal.aborted ? 'XHR request timed out' : 'XHR request aborted by browser');
      } finally {
        clearTimeout(timer);
      }
      if (!response.ok) throw new Error(`RPC call to ${object}/${method} failed with HTTP error ${response.status}: ?`);
      const { error, result } = await response.json();
      if (error) throw new Error(`RPC call to ${object}/${method} failed with error ${error.code}: ${error.message}`);
      const [code, value] = result;
      if (code !== 0 && reject && settings.rejects)
        throw new Error(`RPC call to ${object}/${method} failed with ubus code ${code}: ${codes[code]}`);
      return result.length > 1 ? value : code;
    },
};

const tasks = [];
const poll = {
  add(task, seconds) {
    tasks.push({ task, seconds, busy: false });
  },
  remove(task) {
    tasks.splice(0, tasks.length, ...tasks.filter((one) => one.task !== task));
  },
};

/** The loop: every `settings.second` milliseconds is a second; a task that is not done yet is not begun again. */
function loop(tick) {
  for (const one of tasks) {
    if (tick % one.seconds !== 0 || one.busy) continue;
    one.busy = true;
    one.task().finally(() => {
      one.busy = false;
    });
  }
  setTimeout(loop, settings.second, tick + 1);
}

const L = { hasViewPermission: () => settings.write };

async function require(name) {
  if (name in handed) return handed[name];
  const source = await (await fetch(`luci-static/resources/${name.replace(/\./g, '/')}.js`)).text();
  const { needs, wrapped } = scan(source, true);
  const classes = await Promise.all(needs.map((need) => require(need.name)));
  const made = (0, eval)(wrapped).apply(null, [window, document, L, ...classes]);
  if (!(made.prototype instanceof View)) throw new TypeError(`"${name}" factory yields invalid constructor`);
  return new made();
}

const handed = { view: View, rpc, poll, ui, form, uci };

require('view.sipalg.overview').then(
  async (view) => {
    const data = view.load ? await view.load() : undefined;
    document.getElementById('view').append(await view.render(data));
    // The form's own buttons.
    if (view.handleSaveApply !== null) {
      const apply = async () => {
        try {
          for (const map of maps) await map.save();
        } catch (error) {
          return void ui.showModal(_('Save error'), [error.message]);
        }
        await rpc.declare({ object: 'uci', method: 'apply', reject: true })();
      };
      document
        .getElementById('view')
        .append(
          E(
            'div',
            { class: 'cbi-page-actions' },
            E('button', { class: 'cbi-button-apply', click: apply, disabled: !settings.write || null }, _('Save & Apply')),
          ),
        );
    }
    loop(0);
  },
  (error) => document.getElementById('view').append(String(error)),
);
