// Sorting: a click on a column's head, ascending, then descending. Columns can be hidden.

const WIDE = 700; // pixels

// The number that a cell begins with; what has none goes last.
function numberOf(text) {
  const found = text.replace(/−/g, '-').match(/^[\s[]*[-+]?\d[\d.]*(e[-+]?\d+)?/i);
  return found ? Number(found[0].replace('[', '')) : NaN;
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

// A checkbox for each column after the names; a column without a button belongs to the one before it.
// On a wide screen the last columns are hidden at first where the table would not fit; a narrow one scrolls.
function choosable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const chooser = document.createElement('details');
  chooser.className = 'columns screen';
  const summary = put(chooser, 'summary');
  const boxes = put(chooser, 'fieldset');
  put(boxes, 'legend', 'Shown');
  const tell = () => {
    const all = boxes.querySelectorAll('input').length;
    summary.textContent = `Columns: ${boxes.querySelectorAll(':checked').length} of ${all} shown`;
  };
  heads.forEach((head, place) => {
    if (place < 2 || !head.querySelector('button')) return;
    const label = put(boxes, 'label');
    const box = put(label, 'input');
    box.type = 'checkbox';
    box.checked = true;
    label.append(` ${head.textContent}`);
    box.addEventListener('change', () => {
      const next = heads[place + 1];
      const places = next && !next.querySelector('button') ? [place, place + 1] : [place];
      for (const row of table.rows) for (const one of places) row.cells[one].hidden = !box.checked;
      tell();
    });
  });
  const scroll = table.closest('.scroll');
  scroll.before(chooser);
  for (const box of [...boxes.querySelectorAll('input')].reverse()) {
    if (scroll.clientWidth >= WIDE && table.offsetWidth > scroll.clientWidth) box.click();
  }
  tell();
}
