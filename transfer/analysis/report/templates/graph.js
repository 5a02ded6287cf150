// The graph: nodes on a fixed ring, drawn for the width that there is, from the numbers in the page.
'use strict';

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
const shorter = (name) => (name.length > 18 ? name.slice(0, 17) + '…' : name);
const textWidth = (text, size) => 0.6 * size * text.length;

// Where everything stands, in pixels.
function ring(names, width) {
  const count = names.length;
  const radial = count > MANY;
  const narrow = width < 560;
  const longest = Math.max(0, ...names.map((name) => textWidth(shorter(name), 13)));
  const radius = count <= 8 ? 14 : count <= 16 ? 10 : 6;
  const across = radial ? longest + 2 * radius + 10 : narrow ? Math.max(longest / 2 + 4, 34) : longest + 2 * radius + 12;
  const up = radial ? across : 2 * radius + 34 + (narrow && count > 4 ? 30 : 0); // names above each other
  const most = Math.max(60, width / 2 - across);
  const high = count < 3 ? 70 : Math.min(most, radial ? most : count < 5 ? 190 : 290);
  const wide = count < 3 ? Math.min(most, 200) : Math.min(most, radial ? high : 1.25 * high);
  const height = 2 * (high + up);
  const start = count % 2 ? 90 : 90 + 180 / count;
  const nodes = names.map((name, index) => {
    const angle = ((start - (360 * index) / count) * Math.PI) / 180;
    const cos = count === 1 ? 0 : Math.cos(angle);
    const sin = count === 1 ? 0 : Math.sin(angle);
    return { x: width / 2 + wide * cos, y: height / 2 - high * sin, cos, sin, angle };
  });
  return { nodes, radius, radial, narrow, width, height };
}

// A quadratic curve bent to the right of its way, so that a pair's two edges part; cut short of both nodes.
function arc(from, to, before, after) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  const bend = Math.min(0.25 * length, 26 + 0.09 * length);
  const bow = { x: (from.x + to.x) / 2 - (dy / length) * bend, y: (from.y + to.y) / 2 + (dx / length) * bend };
  const at = (t) => ({
    x: (1 - t) ** 2 * from.x + 2 * t * (1 - t) * bow.x + t * t * to.x,
    y: (1 - t) ** 2 * from.y + 2 * t * (1 - t) * bow.y + t * t * to.y,
  });
  let first = 0;
  let last = 1;
  while (first < 0.45 && Math.hypot(at(first).x - from.x, at(first).y - from.y) < before) first += 0.005;
  while (last > 0.55 && Math.hypot(at(last).x - to.x, at(last).y - to.y) < after) last -= 0.005;
  const [start, end] = [at(first), at(last)];
  const middle = at((first + last) / 2);
  const control = { x: 2 * middle.x - (start.x + end.x) / 2, y: 2 * middle.y - (start.y + end.y) / 2 };
  const place = (t) => at(first + t * (last - first));
  const turn = Math.atan2(end.y - control.y, end.x - control.x);
  const number = (value) => value.toFixed(1);
  const d = `M${number(start.x)},${number(start.y)}Q${number(control.x)},${number(control.y)} ${number(end.x)},${number(end.y)}`;
  return { d, place, end, turn };
}

// The head at an edge's end, told apart by form: arrow, bar, open.
function head(edge, curve, width, parent) {
  const size = 9 + width;
  const turn = `translate(${curve.end.x.toFixed(1)},${curve.end.y.toFixed(1)}) rotate(${((curve.turn * 180) / Math.PI).toFixed(1)})`;
  const half = (0.34 * size + 0.6 * width).toFixed(1);
  if (edge.verdict === 'improves') make('path', { class: 'head', transform: turn, d: `M-1,-${half}L${size},0L-1,${half}Z` }, parent);
  else if (edge.verdict === 'harms') make('path', { class: 'bar', transform: turn, d: `M0,-${4 + 1.2 * width}V${4 + 1.2 * width}` }, parent);
  else make('path', { class: 'open', transform: turn, d: 'M-7,-4.5L0,0L-7,4.5' }, parent);
  return size;
}

const overlap = (a, b) => Math.abs(a.x - b.x) < a.w + b.w && Math.abs(a.y - b.y) < a.h + b.h;

// Where an edge's label covers no other label, name or node; nothing where there is no room.
function spot(curve, text, taken) {
  const box = { w: textWidth(text, 11.5) / 2 + 1, h: 6.5 };
  for (let step = 0; step < 15; step += 1) {
    const t = 0.5 + (step % 2 ? 1 : -1) * Math.ceil(step / 2) * 0.045;
    const here = { ...box, ...curve.place(t) };
    if (!taken.some((other) => overlap(here, other))) return here;
  }
  return null;
}

function drawNames(places, nodes, parents) {
  const boxes = [];
  places.nodes.forEach((place, index) => {
    const name = shorter(nodes[index].name);
    const away = places.radius + 9;
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
    const x = beside ? place.x + Math.sign(cos) * away : place.x;
    const y = beside ? place.y - 6 * sin : place.y + (sin >= 0 ? -away - 16 : away + 12);
    const wide = textWidth(name, 13);
    const box = { x: beside ? x + (Math.sign(cos) * wide) / 2 : x, y: y + 5, w: wide / 2 + 2, h: 14 };
    if (!beside && boxes.some((other) => overlap(box, other))) box.y += sin >= 0 ? -30 : 30;
    make('text', { x, y: box.y - 5, dy: '.1em', 'text-anchor': anchor }, parent, name);
    make('text', { x, y: box.y + 8, dy: '.1em', 'text-anchor': anchor, class: 'kind' }, parent, nodes[index].metric);
    boxes.push(box);
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
    const style = { few: edges.length <= FEW, swell: edges.length > 100 ? 1.8 : 4 };
    const drawn = edges.map((edge) => this.drawEdge(edge, places, labels, taken, style));
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

  drawEdge(edge, places, labels, taken, { few, swell }) {
    const claimed = CLAIMS.includes(edge.verdict);
    const width = claimed ? 1.2 + 0.15 * swell + swell * Math.sqrt(Math.abs(edge.points) / this.largest) : 1.2;
    const group = make('g', { class: `edge ${dashed(edge.verdict)}`, role: 'option', tabindex: -1, 'aria-selected': 'false' });
    group.setAttribute('aria-label', `${edge.from} to ${edge.to}: ${edge.gain}${edge.points === null ? '' : ' points'}, ${edge.verdict}`);
    group.dataset.key = edge.key;
    const reach = places.radius + (edge.verdict === 'improves' ? 12 + width : 5);
    const curve = arc(places.nodes[edge.source], places.nodes[edge.target], places.radius + 4, reach);
    make('path', { class: 'hit', d: curve.d }, group);
    const line = make('path', { class: 'line', d: curve.d }, group);
    if (claimed) line.style.strokeWidth = `${width.toFixed(2)}px`;
    head(edge, curve, claimed ? width : 1, group);
    const here = (few || claimed) && labels.childElementCount < LABELS ? spot(curve, edge.gain, taken) : null;
    if (here) {
      taken.push(here);
      const label = make('g', { class: `gain ${dashed(edge.verdict)}` }, labels);
      label.dataset.key = edge.key;
      make('rect', { x: here.x - here.w, y: here.y - here.h, width: 2 * here.w, height: 2 * here.h }, label);
      make('text', { x: here.x.toFixed(1), y: here.y.toFixed(1), dy: '.35em', 'text-anchor': 'middle' }, label, edge.gain);
    }
    group.addEventListener('pointerenter', (event) => { if (event.pointerType === 'mouse') this.tell({ edge }); });
    group.addEventListener('pointerleave', (event) => { if (event.pointerType === 'mouse') this.tell(this.chosen); });
    group.addEventListener('focus', () => this.choose({ edge }));
    group.addEventListener('click', () => this.choose({ edge }));
    return group;
  }

  drawNode(node, index, places, parent) {
    const group = make('g', { class: 'node', role: 'button', tabindex: -1, 'aria-pressed': 'false' }, parent);
    group.setAttribute('aria-label', `${node.name}: best and worst partners`);
    group.dataset.key = `n${index}`;
    const place = places.nodes[index];
    make('circle', { cx: place.x.toFixed(1), cy: place.y.toFixed(1), r: places.radius }, group);
    if (node.name !== shorter(node.name)) make('title', {}, group, node.name);
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
