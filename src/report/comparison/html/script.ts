/** @file The comparison report's script: every table sorts by the column whose name is pressed. Plain JavaScript, since it runs in the page. */

/** Numbers as numbers, missing values last; a column's first order is best first (`data-first`). */
export const sortScript = `
(function () {
  'use strict';
  var live = document.getElementById('live');
  Array.prototype.forEach.call(document.querySelectorAll('table.sortable'), function (table) {
    var body = table.tBodies[0], heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, at) {
      if (!head.dataset.kind) return;
      head.querySelector('button').addEventListener('click', function () {
        var was = head.getAttribute('aria-sort'), down = was === 'none' ? head.dataset.first === 'down' : was === 'ascending';
        heads.forEach(function (other) { if (other.dataset.kind) other.setAttribute('aria-sort', 'none'); });
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        Array.prototype.slice.call(body.rows).sort(function (a, b) {
          var x = a.cells[at].dataset.value || '', y = b.cells[at].dataset.value || '';
          if (x === '' || y === '') return (x === '' ? 1 : 0) - (y === '' ? 1 : 0);
          return (down ? -1 : 1) * (head.dataset.kind === 'number' ? Number(x) - Number(y) : x.localeCompare(y));
        }).forEach(function (row) { body.appendChild(row); });
        live.textContent = 'Sorted by ' + head.textContent + ', ' + head.getAttribute('aria-sort') + '.';
      });
    });
  });
})();
`;
