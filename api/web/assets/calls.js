// Calls of the API. A problem (RFC 9457) is thrown as received; without a session the user is sent to sign in.

import { learnNames } from "./person.js";

/** The path of the installation's root, without a slash at its end. */
export const BASE = document.documentElement.dataset.base;

/** Go to the sign-in page, which returns here. */
export function signInAgain() {
  const here = location.pathname.slice(BASE.length) + location.search;
  location.replace(`${BASE}/masuk?next=${encodeURIComponent(here)}`);
}

/** A URL from the server, made relative to our own root, whatever host name the server used. */
export function local(address) {
  const found = new URL(address, location.origin);
  return found.pathname + found.search;
}

/** A URL from the server with more in its query. */
export function withQuery(address, more) {
  const found = new URL(address, location.origin);
  for (const [name, value] of Object.entries(more)) found.searchParams.set(name, value);
  return found.href;
}

async function answerOf(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : { code: "network" };
  }
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401) signInAgain();
  let problem = { code: `http_${answer.status}` };
  try {
    problem = await answer.json();
  } catch {
    // Perhaps a proxy's page: only its status is used.
  }
  throw problem;
}

/** The JSON of an answer; the names that come with it are known from then on. */
async function jsonOf(answer) {
  const found = await answer.json();
  if (found?.people && !Array.isArray(found.people)) learnNames(found.people);
  return found;
}

/** The JSON at one of our paths, with a query. */
export async function ask(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return jsonOf(await answerOf(BASE + path + (text ? `?${text}` : ""), {}));
}

/** A decoded picture of a camera, and the instant that it shows, as text from the server. */
export async function askPicture(camera, query, signal) {
  const path = `${BASE}/v1/cameras/${encodeURIComponent(camera)}/frame.jpg`;
  const answer = await answerOf(`${path}?${new URLSearchParams(query)}`, { signal });
  return { picture: await createImageBitmap(await answer.blob()), at: answer.headers.get("Saksi-Frame-At") };
}

/** The bytes of a decoded picture without loss, and the instant that it shows, as text from the server. */
export async function askFrame(camera, query) {
  const path = `${BASE}/v1/cameras/${encodeURIComponent(camera)}/frame.png`;
  const answer = await answerOf(`${path}?${new URLSearchParams(query)}`, {});
  return { bytes: await answer.blob(), at: answer.headers.get("Saksi-Frame-At") };
}

/** A sheet of thumbnails, by an address from the server. */
export async function askSheet(address) {
  const answer = await answerOf(local(address), {});
  return createImageBitmap(await answer.blob());
}

/** The JSON at one of our paths with its version (`ETag`), which a change of it must name. */
export async function read(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  const answer = await answerOf(BASE + path + (text ? `?${text}` : ""), {});
  return { value: await jsonOf(answer), tag: answer.headers.get("ETag") };
}

/**
 * The text at one of our paths with its version, unless it still has the version that is known: then null.
 * @param {string} path
 * @param {string | null} tag
 * @returns {Promise<{text: string, tag: string | null} | null>}
 */
export async function readUnless(path, tag) {
  const answer = await answerOf(BASE + path, tag ? { headers: { "If-None-Match": tag } } : {});
  return answer.status === 304 ? null : { text: await answer.text(), tag: answer.headers.get("ETag") };
}

/**
 * Send a change; `tag` is the version that was read (`If-Match`). A Blob or FormData is sent as it is, anything
 * else as JSON. Returns the JSON of the answer, or null if it has none.
 */
export async function send(path, body, { method = "POST", tag = null, headers: more = {} } = {}) {
  const headers = { "Saksi-Request": "1", ...more };
  if (tag) headers["If-Match"] = tag;
  const isRaw = body instanceof Blob || body instanceof FormData;
  if (body !== undefined && !isRaw) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
  const answer = await answerOf(BASE + path, { method, headers, body: text });
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : null;
}
