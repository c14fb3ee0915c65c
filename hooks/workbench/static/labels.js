/** Where words fit into a picture. */

const LINE = 13; // the height of a line of small print

/** The names of lines that are close together, each with how far it has to move down to be read. */
export function apart(limits, down) {
  let above = -Infinity;
  return [...limits]
    .sort((one, other) => other.value - one.value)
    .map((limit) => {
      const at = Math.max(down(limit.value), above + LINE);
      above = at;
      return [limit, at - down(limit.value)];
    });
}

/** The points whose values can be written beside them without covering another, the latest first. */
export function legible(points, across, down) {
  const placed = [];
  for (const point of [...points].reverse()) {
    const half = (point.reported.split(" ")[0].length * 7) / 2 + 2;
    const [x, y] = [across(point.at), down(point.value)];
    if (placed.every((other) => Math.abs(other.x - x) > other.half + half || Math.abs(other.y - y) > LINE))
      placed.push({ point, x, y, half });
  }
  return placed.map((entry) => entry.point);
}

/** A text that fits: Chinese characters are as wide as they are high. */
export function clip(text, width) {
  let room = width;
  const kept = [...text].findIndex((letter) => (room -= letter > "\u2e7f" ? 12.2 : 7.2) < 0);
  return kept < 0 ? text : `${[...text].slice(0, Math.max(kept - 1, 1)).join("")}…`;
}
