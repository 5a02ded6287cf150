// The graph: nodes on a fixed ring, drawn for the width that there is, from the numbers in the page.
const SVG = 'http://www.w3.org/2000/svg';
const CLAIMS = ['improves', 'harms'];
const FULL_GAIN = 5; // points; the widest line is the largest claimed gain, or this where all are smaller
const FEW = 30; // edges; with more, only claimed ones have a label,
const LABELS = 60; // and of those the largest
const MANY = 12; // nodes; with more, names stand along the radius

function make(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function put(parent, name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  parent.append(node);
  return node;
}

const dashed = (verdict) => verdict.replace(' ', '-');

const headSize = (width, scale) => scale * (9 + width);

// Half of a head's breadth on a line of a width.
function halfHead(verdict, width, scale) {
  return { improves: 0.34 * headSize(width, scale) + 0.6 * width, harms: scale * 4 + 1.2 * width }[verdict] || scale * 4.5;
}

// The head at an edge's end, told apart by form: arrow, bar, open.
function head(edge, curve, width, scale, parent) {
  const size = headSize(width, scale);
  const turn = `translate(${curve.end.x.toFixed(1)},${curve.end.y.toFixed(1)}) rotate(${((curve.turn * 180) / Math.PI).toFixed(1)})`;
  const half = halfHead(edge.verdict, width, scale).toFixed(1);
  if (edge.verdict === 'improves') make('path', { class: 'head', transform: turn, d: `M-1,-${half}L${size},0L-1,${half}Z` }, parent);
  else if (edge.verdict === 'harms') make('path', { class: 'bar', transform: turn, d: `M0,-${half}V${half}` }, parent);
  else make('path', { class: 'open', transform: turn, d: `M${-7 * scale},-${half}L0,0L${-7 * scale},${half}` }, parent);
}

function drawNames(places, nodes, parents) {
  const boxes = [];
  places.nodes.forEach((place, index) => {
    const name = shorter(nodes[index].name);
    const away = places.radius + (places.radial ? 9 : NAME_AWAY);
    const { cos, sin } = place;
    const parent = parents[index];
    if (places.radial) {
      const turned = cos < -0.001;
      const degrees = (-place.angle * 180) / Math.PI + (turned ? 180 : 0);
      const at = `translate(${place.x + away * cos},${place.y - away * sin}) rotate(${degrees.toFixed(2)})`;
      make('text', { transform: at, dy: '.35em', 'text-anchor': turned ? 'end' : 'start' }, parent, name);
      for (let out = 0; out < away + textWidth(name, 13); out += 12) boxes.push({ x: place.x + out * cos, y: place.y - out * sin, w: 7, h: 7 });
      return;
    }
    const beside = !places.narrow && Math.abs(cos) > 0.05;
    const anchor = !beside ? 'middle' : cos > 0 ? 'start' : 'end';
    const x = beside ? place.x + cos * away : place.x;
    const y = places.narrow ? place.y + (sin >= 0 ? -places.radius - 25 : places.radius + 21) : place.y - away * sin - 10 * sin * Math.abs(sin);
    const wide = textWidth(name, 13);
    const box = { x: beside ? x + (Math.sign(cos) * wide) / 2 : x, y: y + 5, w: wide / 2 + 2, h: 14 };
    if (!beside && boxes.some((other) => overlap(box, other))) box.y += sin >= 0 ? -30 : 30;
    make('text', { x, y: box.y - 5, dy: '.1em', 'text-anchor': anchor }, parent, name);
    parent.append(' '); // unseen; it parts the two texts for whoever reads them aloud
    make('text', { x, y: box.y + 8, dy: '.1em', 'text-anchor': anchor, class: 'kind' }, parent, nodes[index].metric);
    boxes.push({ ...box, h: 17 });
    boxes.push({ x: place.x, y: place.y, w: places.radius + 2, h: places.radius + 2 });
  });
  return boxes;
}

// One stage's graph with its filters and the panel that says what is chosen.
class Graph {
  constructor(block, data, stage) {
    this.block = block;
    this.nodes = data.nodes;
    this.markText = data.mark;
    this.stage = stage.name;
    this.home = block.querySelector('.graph');
    this.details = block.querySelector('.details');
    this.filters = block.querySelector('.filters');
    const rank = (edge) => (CLAIMS.includes(edge.verdict) ? 0 : 1);
    this.edges = stage.edges
      .map((edge, index) => ({ ...edge, key: String(index), from: this.nodes[edge.source].name, to: this.nodes[edge.target].name }))
      .sort((a, b) => rank(a) - rank(b) || Math.abs(b.points) - Math.abs(a.points));
    this.largest = Math.max(FULL_GAIN, ...this.edges.filter((edge) => !rank(edge)).map((edge) => Math.abs(edge.points)));
    this.chosen = null; // {edge} or {node}
    this.filters.hidden = false;
    this.filters.addEventListener('input', () => this.draw());
    this.filters.addEventListener('submit', (event) => event.preventDefault());
    this.filters.addEventListener('reset', () => setTimeout(() => this.draw()));
    this.home.addEventListener('keydown', (event) => this.key(event));
    this.home.addEventListener('click', (event) => { if (!event.target.closest('.edge, .node')) this.choose(null); });
    if (window.ResizeObserver) new ResizeObserver(() => this.resized()).observe(this.home);
    this.tell(null);
    this.draw();
  }

  resized() {
    const width = Math.round(this.home.clientWidth);
    if (width && width !== this.width) this.draw();
  }

  shown() {
    const wanted = [...this.filters.querySelectorAll('[name=verdict]:checked')].map((box) => box.value);
    const least = Number(this.filters.querySelector('[name=least]').value) || 0;
    return this.edges.filter((edge) => wanted.includes(edge.verdict) && Math.abs(edge.points) >= least - 1e-9);
  }

  draw() {
    const focus = document.activeElement && this.home.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.width = Math.round(this.home.clientWidth) || 720;
    const room = this.nodes.length > MANY ? Math.max(this.width, 26 * this.nodes.length, 600) : this.width; // then it scrolls
    const edges = this.shown();
    const places = ring(this.nodes.map((node) => node.name), Math.min(room, Math.max(this.width, 780)));
    const title = `Graph of the gains${this.stage ? ', ' + this.stage : ''}: ${edges.length} of ${this.edges.length} edges shown`;
    const svg = make('svg', { viewBox: `0 0 ${places.width} ${Math.round(places.height)}`, role: 'group', 'aria-label': title });
    if (places.width > this.width) svg.style.width = `${places.width}px`;
    const lines = make('g', { role: 'listbox', 'aria-label': 'Edges, arrow keys move between them' }, svg);
    const labels = make('g', { 'aria-hidden': 'true' }, svg);
    const circles = make('g', { role: 'group', 'aria-label': 'Corpora, arrow keys move between them' }, svg);
    const groups = this.nodes.map((node, index) => this.drawNode(node, index, places, circles));
    const taken = drawNames(places, this.nodes, groups);
    const { scale } = places;
    const swell = scale * (edges.length > 100 ? 1.8 : edges.length > FEW ? 3 : 4);
    const claimed = edges.map((edge) => CLAIMS.includes(edge.verdict));
    const widths = edges.map((edge, index) => (claimed[index] ? 1.2 + 0.15 * swell + swell * Math.sqrt(Math.abs(edge.points) / this.largest) : 1.2));
    const curves = arcs(places, edges.map((edge, index) => {
      const width = widths[index];
      return { ...edge, before: width / 2 + 0.5, after: halfHead(edge.verdict, width, scale), head: edge.verdict === 'improves' ? headSize(width, scale) : 0 };
    }));
    for (const { tip } of curves) taken.push({ ...tip, w: 5, h: 5 });
    const most = Math.min(LABELS, places.labels);
    const texts = edges.map((edge, index) => ((edges.length <= FEW || claimed[index]) && index < most ? edge.gain : ''));
    const free = spots(curves, texts, claimed.map((one) => (one ? 3 : 1)), taken);
    const drawn = edges.map((edge, index) => this.drawEdge(edge, { curve: curves[index], width: widths[index], scale, here: free[index] }, lines, labels));
    lines.append(...drawn.reverse()); // claims last, on top
    if (this.markText) make('text', { class: 'stamp', x: places.width - 4, y: places.height - 8 }, svg, this.markText);
    this.home.replaceChildren(svg);
    this.rove(lines, focus);
    this.rove(circles, focus);
    const none = this.edges.length && !edges.length ? ' Choose more verdicts or a smaller effect to see some.' : '';
    this.filters.querySelector('.shown').textContent = `${edges.length} of ${this.edges.length} edges shown.${none}`;
    this.block.dispatchEvent(new CustomEvent('shown', { detail: new Set(edges.map((edge) => edge.key)) }));
    this.mark();
  }

  drawEdge(edge, { curve, width, scale, here }, lines, labels) {
    const group = make('g', { class: `edge ${dashed(edge.verdict)}`, role: 'option', tabindex: -1, 'aria-selected': 'false' }, lines);
    group.setAttribute('aria-label', `${edge.from} to ${edge.to}: ${edge.gain}${edge.points === null ? '' : ' points'}, ${edge.verdict}`);
    group.dataset.key = edge.key;
    make('path', { class: 'hit', d: curve.d }, group);
    const line = make('path', { class: 'line', d: curve.d }, group);
    if (CLAIMS.includes(edge.verdict)) line.style.strokeWidth = `${width.toFixed(2)}px`;
    head(edge, curve, width, scale, group);
    if (here) {
      const label = make('g', { class: `gain ${dashed(edge.verdict)}` }, labels);
      label.dataset.key = edge.key;
      make('rect', { x: here.x - here.w, y: here.y - here.h, width: 2 * here.w, height: 2 * here.h }, label);
      make('text', { x: here.x.toFixed(1), y: here.y.toFixed(1), dy: '.35em', 'text-anchor': 'middle' }, label, edge.gain);
    }
    this.onPointing(group, { edge });
    group.addEventListener('focus', () => this.choose({ edge }));
    group.addEventListener('click', () => this.choose({ edge }));
    return group;
  }

  onPointing(group, what) {
    group.addEventListener('pointerenter', (event) => { if (event.pointerType === 'mouse') this.tell(what); });
    group.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.tell(this.chosen); });
  }

  drawNode(node, index, places, parent) {
    const group = make('g', { class: 'node', role: 'button', tabindex: -1, 'aria-pressed': 'false' }, parent);
    const seen = [shorter(node.name), node.metric].filter(Boolean).join(' '); // a name begins with what is written
    group.setAttribute('aria-label', `${seen}: best and worst partners${node.name === shorter(node.name) ? '' : ` of ${node.name}`}`);
    group.dataset.key = `n${index}`;
    const place = places.nodes[index];
    make('circle', { cx: place.x.toFixed(1), cy: place.y.toFixed(1), r: places.radius }, group);
    this.onPointing(group, { node: index });
    group.addEventListener('click', () => this.choose({ node: index }));
    return group;
  }

  // One stop of the tab key for each list; arrow keys move inside.
  rove(list, focus) {
    const items = [...list.children];
    const again = items.find((item) => item.dataset.key === focus);
    const first = again || items[items.length - 1 - (list.getAttribute('role') === 'listbox' ? 0 : items.length - 1)];
    if (first) first.setAttribute('tabindex', 0);
    if (again) again.focus({ preventScroll: true });
  }

  key(event) {
    const item = event.target.closest('.edge, .node');
    if (!item) return;
    if (event.key === 'Escape') { this.choose(null); return; }
    const isNode = item.classList.contains('node');
    if (isNode && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      this.choose({ node: Number(item.dataset.key.slice(1)) });
      return;
    }
    // edges stand in the document from the least to the most important: next means less important
    const items = isNode ? [...item.parentNode.children] : [...item.parentNode.children].reverse();
    const place = items.indexOf(item);
    const steps = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = items[(steps[event.key] + items.length) % items.length];
    item.setAttribute('tabindex', -1);
    next.setAttribute('tabindex', 0);
    next.focus({ preventScroll: true });
  }

  choose(what) {
    this.chosen = what;
    this.tell(what);
  }

  // Says in the panel what an edge or node is, and lets all others fade.
  tell(what) {
    this.details.replaceChildren();
    if (what && what.edge) this.tellEdge(what.edge);
    else if (what) this.tellNode(what.node);
    else {
      put(this.details, 'p', 'Point at an edge, or move to it with the keyboard, for its numbers.');
      put(this.details, 'p', 'Click a task for its best and worst partners.');
    }
    this.mark(what);
  }

  mark(what = this.chosen) {
    for (const item of this.home.querySelectorAll('.edge, .gain, .node')) {
      const { key } = item.dataset;
      const isNode = item.classList.contains('node');
      const edge = isNode ? null : this.edges.find((one) => one.key === key);
      const itself = Boolean(what && (isNode ? what.node !== undefined && key === `n${what.node}` : what.edge && what.edge.key === key));
      const near = !what || itself || Boolean(what.edge
        ? isNode && [what.edge.source, what.edge.target].includes(Number(key.slice(1)))
        : isNode || edge.source === what.node || edge.target === what.node);
      item.classList.toggle('chosen', itself);
      item.classList.toggle('faded', !near);
      if (isNode) item.setAttribute('aria-pressed', itself);
      else if (item.classList.contains('edge')) item.setAttribute('aria-selected', itself);
    }
  }

  tellEdge(edge) {
    put(this.details, 'p', `${edge.from} → ${edge.to}`, 'head');
    const verdict = put(this.details, 'p');
    put(verdict, 'span', { improves: '▲', harms: '▼', 'no effect': '=', inconclusive: '?' }[edge.verdict], `sign ${dashed(edge.verdict)}`).setAttribute('aria-hidden', 'true');
    verdict.append(` ${edge.verdict}`);
    const list = put(this.details, 'dl');
    const facts = [
      ['Gain', edge.points === null ? edge.gain : `${edge.gain} points`], ['95 % interval', edge.interval], ['p adjusted', edge.p], ['Seeds', edge.seeds],
      ['Alone', edge.single], ['With partner', edge.joint], ['Metric', this.nodes[edge.target].metric],
    ];
    for (const [name, value] of facts) {
      put(list, 'dt', name);
      put(list, 'dd', String(value));
    }
    if (edge.more) put(this.details, 'p', edge.more.charAt(0).toUpperCase() + edge.more.slice(1) + '.');
  }

  tellNode(index) {
    const node = this.nodes[index];
    put(this.details, 'p', node.name, 'head');
    put(this.details, 'p', [node.kind, node.metric].filter(Boolean).join(', '));
    const best = (edges) => [...edges].sort((a, b) => b.points - a.points);
    this.partners('As target: partners from best to worst', best(this.edges.filter((edge) => edge.target === index)), 'from');
    this.partners('As partner: tasks from most helped to most harmed', best(this.edges.filter((edge) => edge.source === index)), 'to');
  }

  partners(title, edges, end) {
    put(this.details, 'p', title, 'part');
    if (!edges.length) put(this.details, 'p', 'No edge was measured.');
    const list = put(this.details, 'ul');
    const line = (edge) => {
      const button = put(put(list, 'li'), 'button');
      button.type = 'button';
      put(button, 'span', { improves: '▲', harms: '▼', 'no effect': '=', inconclusive: '?' }[edge.verdict], `sign ${dashed(edge.verdict)}`).setAttribute('aria-hidden', 'true');
      put(button, 'span', edge[end], 'name');
      put(button, 'span', `${edge.gain} (${edge.interval})`, 'amount');
      put(button, 'span', `, ${edge.verdict}`, 'unseen');
      button.addEventListener('click', () => this.choose({ edge }));
    };
    // of many partners the five best and the five worst
    edges.slice(0, edges.length > 10 ? 5 : 10).forEach(line);
    if (edges.length > 10) {
      put(list, 'li', `… ${edges.length - 10} between …`);
      edges.slice(-5).forEach(line);
    }
  }
}
