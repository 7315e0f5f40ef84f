/** @file The index page's script: sorting and searching a table. Plain JavaScript, since it runs in the page. */

/** Sorts by the header's column (numbers as numbers, missing values last) and hides the rows that a search leaves out. */
export const indexScript = `
(function () {
  'use strict';
  var table = document.querySelector('.index'), body = table.tBodies[0], live = document.getElementById('live');
  var rows = Array.prototype.slice.call(body.rows);
  var heads = Array.prototype.slice.call(table.querySelectorAll('th[data-kind]'));
  heads.forEach(function (head) {
    head.querySelector('button').addEventListener('click', function () {
      var down = head.getAttribute('aria-sort') === 'descending' ? false : head.getAttribute('aria-sort') === 'ascending' ? true : head.dataset.kind === 'number';
      heads.forEach(function (other) { other.setAttribute('aria-sort', 'none'); });
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      var at = head.cellIndex, sign = down ? -1 : 1;
      rows.sort(function (a, b) {
        var x = a.cells[at].dataset.value, y = b.cells[at].dataset.value;
        if (x === '' || y === '') return (x === '' ? 1 : 0) - (y === '' ? 1 : 0);
        return sign * (head.dataset.kind === 'number' ? Number(x) - Number(y) : x.localeCompare(y));
      });
      rows.forEach(function (row) { body.appendChild(row); });
      live.textContent = 'Sorted by ' + head.textContent + ', ' + head.getAttribute('aria-sort') + '.';
    });
  });
  var search = document.getElementById('search'), count = document.getElementById('count');
  search.hidden = false;
  search.addEventListener('input', function () {
    var wanted = search.value.toLowerCase(), shown = 0;
    rows.forEach(function (row) {
      row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
      if (!row.hidden) shown++;
    });
    count.textContent = wanted ? shown + ' of ' + rows.length + ' rows of this page' : '';
  });
})();
`;
