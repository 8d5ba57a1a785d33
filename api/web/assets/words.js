// The texts of the pages, in the language that the page has; and the choice between the two.
// Texts are put into the page only with textContent.

const LANGUAGE = document.documentElement.lang === "en" ? "en" : "id";
const { default: WORDS } = await import(`./words.${LANGUAGE}.js`);

/** The text of a key in the chosen language, `{name}` filled in from `values`. */
export function say(key, values = {}) {
  const text = WORDS[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The text of a key, or `otherwise` if there is no such key. */
export function sayIf(key, otherwise) {
  return key in WORDS ? say(key) : otherwise;
}

/** The text of a problem (RFC 9457) for people: ours for its code, else the server's. */
export function sayProblem(problem) {
  if (problem.code === "network") return say("error.network");
  return sayIf(`problem.${problem.code}`, `${half(problem.detail ?? problem.code)} ${half(problem.hint ?? "")}`.trim());
}

/** The half of a text of the API ("Indonesian / English") in the page's language. */
export function half(text) {
  const [first, ...second] = text.split(" / ");
  return IS_ENGLISH && second.length ? second.join(" / ") : first;
}

/** Whether the page is in English. */
export const IS_ENGLISH = LANGUAGE === "en";

/** Keep a choice of the reader in a cookie that the server reads, for a year. */
export function choose(name, value) {
  const path = `${document.documentElement.dataset.base}/`;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=${path}; Max-Age=31536000; SameSite=Lax${secure}`;
}

/** Show the page in the other language. */
export function switchLanguage() {
  document.dispatchEvent(new Event("leaving")); // whoever has something that the address should keep
  choose("saksi_bahasa", IS_ENGLISH ? "id" : "en");
  location.reload();
}
