// Stands in for LuCI's classes `form`, `uci` and `ui`: as much of them as the view relies on, written anew from what they
// are seen to do in 23.05, 24.10 and 25.12. Put behind luci-stand-in.js's `rpc`.
/* global rpc */
const E = (tag, traits, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
};

const toArray = (value) => (value === null || value === undefined ? [] : Array.isArray(value) ? value : String(value).trim().split(/\s+/));

// What rpcd has, and what was changed here and not been sent.
const uci = {
  values: {},
  changes: [],
  async load(config) {
    if (uci.values[config]) return [config];
    const answer = await rpc.declare({ object: 'uci', method: 'get', params: ['config'], reject: true })(config);
    uci.values[config] = answer.values;
    return [config];
  },
  sections: (config, type) =>
    Object.values(uci.values[config])
      .filter((section) => section['.type'] === type)
      .sort((one, other) => one['.index'] - other['.index']),
  get: (config, section, option) => {
    const found = uci.values[config]?.[section];
    return option === undefined ? (found ?? null) : (found?.[option] ?? null);
  },
  set(config, section, option, value) {
    const gone = value === null || value === undefined || value === '';
    if (gone) delete uci.values[config][section][option];
    else uci.values[config][section][option] = value;
    uci.changes.push(gone ? ['delete', section, option] : ['set', section, option, value]);
  },
  unset: (config, section, option) => {
    if (uci.get(config, section, option) !== null) uci.set(config, section, option, null);
  },
  add(config, type, name) {
    const index = Object.keys(uci.values[config]).length;
    uci.values[config][name] = { '.type': type, '.name': name, '.index': index };
    uci.changes.push(['add', name, type]);
    return name;
  },
  remove(config, name) {
    delete uci.values[config][name];
    uci.changes.push(['remove', name]);
  },
  async save() {
    const changes = uci.changes.splice(0);
    if (changes.length > 0) await rpc.declare({ object: 'uci', method: 'changed', params: ['changes'], reject: true })(changes);
  },
};

let overlay = null;
const ui = {
  showModal(title, children, ...classes) {
    overlay ??= document.body.appendChild(E('div', { id: 'modal_overlay', tabindex: '-1' }));
    const box = E('div', { class: ['modal', ...classes].join(' '), role: 'dialog', 'aria-modal': 'true' }, E('h4', {}, title), children);
    overlay.replaceChildren(box);
    document.body.classList.add('modal-overlay-active');
    overlay.focus();
    return box;
  },
  hideModal() {
    document.body.classList.remove('modal-overlay-active');
    overlay?.blur();
  },
};

class Value {
  constructor(map, section, name, title) {
    Object.assign(this, { map, section, option: name, title, deps: [], rmempty: true, retain: false, default: null, keys: [], cached: {} });
  }
  id(section) {
    return `cbid.sipalg.${section}.${this.option}`;
  }
  value(key, label) {
    this.keys.push([key, label]);
  }
  depends(option, value) {
    this.deps.push([option, value]);
  }
  load(section) {
    return uci.get('sipalg', section, this.option);
  }
  validate() {
    return true;
  }
  write(section, value) {
    uci.set('sipalg', section, this.option, value);
  }
  remove(section) {
    uci.unset('sipalg', section, this.option);
  }
  frame(section) {
    return this.map.root?.querySelector(`[data-field="${this.id(section)}"]`) ?? null;
  }
  formvalue(section) {
    return this.frame(section)?.querySelector('input, select')?.value ?? null;
  }
  isActive(section) {
    const frame = this.frame(section);
    return frame !== null && !frame.classList.contains('hidden');
  }
  checkDepends(section) {
    const frame = this.frame(section);
    if (frame === null) return;
    const met = this.deps.every(
      ([option, value]) => this.section.children.find((one) => one.option === option)?.formvalue(section) === value,
    );
    frame.classList.toggle('hidden', !met);
    frame.hidden = !met;
  }
  widget(section, shown) {
    const input = E('input', { type: 'text', class: 'cbi-input-text', id: `widget.${this.id(section)}`, placeholder: this.placeholder });
    input.value = shown ?? '';
    input.disabled = this.map.readonly;
    for (const event of ['keyup', 'blur']) input.addEventListener(event, () => this.check(section, input, input.value));
    return input;
  }
  check(section, input, value) {
    const said = this.validate(section, value);
    input.classList.toggle('cbi-input-invalid', said !== true);
    if (said === true) input.removeAttribute('data-tooltip');
    else input.setAttribute('data-tooltip', said);
    return said === true;
  }
  checkAll(section) {
    const input = this.frame(section)?.querySelector('input, select');
    return !input || this.check(section, input, input.type === 'checkbox' ? '1' : input.value);
  }
  async render(section) {
    const given = await this.load(section);
    const frame = E(
      'div',
      { class: 'cbi-value', 'data-field': this.id(section), 'data-name': this.option },
      E('label', { class: 'cbi-value-title', for: `widget.${this.id(section)}` }, this.title ?? ''),
      E('div', { class: 'cbi-value-field' }, this.widget(section, given ?? (this.placeholder === undefined ? this.default : null))),
    );
    frame.addEventListener('change', () => this.map.checkDepends());
    return frame;
  }
  same(section, value) {
    return JSON.stringify(uci.get('sipalg', section, this.option)) === JSON.stringify(value);
  }
  parse(section) {
    if (!this.isActive(section)) return this.retain ? undefined : this.remove(section);
    if (!this.checkAll(section)) throw new TypeError(`Option "${this.title}" contains an invalid input value.`);
    const value = this.formvalue(section);
    if (value === null || value.length === 0) return this.rmempty ? this.remove(section) : undefined;
    if (!this.same(section, value)) this.write(section, value);
  }
}

class ListValue extends Value {
  widget(section, shown) {
    const select = E(
      'select',
      { class: 'cbi-input-select', id: `widget.${this.id(section)}` },
      this.keys.map(([key, label]) => E('option', { value: key, selected: key === shown }, label)),
    );
    select.disabled = this.map.readonly;
    return select;
  }
}

class Flag extends Value {
  widget(section, shown) {
    const box = E('input', { type: 'checkbox', id: `widget.${this.id(section)}`, checked: shown === '1' });
    box.disabled = this.map.readonly;
    return box;
  }
  formvalue(section) {
    return this.frame(section)?.querySelector('input')?.checked ? '1' : '0';
  }
}

class DynamicList extends Value {
  widget(section, shown) {
    const list = E('div', { class: 'cbi-dynlist' });
    const add = (text) =>
      list.insertBefore(E('div', { class: 'item', click: (event) => event.currentTarget.remove() }, text), list.lastChild);
    const input = super.widget(section, '');
    const plus = () => {
      if (input.value === '' || !this.check(section, input, input.value)) return;
      add(input.value);
      input.value = '';
    };
    list.append(
      E('div', { class: 'add-item' }, input, E('button', { type: 'button', class: 'cbi-button-add', click: plus, 'aria-label': '+' }, '+')),
    );
    for (const text of toArray(shown)) add(text);
    return list;
  }
  formvalue(section) {
    const frame = this.frame(section);
    return frame === null ? null : [...frame.querySelectorAll('.item')].map(({ textContent }) => textContent);
  }
  checkAll(section) {
    const list = this.frame(section).querySelector('.cbi-dynlist');
    return this.check(section, list, '');
  }
}

class DummyValue extends Value {
  parse() {}
}

class SectionValue extends Value {
  constructor(map, section, name, kind, ...args) {
    super(map, section, name, '');
    this.subsection = new kind(map, ...args);
  }
  async render(section) {
    return E('div', { 'data-field': this.id(section) }, await this.subsection.render());
  }
  parse() {
    return this.subsection.parse();
  }
  checkDepends(section) {
    super.checkDepends(section);
    this.subsection.checkDepends();
  }
}

class Section {
  constructor(map, title, about) {
    Object.assign(this, { map, title, about, children: [], tabs: [] });
  }
  tab(name, title) {
    this.tabs.push({ name, title });
  }
  option(kind, name, ...args) {
    const option = new kind(this.map, this, name, ...args);
    this.children.push(option);
    return option;
  }
  taboption(tab, ...args) {
    const option = this.option(...args);
    option.tab = tab;
    return option;
  }
  formvalue(section) {
    return Object.fromEntries(this.children.map((option) => [option.option, option.formvalue(section)]));
  }
  parse() {
    for (const section of this.ids()) for (const option of this.children) option.parse(section);
  }
  checkDepends() {
    for (const section of this.ids()) for (const option of this.children) option.checkDepends(section);
  }
}

class NamedSection extends Section {
  constructor(map, name, type, title, about) {
    super(map, title, about);
    this.name = name;
  }
  ids() {
    return [this.name];
  }
  async render() {
    const rows = async (tab) => Promise.all(this.children.filter((one) => one.tab === tab).map((one) => one.render(this.name)));
    const head = [this.title ? E('h3', {}, this.title) : null, this.about ? E('div', { class: 'cbi-section-descr' }, this.about) : null];
    if (this.tabs.length === 0) return E('div', { class: 'cbi-section' }, head, await rows(undefined));
    const panes = [];
    for (const { name } of this.tabs) panes.push(E('div', { 'data-tab': name, hidden: true }, await rows(name)));
    const show = (at) => {
      panes.forEach((pane, place) => (pane.hidden = place !== at));
      requestAnimationFrame(() => panes[at].dispatchEvent(new CustomEvent('cbi-tab-active', { detail: { tab: this.tabs[at].name } })));
    };
    const link = ({ title }, at) => E('li', {}, E('a', { href: '#', click: (event) => (event.preventDefault(), show(at)) }, title));
    show(0);
    return E('div', { class: 'cbi-section' }, E('ul', { class: 'cbi-tabmenu' }, this.tabs.map(link)), E('div', {}, panes));
  }
}

class GridSection extends Section {
  constructor(map, type, title, about) {
    super(map, title, about);
    this.type = type;
  }
  ids() {
    return uci.sections('sipalg', this.type).map((section) => section['.name']);
  }
  // Only what may be changed within the table.
  parse() {
    for (const section of this.ids()) for (const option of this.children.filter(({ editable }) => editable)) option.parse(section);
  }
  /** A dialog with copies of the options, which belong to it. */
  async edit(section, added) {
    const map = new FormMap('sipalg');
    map.readonly = this.map.readonly;
    const copies = map.section(NamedSection, section, this.type);
    for (const option of this.children) {
      if (option.modalonly === false) continue;
      const copy = copies.option(option.constructor, option.option, option.title);
      for (const name of Object.keys(option)) if (!['map', 'section', 'option', 'title'].includes(name)) copy[name] = option[name];
    }
    const leave = async () => {
      if (added) uci.remove('sipalg', section);
      ui.hideModal();
      await this.map.draw();
    };
    const save = async () => {
      try {
        map.parse();
      } catch {
        return;
      }
      await uci.save();
      ui.hideModal();
      await this.map.draw();
    };
    ui.showModal(
      this.modaltitle(section),
      [
        await map.render(),
        E(
          'div',
          { class: 'button-row' },
          E('button', { class: 'btn', click: leave }, _('Dismiss')),
          E('button', { class: 'btn cbi-button-positive', click: save }, _('Save')),
        ),
      ],
      'cbi-modal',
    );
    map.checkDepends();
  }
  async render() {
    const shown = this.children.filter(({ modalonly }) => modalonly !== true);
    const table = E('table', { class: 'table', role: 'table', 'aria-label': this.title });
    table.append(
      E(
        'tr',
        {},
        E('th', {}, _('Name')),
        shown.map(({ title }) => E('th', {}, title)),
      ),
    );
    for (const section of this.ids()) {
      const cells = await Promise.all(shown.map((one) => (one.editable ? one.render(section) : toArray(one.load(section)).join(' '))));
      const remove = () => (uci.remove('sipalg', section), uci.save().then(() => this.map.draw()));
      table.append(
        E(
          'tr',
          { 'data-section-id': section },
          E('td', {}, section),
          cells.map((cell) => E('td', {}, cell)),
          E(
            'td',
            {},
            E('button', { class: 'btn cbi-button-edit', click: () => this.edit(section) }, _('Edit')),
            E('button', { class: 'btn cbi-button-remove', click: remove }, _('Delete')),
          ),
        ),
      );
    }
    const name = E('input', { class: 'cbi-section-create-name', 'aria-label': `${this.title}: name` });
    const add = () => this.edit(uci.add('sipalg', this.type, name.value), true);
    return E(
      'div',
      { class: 'cbi-section', id: `cbi-sipalg-${this.type}` },
      E('h3', {}, this.title),
      table,
      E('div', { class: 'cbi-section-create' }, name, E('button', { class: 'cbi-button-add', click: add }, _('Add'))),
    );
  }
}

class FormMap {
  constructor(config, title, about) {
    Object.assign(this, { config, title, about, sections: [], readonly: !settings.write });
  }
  section(kind, ...args) {
    const section = new kind(this, ...args);
    this.sections.push(section);
    return section;
  }
  async render() {
    this.root = E('div', { class: 'cbi-map' });
    await this.draw();
    return this.root;
  }
  async draw() {
    const nodes = await Promise.all(this.sections.map((section) => section.render()));
    this.root.replaceChildren(
      ...[
        this.title ? E('h2', {}, this.title) : null,
        this.about ? E('div', { class: 'cbi-map-descr' }, this.about) : null,
        ...nodes,
      ].filter(Boolean),
    );
    this.checkDepends();
  }
  parse() {
    for (const section of this.sections) section.parse();
  }
  checkDepends() {
    for (const section of this.sections) section.checkDepends();
  }
  async save() {
    this.parse();
    await uci.save();
    await this.draw();
  }
}

const maps = [];
const form = {
  // The first one is the page's; those of dialogs are made by the class itself.
  Map: class extends FormMap {
    constructor(...args) {
      super(...args);
      maps.push(this);
    }
  },
  NamedSection,
  GridSection,
  SectionValue,
  DummyValue,
  Value,
  ListValue,
  Flag,
  DynamicList,
};
