/** @file The script of the search through answers. Plain JavaScript, since it runs in the page; all text goes in as text, never as HTML. */

/** Filters what `#data` holds (see `EmbeddedAnswers`) and shows a page of it. */
export const searchScript = `
(function () {
  'use strict';
  var data = JSON.parse(document.getElementById('data').textContent).answers, body = document.getElementById('rows');
  if (!data || !body) return;
  var FIELDS = 8, SIZE = 50, texts = data.texts, rows = data.rows, correct = data.correct, at = 0, only = -1, kept = [];
  var lower = texts.map(function (text) { return text.toLowerCase(); });
  var byId = function (id) { return document.getElementById(id); };
  var find = byId('find'), filters = [[byId('of-set'), 0], [byId('of-scenario'), 1], [byId('of-category'), 7]], points = byId('of-points');
  var SEARCHED = [2, 3, 4, 5, 6];

  function filter() {
    var words = find.value.toLowerCase().trim(), wanted = filters.map(function (pair) {
      return [pair[0] && pair[0].value ? texts.indexOf(pair[0].value) : -1, pair[1]];
    });
    var hit = words ? lower.map(function (text) { return text.indexOf(words) >= 0; }) : null, asked = points.value;
    kept = [];
    for (var i = 0; i < correct.length; i++) {
      var from = i * FIELDS, score = correct[i];
      if (only >= 0 && rows[from + 2] !== only) continue;
      if (wanted.some(function (pair) { return pair[0] >= 0 && rows[from + pair[1]] !== pair[0]; })) continue;
      if (asked === 'right' && !(score !== null && score >= 0.5)) continue;
      if (asked === 'wrong' && !(score !== null && score < 0.5)) continue;
      if (asked === 'unread' && rows[from + 6] >= 0) continue;
      if (asked === 'unscored' && score !== null) continue;
      if (hit && !SEARCHED.some(function (field) { return rows[from + field] >= 0 && hit[rows[from + field]]; })) continue;
      kept.push(i);
    }
    at = 0;
    show();
  }

  function cell(row, text, name) {
    var td = document.createElement('td');
    td.textContent = text;
    if (name) td.className = name;
    row.appendChild(td);
    return td;
  }

  function show() {
    var pages = Math.max(1, Math.ceil(kept.length / SIZE));
    at = Math.min(Math.max(0, at), pages - 1);
    body.textContent = '';
    kept.slice(at * SIZE, (at + 1) * SIZE).forEach(function (i) {
      var row = document.createElement('tr'), from = i * FIELDS, score = correct[i];
      var text = function (field) { return rows[from + field] < 0 ? '' : texts[rows[from + field]]; };
      cell(row, text(0), 'plain');
      cell(row, text(1), 'plain');
      var key = document.createElement('button');
      key.type = 'button';
      key.className = 'same';
      key.textContent = text(2) || '(empty)';
      key.addEventListener('click', function () {
        reset();
        only = rows[from + 2];
        filters[0][0].value = text(0);
        filter();
      });
      cell(row, '').appendChild(key);
      cell(row, text(3), 'said-cell');
      cell(row, text(4));
      cell(row, text(5), 'said-cell');
      cell(row, rows[from + 6] < 0 ? '(nothing)' : text(6));
      cell(row, score === null ? 'does not count' : score === 1 ? 'right' : score === 0 ? 'wrong' : String(Math.round(score * 100) / 100),
        score === null ? 'plain' : score >= 0.5 ? 'plain right' : 'plain wrong');
      cell(row, text(7));
      body.appendChild(row);
    });
    var right = kept.filter(function (i) { return correct[i] !== null && correct[i] >= 0.5; }).length;
    byId('count').textContent = kept.length === 0 ? 'No answer fits.' :
      kept.length.toLocaleString('en-US') + (kept.length === 1 ? ' answer' : ' answers') + ', ' + right.toLocaleString('en-US') + ' right' +
      (only >= 0 ? '; only the question ' + texts[only] : '') + '.';
    byId('page').textContent = 'page ' + (at + 1) + ' of ' + pages;
    byId('back').disabled = at === 0;
    byId('on').disabled = at >= pages - 1;
  }

  function reset() {
    only = -1;
    find.value = '';
    points.value = '';
    filters.forEach(function (pair) { if (pair[0]) pair[0].value = ''; });
  }

  var waiting;
  find.addEventListener('input', function () { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  filters.forEach(function (pair) { if (pair[0]) pair[0].addEventListener('change', filter); });
  points.addEventListener('change', filter);
  byId('clear').addEventListener('click', function () { reset(); filter(); });
  document.querySelector('form.search').addEventListener('submit', function (event) { event.preventDefault(); filter(); });
  byId('back').addEventListener('click', function () { at--; show(); });
  byId('on').addEventListener('click', function () { at++; show(); });
  filter();
})();
`;
