/**
 * The script of every page: sorting, filtering and paging of tables, the way from a picture to a table, and the switch
 * between light and dark. Everything it works on is in the page already, and it makes elements, never markup from text.
 */

/** Runs before the page is laid out, so that a table of thousands of rows is not laid out only to be shortened. */
export const EARLY_SCRIPT = `document.documentElement.classList.add('js');`;

export const SCRIPT = `
(() => {
  'use strict';
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const collator = new Intl.Collator('en', { numeric: true });
  const number = new Intl.NumberFormat('en-US');

  const theme = () => {
    const root = document.documentElement;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const isDark = () => (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
    const button = make('button', { type: 'button', className: 'theme' });
    const name = () => {
      button.textContent = isDark() ? 'Light' : 'Dark';
      button.setAttribute('aria-label', isDark() ? 'Switch to light colours' : 'Switch to dark colours');
    };
    button.addEventListener('click', () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      name();
    });
    dark.addEventListener('change', name);
    name();
    document.querySelector('header.top').append(button);
  };

  const keyOf = (cell, kind) => {
    const text = cell.dataset.v ?? cell.textContent.trim();
    if (kind !== 'number') return text === '' || text === 'n/a' ? null : text;
    const value = Number(text.replaceAll(',', ''));
    return text === '' || Number.isNaN(value) ? null : value;
  };

  const compare = (a, b, down) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = typeof a === 'number' ? a - b : collator.compare(a, b);
    return down ? -order : order;
  };

  const enhance = (table) => {
    const body = table.tBodies[0];
    const step = Number(table.dataset.page);
    const noun = table.dataset.noun;
    const all = [...body.rows].map((row, place) => ({ row, place, text: null, keys: [] }));
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    let shown = all;
    let most = step;
    let sorted = null;
    let wanted = '';

    const draw = () => {
      body.replaceChildren(...shown.slice(0, most).map(({ row }) => row));
      const count = Math.min(most, shown.length);
      const of = number.format(all.length) + ' ' + noun;
      status.textContent =
        (shown.length === all.length ? '' : number.format(shown.length) + ' of ') + of +
        (wanted === '' ? '' : ' match') +
        (count < shown.length ? ', the first ' + number.format(count) + ' are shown' : '');
      const rest = shown.length - count;
      more.hidden = everything.hidden = rest <= 0;
      more.textContent = 'Show ' + number.format(Math.min(step * 5, rest)) + ' more';
      everything.textContent = 'Show all ' + number.format(shown.length);
    };

    const apply = () => {
      const words = wanted.toLowerCase().split(/\\s+/).filter((word) => word !== '');
      shown = words.length === 0 ? [...all] : all.filter((entry) => {
        entry.text ??= entry.row.textContent.toLowerCase();
        return words.every((word) => entry.text.includes(word));
      });
      if (sorted !== null) {
        const { column, kind, down } = sorted;
        const key = (entry) => (entry.keys[column] ??= { key: keyOf(entry.row.cells[column], kind) }).key;
        shown.sort((a, b) => compare(key(a), key(b), down) || a.place - b.place);
      }
      draw();
    };

    const sortBy = (column) => {
      const kind = heads[column].dataset.kind;
      const first = kind === 'number';
      const down = sorted !== null && sorted.column === column ? !sorted.down : first;
      sorted = { column, kind, down };
      for (const [i, head] of heads.entries()) {
        if (i === column) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        else head.removeAttribute('aria-sort');
      }
      most = step;
      apply();
    };

    const status = make('p', { className: 'status' });
    status.setAttribute('role', 'status');
    const input = make('input', { type: 'search', autocomplete: 'off', spellcheck: false });
    const more = make('button', { type: 'button' });
    const everything = make('button', { type: 'button' });
    const box = table.closest('.scroll');
    if (all.length > 5) {
      const tools = make('div', { className: 'tools' }, make('label', {}, 'Filter ' + noun + ' ', input), status);
      box.before(tools);
    }
    box.after(make('div', { className: 'more' }, more, everything));
    let waiting = 0;
    input.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        wanted = input.value;
        most = step;
        apply();
      }, 60);
    });
    const showMore = (count) => {
      const before = Math.min(most, shown.length);
      most = count;
      draw();
      const next = shown[before];
      if (next !== undefined) {
        next.row.tabIndex = -1;
        next.row.focus({ preventScroll: true });
      }
    };
    more.addEventListener('click', () => showMore(most + step * 5));
    everything.addEventListener('click', () => showMore(shown.length));
    if (all.length > 1) {
      for (const [column, head] of heads.entries()) {
        if (head.dataset.kind === 'picture') continue;
        const button = make('button', { type: 'button', className: 'sort' }, ...head.childNodes);
        button.addEventListener('click', () => sortBy(column));
        head.append(button);
      }
    }
    table.dataset.ready = '';
    table.filterBy = (text) => {
      input.value = wanted = text;
      most = step;
      apply();
      input.focus();
    };
    draw();
  };

  const fromPicture = () => {
    const table = document.querySelector('#tag-table');
    for (const area of document.querySelectorAll('.tree [data-tag]')) {
      area.addEventListener('click', () => {
        table.filterBy(area.dataset.tag);
        table.closest('section').scrollIntoView();
      });
    }
  };

  theme();
  for (const table of document.querySelectorAll('table[data-page]')) enhance(table);
  fromPicture();
})();
`;
