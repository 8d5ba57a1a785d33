// The bar of every page: the other language, the theme, and sign-out.

import { BASE, send } from "./calls.js";
import { at, tell } from "./dom.js";
import { choose, sayProblem, switchLanguage } from "./words.js";

const root = document.documentElement;
const light = matchMedia("(prefers-color-scheme: light)");

/** Show the other theme, on this and on every further page. */
function switchTheme() {
  const shown = root.dataset.theme ?? (light.matches ? "light" : "dark");
  root.dataset.theme = shown === "light" ? "dark" : "light";
  choose("saksi_tema", root.dataset.theme);
}

async function signOut() {
  try {
    const { location: where } = await send("/auth/logout");
    sessionStorage.clear(); // what this tab kept for the reader
    location.replace(where || `${BASE}/masuk`);
  } catch (problem) {
    tell(sayProblem(problem));
  }
}

at("language").addEventListener("click", switchLanguage);
at("theme").addEventListener("click", switchTheme);
at("sign-out").addEventListener("click", signOut);
// On a phone the places have one row, which is wider than the screen.
document.querySelector(".places a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
// Only who decides on requests has this place, and its number.
if (document.querySelector('.places a[data-place="queue"]')) void import("./queue-count.js");
