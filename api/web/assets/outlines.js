// Outlines that are drawn by hand: fewer corners, in order around the area, and never across themselves.

/** @typedef {{ x: number, y: number }} Point */

const MOST = 40;

/**
 * The corners of a line that was drawn, at most 40, without those that hardly turn; the hull of the line if it
 * crosses itself, because such an area is refused. Null for what has no area, such as a click.
 * @param {Point[]} drawn in px
 * @param {(points: Point[], tolerance: number) => Point[]} simplify Leaflet's own
 * @returns {Point[] | null}
 */
export function cornersOf(drawn, simplify) {
  let tolerance = 3;
  let corners = simplify(drawn, tolerance);
  while (corners.length > MOST) corners = simplify(drawn, tolerance *= 1.5);
  const [first, last] = [corners[0], corners.at(-1)];
  if (corners.length > 1 && Math.hypot(first.x - last.x, first.y - last.y) < 12) corners = corners.slice(0, -1);
  if (corners.length < 3 || crosses(corners)) corners = hullOf(drawn.length > MOST ? simplify(drawn, tolerance) : drawn);
  return corners.length >= 3 && surfaceOf(corners) >= 64 ? corners : null;
}

const turn = (a, b, c) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);

/** Whether two edges of a ring meet that are no neighbours. */
function crosses(/** @type {Point[]} */ ring) {
  const edges = ring.map((point, index) => [point, ring[(index + 1) % ring.length]]);
  return edges.some(([a, b], one) => edges.some(([c, d], other) => {
    const apart = Math.abs(one - other);
    if (apart < 2 || apart === edges.length - 1) return false;
    return turn(a, b, c) * turn(a, b, d) <= 0 && turn(c, d, a) * turn(c, d, b) <= 0;
  }));
}

/** The convex hull, in order. */
function hullOf(/** @type {Point[]} */ points) {
  const sorted = [...points].sort((one, other) => one.x - other.x || one.y - other.y);
  const half = (ordered) => {
    const found = [];
    for (const point of ordered) {
      while (found.length > 1 && turn(found.at(-2), found.at(-1), point) <= 0) found.pop();
      found.push(point);
    }
    return found.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function surfaceOf(/** @type {Point[]} */ ring) {
  let twice = 0;
  ring.forEach((a, index) => {
    const b = ring[(index + 1) % ring.length];
    twice += a.x * b.y - b.x * a.y;
  });
  return Math.abs(twice) / 2;
}
