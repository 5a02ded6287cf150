// Sorting: a click on a column's head, ascending, then descending.

// The number that a cell begins with; what has none goes last.
function numberOf(text) {
  const found = text.replace(/−/g, '-').match(/^\s*[-+]?\d[\d.]*(e[-+]?\d+)?/i);
  return found ? Number(found[0]) : NaN;
}

// What a cell says, without the signs that stand beside words.
function textOf(cell) {
  const said = [...cell.childNodes].filter((node) => !(node.getAttribute && node.getAttribute('aria-hidden')));
  return said.map((node) => node.textContent).join('').trim();
}

function sorted(rows, column, isNumber, sign) {
  const keyed = rows.map((row) => {
    const text = textOf(row.cells[column]);
    return { row, key: isNumber ? numberOf(text) : text.toLowerCase(), empty: isNumber ? Number.isNaN(numberOf(text)) : !text };
  });
  keyed.sort((a, b) => a.empty - b.empty || (a.empty ? 0 : sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
  return keyed.map((one) => one.row);
}

function sortable(table) {
  for (const button of table.querySelectorAll('thead button')) {
    button.addEventListener('click', () => {
      const head = button.closest('th');
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of table.querySelectorAll('[aria-sort]')) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const body = table.tBodies[0];
      body.append(...sorted([...body.rows], head.cellIndex, head.classList.contains('number'), down ? -1 : 1));
    });
  }
}
