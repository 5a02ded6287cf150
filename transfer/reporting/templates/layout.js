// Where the nodes, lines and labels of the graph stand, in pixels; nothing is drawn here.
'use strict';

const GAP = 5; // between a node and the lines that begin or end there
const MOST_TURNED = 1.5 * Math.PI; // of a node's rim that lines may take; its name stands at the rest
const NAME_AWAY = 15; // between a node and its name
const POINTS = 61; // of a curve, at which it is held against the labels
const PER_LABEL = 2500; // square pixels

const shorter = (name) => (name.length > 18 ? name.slice(0, 17) + '…' : name);
const textWidth = (text, size) => 0.6 * size * text.length;
const overlap = (a, b, room = 0) => Math.abs(a.x - b.x) < a.w + b.w + room && Math.abs(a.y - b.y) < a.h + b.h + room;

function ring(names, width) {
  const count = names.length;
  const radial = count > MANY;
  const narrow = width < 560;
  const longest = Math.max(0, ...names.map((name) => textWidth(shorter(name), 13)));
  const radius = count <= 8 && !(narrow && count > 4) ? 14 : count <= 16 ? 10 : 6;
  const away = radius + NAME_AWAY;
  const across = radial ? longest + 2 * radius + 10 : narrow ? Math.max(longest / 2 + 4, 34) : longest + away;
  const up = radial ? across : away + 34 + (narrow && count > 4 ? 30 : 0); // names above each other
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
  const labels = Math.floor((Math.PI * wide * high) / PER_LABEL); // that there is room for
  return { nodes, radius, radial, narrow, width, height, labels, scale: narrow && count > 4 ? 0.65 : 1 };
}

// The increasing values that are nearest to these, by least squares.
function increasing(values) {
  const blocks = [];
  for (const value of values) {
    blocks.push({ sum: value, count: 1 });
    while (blocks.length > 1) {
      const [one, two] = blocks.slice(-2);
      if (one.sum / one.count <= two.sum / two.count) break;
      blocks.splice(-2, 2, { sum: one.sum + two.sum, count: one.count + two.count });
    }
  }
  return blocks.flatMap(({ sum, count }) => Array(count).fill(sum / count));
}

// A quadratic curve for each edge, bent to the right of its way, so that a pair's two edges part. `before` and
// `after` are the room that its start and its tip take to either side; at a node the ends keep their order
// and are moved along the rim as little as it takes that no two share room, as far as it has room for all.
function arcs(places, edges) {
  const curves = edges.map(({ source, target }) => {
    const [from, to] = [places.nodes[source], places.nodes[target]];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy);
    const bend = Math.min(0.25 * length, 26 + 0.09 * length);
    return { control: { x: (from.x + to.x) / 2 - (dy / length) * bend, y: (from.y + to.y) / 2 + (dx / length) * bend } };
  });
  places.nodes.forEach((node, index) => {
    const inwards = Math.atan2(places.height / 2 - node.y, places.width / 2 - node.x);
    const ends = [];
    edges.forEach((edge, place) => {
      const { control } = curves[place];
      const angle = Math.atan2(control.y - node.y, control.x - node.x) - inwards;
      const turned = angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
      const end = { curve: curves[place], angle: turned };
      if (edge.source === index) ends.push({ ...end, at: 'start', half: edge.before });
      if (edge.target === index) ends.push({ ...end, at: 'tip', half: edge.after });
    });
    ends.sort((a, b) => a.angle - b.angle);
    const rim = places.radius + GAP;
    const needed = ends.reduce((sum, end) => sum + (2 * end.half) / rim, 0);
    const scale = Math.min(1, MOST_TURNED / needed);
    let taken = 0;
    const middles = ends.map((end) => {
      const half = (scale * end.half) / rim;
      taken += 2 * half;
      return taken - half;
    });
    increasing(ends.map((end, place) => end.angle - middles[place])).forEach((first, place) => {
      const { curve, at } = ends[place];
      const angle = first + middles[place] + inwards;
      curve[at] = { x: node.x + rim * Math.cos(angle), y: node.y + rim * Math.sin(angle) };
    });
  });
  return curves.map(({ control, start, tip }, place) => {
    const at = (t) => ({
      x: (1 - t) ** 2 * start.x + 2 * t * (1 - t) * control.x + t * t * tip.x,
      y: (1 - t) ** 2 * start.y + 2 * t * (1 - t) * control.y + t * t * tip.y,
    });
    // the line ends where its head begins, and the head points from there to the tip
    let last = 1;
    while (last > 0.5 && Math.hypot(at(last).x - tip.x, at(last).y - tip.y) < edges[place].head) last -= 0.005;
    const end = at(last);
    const bow = { x: start.x + last * (control.x - start.x), y: start.y + last * (control.y - start.y) };
    const from = last < 1 ? end : control;
    const number = (value) => value.toFixed(1);
    const d = `M${number(start.x)},${number(start.y)}Q${number(bow.x)},${number(bow.y)} ${number(end.x)},${number(end.y)}`;
    return { d, at, end, tip, turn: Math.atan2(tip.y - from.y, tip.x - from.x) };
  });
}

// For each text the place on its own curve that covers least; nothing where none is free. A label never covers
// another one or what is `taken` (names, nodes, heads). Among the free places that over the least of foreign curves
// wins, claims counting more, then the one apart from other labels, then the one nearest to the middle.
function spots(curves, texts, weights, taken) {
  const steps = curves.length > 200 ? 16 : POINTS;
  const lines = curves.map((curve) => Array.from({ length: steps }, (_, n) => curve.at(n / (steps - 1))));
  const found = texts.map(() => null);
  const choose = (own) => {
    const box = { w: textWidth(texts[own], 11.5) / 2 + 2, h: 7 };
    const others = found.filter((other, place) => other && place !== own);
    let best = null;
    for (let step = 0; step < 27; step += 1) {
      const t = 0.5 + (step % 2 ? 1 : -1) * Math.ceil(step / 2) * 0.025;
      const here = { ...box, ...curves[own].at(t) };
      if (taken.some((other) => overlap(here, other)) || others.some((other) => overlap(here, other))) continue;
      let cost = 0.15 * step + 4 * others.filter((other) => overlap(here, other, 8)).length;
      lines.forEach((line, place) => {
        if (place !== own) cost += weights[place] * line.filter((point) => overlap(here, { ...point, w: 1, h: 1 })).length;
      });
      if (!best || cost < best.cost) best = { ...here, cost };
    }
    return best;
  };
  // the first ones chose before they knew of the others
  for (let round = 0; round < 3; round += 1) texts.forEach((text, own) => { found[own] = text ? choose(own) : null; });
  return found;
}
