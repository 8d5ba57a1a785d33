// Elements from texts and elements. Texts become text nodes, so nothing from the archive is ever markup.

/**
 * An element. `facts` are attributes; `on…` are listeners, `data` its dataset, `class` its classes, and true or
 * false sets or leaves out an attribute. Children that are null or false are left out.
 * @param {string} tag
 * @param {Record<string, any>} facts
 * @param {...any} children
 * @returns {any}
 */
export function make(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/**
 * The element of this id; the page's template says what it is.
 * @param {string} id
 * @returns {any}
 */
export const at = (id) => document.getElementById(id);

/**
 * Put these into an element, in place of what is there.
 * @param {any} element
 * @param {...any} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
}

/** Show a problem in the page's own place for it; "" takes it away. */
export function tell(text) {
  at("problem").textContent = text;
  at("problem").hidden = !text;
}
