// A field with suggestions, for something that has a name and an id: people type or pick the name.

import { make } from "./dom.js";

/**
 * Give a field its suggestions.
 * @param {HTMLInputElement} field
 * @param {{ id: string, name: string, more?: string }[]} options
 * @returns {{ id: () => string | null, show: (id: string) => void }} `id` is null for a text that means nothing
 *   or several things; `show` writes the name of an id into the field
 */
export function choiceOf(field, options) {
  const count = new Map();
  for (const { name } of options) count.set(name, (count.get(name) ?? 0) + 1);
  // Two things of one name are told apart by what else is known, at last by the id.
  const labels = new Map(options.map((one) =>
    [one.id, count.get(one.name) === 1 ? one.name : `${one.name} (${one.more || one.id})`]));
  const list = make("datalist", { id: `${field.id}-choice` }, options.map(({ id }) => make("option", { value: labels.get(id) })));
  field.setAttribute("list", list.id);
  field.after(list);
  const lower = (text) => text.trim().toLowerCase();

  function id() {
    const text = lower(field.value);
    const exact = options.filter((one) => lower(labels.get(one.id)) === text || lower(one.id) === text);
    if (exact.length) return exact[0].id;
    const close = text ? options.filter((one) => lower(labels.get(one.id)).includes(text)) : [];
    return close.length === 1 ? close[0].id : null;
  }

  return { id, show: (wanted) => { field.value = labels.get(wanted) ?? wanted; } };
}
