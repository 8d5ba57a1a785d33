// How many columns the wall has: those with which the pictures are largest.

const CAPTION_PX = 28;
const GAP_PX = 4;
const SHAPE = 16 / 9;
const PHONE_PX = 720;

/**
 * The best number of columns for some pictures in a place of this size.
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @returns {number}
 */
export function columnsFor(count, width, height) {
  let best = { columns: 1, area: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const wide = (width - GAP_PX * (columns + 1)) / columns;
    const high = (height - GAP_PX * (rows + 1)) / rows - CAPTION_PX;
    const picture = Math.min(wide, Math.max(0, high) * SHAPE);
    if (picture > best.area) best = { columns, area: picture };
  }
  return best.columns;
}

/**
 * Keep the columns of a grid right while its size and the number of its tiles change. Returns what sets the number.
 * @param {HTMLElement} grid
 * @returns {(count: number) => void}
 */
export function arrange(grid) {
  let shown = 0;
  const place = () => {
    if (!shown) return;
    const isPhone = innerWidth <= PHONE_PX;
    const columns = isPhone ? (shown > 4 ? 2 : 1) : columnsFor(shown, grid.clientWidth, grid.clientHeight);
    grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  };
  new ResizeObserver(place).observe(grid);
  return (count) => {
    shown = count;
    grid.dataset.count = String(count);
    place();
  };
}
