// Saving: what the API sends as a paper, and what the page itself made.

import { BASE, signInAgain } from "./calls.js";
import { make } from "./dom.js";

/**
 * Offer a file to the reader, as the browser saves downloads.
 * @param {Blob} content
 * @param {string} name
 */
export function saveAs(content, name) {
  const address = URL.createObjectURL(content);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/**
 * Fetch a paper and save it under the name that the server gives it. Throws its problem (RFC 9457).
 * @param {string} path
 * @param {Record<string, string>} query
 * @returns {Promise<string>} the name
 */
export async function savePaper(path, query) {
  let answer;
  try {
    answer = await fetch(`${BASE}${path}?${new URLSearchParams(query)}`, { credentials: "same-origin" });
  } catch {
    throw { code: "network" };
  }
  if (answer.status === 401) signInAgain();
  if (!answer.ok) throw await answer.json().catch(() => ({ code: `http_${answer.status}` }));
  const stated = answer.headers.get("Content-Disposition") ?? "";
  const name = /filename="([^"]+)"/.exec(stated)?.[1] ?? path.split("/").pop();
  saveAs(await answer.blob(), name);
  return name;
}
