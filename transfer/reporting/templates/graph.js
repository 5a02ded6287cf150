// The graph: draws the pictures that the page holds, filters their edges and tells what is chosen.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const CLAIMS = ['improves', 'harms'];
const SIGNS = { improves: '▲', harms: '▼', 'no effect': '=', inconclusive: '?' };
const HEADS = { improves: 'head', harms: 'bar' }; // classes; all others are open
const NARROWER = 0.75; // of its width, below which a narrower picture is better
const LABEL_SIZE = 11.5; // pixels
const LARGEST = 1.25; // times its width

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

// One stage's graph with its filters and the panel that says what is chosen.
class Graph {
  constructor(block, data, stage) {
    this.block = block;
    this.nodes = data.nodes;
    this.markText = data.mark;
    this.stage = stage.name;
    this.pictures = stage.pictures;
    this.home = block.querySelector('.graph');
    this.details = block.querySelector('.details');
    this.filters = block.querySelector('.filters');
    const rank = (edge) => (CLAIMS.includes(edge.verdict) ? 0 : 1);
    this.edges = stage.edges
      .map((edge, index) => ({ ...edge, key: String(index), from: this.nodes[edge.source].name, to: this.nodes[edge.target].name }))
      .sort((a, b) => rank(a) - rank(b) || Math.abs(b.points) - Math.abs(a.points));
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

  fitting() {
    const width = this.home.clientWidth || this.pictures[0].width;
    return this.pictures.find((one) => width >= NARROWER * one.width) || this.pictures[this.pictures.length - 1];
  }

  resized() {
    if (this.fitting() !== this.picture) this.draw();
  }

  shown() {
    const wanted = [...this.filters.querySelectorAll('[name=verdict]:checked')].map((box) => box.value);
    const least = Number(this.filters.querySelector('[name=least]').value) || 0;
    return this.edges.filter((edge) => wanted.includes(edge.verdict) && Math.abs(edge.points) >= least - 1e-9);
  }

  draw() {
    const focus = document.activeElement && this.home.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.picture = this.fitting();
    const width = this.picture.width;
    const height = this.picture.height + (this.markText ? 18 : 0);
    const edges = this.shown();
    const title = `Graph of the gains${this.stage ? ', ' + this.stage : ''}: ${edges.length} of ${this.edges.length} edges shown`;
    const svg = make('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': title });
    svg.style.maxWidth = `${LARGEST * width}px`;
    if (this.pictures.length === 1) svg.style.minWidth = `${NARROWER * width}px`; // then it scrolls
    const lines = make('g', { role: 'listbox', 'aria-label': 'Edges, arrow keys move between them' }, svg);
    const labels = make('g', { 'aria-hidden': 'true' }, svg);
    const circles = make('g', { role: 'group', 'aria-label': 'Corpora, arrow keys move between them' }, svg);
    this.nodes.forEach((node, index) => this.drawNode(node, index, circles));
    lines.append(...edges.map((edge) => this.drawEdge(edge, lines, labels)).reverse()); // claims last, on top
    if (this.markText) make('text', { class: 'stamp', x: width - 4, y: height - 6 }, svg, this.markText);
    this.home.replaceChildren(svg);
    this.rove(lines, focus);
    this.rove(circles, focus);
    const none = this.edges.length && !edges.length ? ' Choose more verdicts or a smaller effect to see some.' : '';
    this.filters.querySelector('.shown').textContent = `${edges.length} of ${this.edges.length} edges shown.${none}`;
    this.mark();
  }

  drawEdge(edge, lines, labels) {
    const { line, head, width, head_width, label } = this.picture.edges[edge.key];
    const verdict = dashed(edge.verdict);
    const group = make('g', { class: `edge ${verdict}`, role: 'option', tabindex: -1, 'aria-selected': 'false' }, lines);
    group.setAttribute('aria-label', `${edge.from} to ${edge.to}: ${edge.gain}${edge.points === null ? '' : ' points'}, ${edge.verdict}`);
    group.dataset.key = edge.key;
    make('path', { class: 'hit', d: line }, group);
    make('path', { class: 'line', d: line, 'stroke-width': width }, group);
    make('path', { class: HEADS[edge.verdict] || 'open', d: head, 'stroke-width': head_width }, group);
    if (label) {
      const [x, y, text] = label;
      const around = make('g', { class: `gain ${verdict}` }, labels);
      around.dataset.key = edge.key;
      const half = 0.3 * LABEL_SIZE * text.length + 1;
      make('rect', { x: x - half, y: y - 7, width: 2 * half, height: 14 }, around);
      make('text', { x, y, dy: '.35em', 'text-anchor': 'middle' }, around, text);
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

  drawNode(node, index, parent) {
    const [x, y, textX, textY, align, turn, shown] = this.picture.nodes[index];
    const anchor = { left: 'start', center: 'middle', right: 'end' }[align];
    const group = make('g', { class: 'node', role: 'button', tabindex: -1, 'aria-pressed': 'false' }, parent);
    const seen = [shown, node.metric].filter(Boolean).join(' '); // a name begins with what is written
    group.setAttribute('aria-label', `${seen}: best and worst partners${node.name === shown ? '' : ` of ${node.name}`}`);
    group.dataset.key = `n${index}`;
    make('circle', { cx: x, cy: y, r: this.picture.radius }, group);
    if (this.pictures.length === 1) {
      make('text', { transform: `translate(${textX},${textY}) rotate(${turn})`, dy: '.35em', 'text-anchor': anchor }, group, shown);
    } else {
      make('text', { x: textX, y: textY, dy: '-.15em', 'text-anchor': anchor }, group, shown);
      group.append(' '); // unseen; it parts the two texts for whoever reads them aloud
      make('text', { x: textX, y: textY, dy: '.95em', 'text-anchor': anchor, class: 'kind' }, group, node.metric);
    }
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
      put(this.details, 'p', 'Point at an edge, or move to it with the arrow keys, to see its numbers.');
      put(this.details, 'p', 'Click a task to see its best and worst partners.');
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
    put(verdict, 'span', SIGNS[edge.verdict], `sign ${dashed(edge.verdict)}`).setAttribute('aria-hidden', 'true');
    verdict.append(` ${edge.verdict}`);
    const list = put(this.details, 'dl');
    const facts = [
      ['Gain', edge.points === null ? edge.gain : `${edge.gain} points`], ['95% CI', edge.interval], ['p adjusted', edge.p], ['Seeds', edge.seeds],
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
      put(button, 'span', SIGNS[edge.verdict], `sign ${dashed(edge.verdict)}`).setAttribute('aria-hidden', 'true');
      put(button, 'span', edge[end], 'name');
      put(button, 'span', `${edge.gain} ${edge.interval}`, 'amount');
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
