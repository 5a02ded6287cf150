// What the page does once it is there.

function themes() {
  const button = document.getElementById('theme');
  const names = ['system', 'light', 'dark'];
  let memory = null; // a browser may refuse a local file its storage
  try { memory = window.localStorage; memory.getItem('transfer-theme'); } catch { memory = null; }
  const show = (name) => {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    button.textContent = `Theme: ${name}`;
    button.dataset.now = name;
  };
  const kept = memory && memory.getItem('transfer-theme');
  show(names.includes(kept) ? kept : 'system');
  button.hidden = false;
  button.addEventListener('click', () => {
    const next = names[(names.indexOf(button.dataset.now) + 1) % names.length];
    show(next);
    if (memory) memory.setItem('transfer-theme', next);
  });
}

function stages() {
  const chooser = document.getElementById('stages');
  if (!chooser) return;
  const show = () => {
    const chosen = chooser.querySelector(':checked').value;
    for (const block of document.querySelectorAll('.stage')) block.hidden = block.dataset.stage !== chosen;
  };
  chooser.hidden = false;
  chooser.addEventListener('input', show);
  show();
}

// Which axis the forest has.
function scales() {
  for (const chooser of document.querySelectorAll('.scale')) {
    const table = chooser.parentNode.querySelector('.forest');
    chooser.hidden = false;
    chooser.addEventListener('input', () => { table.dataset.scale = chooser.querySelector(':checked').value; });
  }
}

// Dev score or loss.
function measures() {
  for (const chooser of document.querySelectorAll('.measure')) {
    const show = () => {
      for (const part of chooser.parentNode.querySelectorAll('.curves')) part.hidden = part.dataset.measure !== chooser.querySelector(':checked').value;
    };
    chooser.hidden = false;
    chooser.addEventListener('input', show);
    show();
  }
}

// The partner that stands out in the small pictures of a section.
function partners() {
  for (const select of document.querySelectorAll('.partners select')) {
    select.closest('.partners').hidden = false;
    select.addEventListener('change', () => {
      for (const path of document.querySelectorAll(`#${select.dataset.section} figure path.marks, #${select.dataset.section} figure path.series`)) {
        const itself = select.value !== '' && path.classList.contains(`partner-${select.value}`);
        path.classList.toggle('lit', itself);
        path.classList.toggle('dim', select.value !== '' && !itself);
        if (itself) path.parentNode.append(path); // on top of the others
      }
    });
  }
}

// On paper nothing can be opened.
function printing() {
  let opened = [];
  window.addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details:not([open])')];
    for (const part of opened) part.open = true;
  });
  window.addEventListener('afterprint', () => { for (const part of opened) part.open = false; });
}

themes();
for (const table of document.querySelectorAll('.sortable')) sortable(table);
for (const table of document.querySelectorAll('.forest')) choosable(table);
scales();
measures();
partners();
printing();
{
  const data = JSON.parse(document.getElementById('data-of-graph').textContent);
  for (const block of document.querySelectorAll('#graph .stage')) {
    new Graph(block, data, data.stages.find((stage) => stage.name === block.dataset.stage));
  }
}
stages();
