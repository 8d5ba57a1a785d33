// A list that is read while it changes: what is there keeps its place. What is gone stays, marked as recovered,
// until the reader sorts anew; what is new comes at the end.

import { timeOf } from "./clock.js";
import { make } from "./dom.js";
import { say } from "./words.js";

/**
 * @template T
 * @param {{key: (item: T) => string, row: (item: T) => (Node | string)[], changed?: (recovered: number) => void}} how
 *   `row` makes what stands in an item's row; `changed` is called with the number of recovered rows.
 * @returns {{element: HTMLElement, update: (items: T[]) => void, sort: () => void}}
 */
export function steadyList({ key, row, changed = () => {} }) {
  const element = make("ul", { class: "rows-list steady" });
  /** @type {Map<string, {node: HTMLElement, text: string, gone: boolean}>} */
  const known = new Map();
  let newest = [];

  function put(item) {
    const name = key(item);
    const made = row(item);
    const text = made.map((part) => (typeof part === "string" ? part : part.textContent)).join("\n");
    const one = known.get(name);
    // What says the same stays as it is, with the reader's focus in it.
    if (one && one.text === text && !one.gone) return;
    const node = one?.node ?? make("li", { data: { key: name } });
    node.classList.remove("recovered");
    node.replaceChildren(...made);
    if (!one) element.append(node);
    known.set(name, { node, text, gone: false });
  }

  function update(items) {
    newest = items;
    const there = new Set(items.map(key));
    for (const [name, one] of known) {
      if (there.has(name) || one.gone) continue;
      one.gone = true;
      one.node.classList.add("recovered");
      one.node.append(make("p", { class: "recovered-note" }, say("health.recovered", { at: timeOf(Date.now()) })));
    }
    for (const item of items) put(item);
    changed([...known.values()].filter((one) => one.gone).length);
  }

  function sort() {
    known.clear();
    element.replaceChildren();
    update(newest);
  }

  return { element, update, sort };
}
