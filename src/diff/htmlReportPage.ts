/** Style and script of the HTML report. The script reads the JSON in the page and writes text nodes only. */

export const REPORT_STYLE = `
:root { --line: #d8dde3; --soft: #5b6672; --back: #f6f7f9; --accent: #1f5fae; }
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.45 system-ui, sans-serif; color: #1b2229; background: var(--back); }
main { max-width: 1280px; margin: 0 auto; padding: 20px 24px 60px; }
h1 { font-size: 20px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 26px 0 8px; }
.soft { color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin: 16px 0; }
.tile { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 8px 14px; min-width: 120px; }
.tile b { display: block; font-size: 20px; } .tile.bad b { color: #a8321e; } .tile.good b { color: #22733f; }
table { border-collapse: collapse; background: #fff; border: 1px solid var(--line); width: 100%; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { background: #eef1f4; font-weight: 600; white-space: nowrap; } th.n { text-align: right; } .n { text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; }
.filters { display: flex; flex-wrap: wrap; gap: 10px; margin: 10px 0; align-items: end; }
.filters label { display: flex; flex-direction: column; font-size: 12px; color: var(--soft); gap: 2px; }
select, input { font: inherit; padding: 4px 6px; border: 1px solid var(--line); border-radius: 4px; background: #fff; max-width: 340px; }
button { font: inherit; padding: 4px 12px; border: 1px solid var(--line); border-radius: 4px; background: #fff; cursor: pointer; }
button:disabled { color: #a5adb5; cursor: default; }
code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere; }
.class { display: inline-block; border-radius: 3px; padding: 0 6px; margin: 0 4px 2px 0; background: #e7edf5; color: #173f73; font-size: 12px; white-space: nowrap; }
.class.content-differs, .class.stakeholders-differ { background: #f9e0dc; color: #8d2412; }
.state { white-space: nowrap; } .absent { color: #a8321e; } .notexpected { color: #a5adb5; }
.pager { display: flex; gap: 10px; align-items: center; margin: 10px 0; }
`;

export const REPORT_SCRIPT = `
(function () {
  'use strict';
  var data = JSON.parse(document.getElementById('data').textContent);
  var S = data.strings, inputs = data.inputs, sum = data.summary, PAGE = 100, page = 0;
  var main = document.getElementById('report');
  main.textContent = '';
  function el(tag, cls, text) {
    var e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function add(parent) {
    for (var i = 1; i < arguments.length; i++) parent.appendChild(arguments[i]);
    return parent;
  }
  function digits(n) { return String(n).replace(/\\B(?=(\\d{3})+(?!\\d))/g, '\\u00a0'); }
  function party(p) { var i = p.indexOf('::'); return i < 0 ? p : p.slice(0, i) + '::' + p.slice(i + 2, i + 10) + '\\u2026'; }
  function template(t) { var parts = t.split(':'); return parts.slice(1).join(':'); }
  function table(head, rows, numeric) {
    var t = el('table'), tr = el('tr');
    head.forEach(function (h, i) { tr.appendChild(el('th', numeric.indexOf(i) >= 0 ? 'n' : '', h)); });
    add(t, add(el('thead'), tr));
    var body = el('tbody');
    rows.forEach(function (row) {
      var r = el('tr');
      row.forEach(function (cell, i) {
        if (cell instanceof Node) r.appendChild(add(el('td'), cell));
        else r.appendChild(el('td', numeric.indexOf(i) >= 0 ? 'n' : '', cell));
      });
      body.appendChild(r);
    });
    return add(el('div', 'scroll'), add(t, body));
  }
  function counts(by) { return Object.keys(by).map(function (k) { return k + ' ' + digits(by[k]); }).join(', '); }

  add(main, el('h1', '', data.title), el('div', 'soft', sum.synchronizer ? 'synchronizer ' + sum.synchronizer : 'all synchronizers'));
  var tiles = el('div', 'tiles');
  [['compared', sum.compared, ''], ['same', sum.same, 'good'], ['different', sum.different, sum.different ? 'bad' : 'good']]
    .concat(Object.keys(sum.byClass).map(function (k) { return [k, sum.byClass[k], '']; }))
    .forEach(function (t) { var d = el('div', 'tile ' + t[2]); add(d, el('b', '', digits(t[1])), el('span', 'soft', t[0])); tiles.appendChild(d); });
  add(main, tiles, el('h2', '', 'Inputs'));
  main.appendChild(table(['input', 'kind', 'participant', 'contracts', 'in flight, unknown'], sum.inputs.map(function (i) {
    return [i.name, i.kind, i.participant || '', digits(i.contracts), digits(i.inFlightUnknown)];
  }), [3, 4]));
  add(main, el('h2', '', 'Pairs of inputs'));
  main.appendChild(table(['left', 'right', 'shared', 'same', 'different', 'only left', 'only right', 'classes'], sum.pairs.map(function (p) {
    return [p.left, p.right, digits(p.shared), digits(p.same), digits(p.different), digits(p.onlyLeft), digits(p.onlyRight), counts(p.byClass)];
  }), [2, 3, 4, 5, 6]));
  if (sum.byTemplate.length) {
    add(main, el('h2', '', 'By template'));
    main.appendChild(table(['template', 'package', 'different', 'classes'], sum.byTemplate.map(function (t) {
      return [template(t.template) || t.template, el0('code', t.template.split(':')[0].slice(0, 16)), digits(t.different), counts(t.byClass)];
    }), [2]));
    add(main, el('h2', '', 'By party'));
    main.appendChild(table(['party', 'different'], sum.byParty.map(function (p) { return [p.party, digits(p.different)]; }), [1]));
    if (data.parties > sum.byParty.length) add(main, el('div', 'soft', 'and ' + digits(data.parties - sum.byParty.length) + ' more parties'));
  }
  function el0(tag, text) { return el(tag, '', text); }

  add(main, el('h2', '', 'Differing contracts'));
  var filters = el('div', 'filters'), state = { cls: '', tpl: '', party: '', pair: '', text: '' };
  function choice(label, key, options) {
    var s = el('select');
    s.id = 'filter-' + key;
    s.appendChild(option('all', ''));
    options.forEach(function (o) { s.appendChild(option(o[0], o[1])); });
    s.addEventListener('change', function () { state[key] = s.value; page = 0; draw(); });
    add(filters, add(el('label', '', label), s));
  }
  function option(text, value) { var o = el('option', '', text); o.value = value; return o; }
  function distinct(pick) {
    var seen = {};
    data.rows.forEach(function (r) { pick(r).forEach(function (n) { if (n >= 0) seen[n] = (seen[n] || 0) + 1; }); });
    return Object.keys(seen).map(Number).sort(function (a, b) { return S[a] < S[b] ? -1 : 1; });
  }
  choice('class', 'cls', distinct(function (r) { return r[1]; }).map(function (n) { return [S[n], String(n)]; }));
  choice('template', 'tpl', distinct(function (r) { return [r[3]]; }).map(function (n) { return [template(S[n]) + '  (' + S[n].slice(0, 8) + ')', String(n)]; }));
  choice('party', 'party', distinct(function (r) { return r[4]; }).map(function (n) { return [party(S[n]), String(n)]; }));
  if (inputs.length > 2) choice('pair', 'pair', sum.pairs.map(function (p) { return [p.left + ' / ' + p.right, inputs.indexOf(p.left) + '/' + inputs.indexOf(p.right)]; }));
  var text = el('input');
  text.id = 'filter-text';
  text.placeholder = 'beginning of the id';
  text.addEventListener('input', function () { state.text = text.value.trim().toLowerCase(); page = 0; draw(); });
  add(filters, add(el('label', '', 'contract id'), text));
  var count = el('div', 'soft'), list = el('div'), pager = el('div', 'pager'), back = el('button', '', 'previous'), next = el('button', '', 'next'), where = el('span', 'soft');
  back.addEventListener('click', function () { page--; draw(); });
  next.addEventListener('click', function () { page++; draw(); });
  add(pager, back, where, next);
  add(main, filters, count, list, pager);
  if (data.left) add(main, el('p', 'soft', digits(data.left) + ' more differing contracts are not in this page; --format jsonl lists all.'));

  function fits(r) {
    if (state.cls !== '' && r[1].indexOf(Number(state.cls)) < 0) return false;
    if (state.tpl !== '' && r[3] !== Number(state.tpl)) return false;
    if (state.party !== '' && r[4].indexOf(Number(state.party)) < 0) return false;
    if (state.pair !== '' && !r[6].some(function (p) { return p[0] + '/' + p[1] === state.pair; })) return false;
    return state.text === '' || r[0].indexOf(state.text) === 0;
  }
  function shown(s) {
    if (s === 0) return el('span', 'notexpected', '\\u2013');
    var name = S[s[0]];
    var e = el('span', 'state ' + (s[1] ? (name === 'active' || name === 'in-flight' ? '' : 'absent') : 'notexpected'), name + (s[2] === '' ? '' : ', counter ' + s[2]));
    e.title = (s[3] >= 0 ? S[s[3]] + '\\n' : '') + (s[4] ? 'content ' + s[4] : '');
    if (s[3] >= 0 && sum.synchronizer && S[s[3]] !== sum.synchronizer) e.textContent += ' on ' + party(S[s[3]]);
    return e;
  }
  function draw() {
    var rows = data.rows.filter(fits), pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    count.textContent = digits(rows.length) + ' of ' + digits(data.rows.length) + ' contracts';
    list.textContent = '';
    list.appendChild(table(['class', 'template', 'stakeholders'].concat(inputs).concat(['contract id']), rows.slice(page * PAGE, (page + 1) * PAGE).map(function (r) {
      var classes = el('div');
      r[1].forEach(function (n) { classes.appendChild(el('span', 'class ' + S[n], S[n])); });
      if (r[2].length) classes.appendChild(el('div', 'soft', r[2].map(function (n) { return S[n]; }).join(', ')));
      var parties = el('div');
      r[4].forEach(function (n) { var d = el('div', 'state', party(S[n])); d.title = S[n]; parties.appendChild(d); });
      var t = el('span', '', r[3] < 0 ? 'unknown' : template(S[r[3]]));
      t.title = r[3] < 0 ? '' : S[r[3]];
      return [classes, t, parties].concat(r[5].map(shown)).concat([el('code', '', r[0])]);
    }), []));
    where.textContent = 'page ' + (page + 1) + ' of ' + pages;
    back.disabled = page === 0;
    next.disabled = page >= pages - 1;
  }
  draw();
})();
`;
